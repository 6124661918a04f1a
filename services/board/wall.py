"""The wall: eight tiles that are read at a glance, and kept up to date in place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from nicegui import ui

from schemas.registry import SYSTEMS
from services.board.frame import Look, Render, show_origin, trouble
from services.board.sketch import sparkline
from services.board.watch import HEADLINES, Tile, View
from services.board.words import (
    Language,
    ago,
    clock_time,
    day_and_time,
    name_of,
    number,
    signed,
    state_of,
    system_name,
    word,
)
from services.readings import Reading

WORST = ("bad", "watch", "good", "neutral", "missing")


def wall(look: Look) -> Render:
    """Build the page; returns what brings it up to a view at a moment, touching only what has changed."""
    with ui.element("main").classes("wall"):
        parts = [_bar(look), trouble(look)]
        with ui.element("div").classes("tiles"):
            parts += [_tile(slug, place, look.language) for place, slug in enumerate(SYSTEMS, 1)]

    def render(view: View, now: datetime) -> None:
        for part in parts:
            part(view, now)

    return render


def _bar(look: Look) -> Render:
    with ui.element("header").classes("bar"):
        ui.html(look.word("title"), tag="h1", sanitize=False)
        origin = ui.label().classes("origin")
        as_of = ui.label().classes("small")
        clock = ui.label().classes("clock")

    def render(view: View, now: datetime) -> None:
        show_origin(look, origin, view)
        as_of.set_text(f"{look.word('as_of')} {clock_time(view.as_of)}")
        clock.set_text(f"{day_and_time(now)[:10]}  {clock_time(now)}")

    return render


def _tile(slug: str, place: int, language: Language) -> Render:
    first, *others = HEADLINES[slug]
    with ui.link(target=f"/system/{slug}").classes("tile") as card:
        ui.html(f"<span>{place}. {system_name(slug, language)}</span>", tag="h2", sanitize=False)
        main = ui.label("–").classes("main")
        ui.label(name_of(first, language)).classes("what")
        trend = ui.html("", sanitize=False)
        with ui.element("dl"):
            cells = [_row(indicator, language) for indicator in others]
        with ui.element("div").classes("foot"):
            fresh = ui.label()

    def render(view: View, now: datetime) -> None:
        tile = view.tiles.get(slug)
        fresh.set_text(f"{word('last_event', language)}: {ago(tile.recorded if tile else None, now, language)}")
        if tile is None:
            return
        head, *rest = tile.readings
        main.set_text(signed(head, language))
        main.classes(replace=f"main state-{state_of(head)}")
        trend.set_content(sparkline([r.printed for r in tile.trend]))
        for cell, reading in zip(cells, rest, strict=True):
            cell(reading)
        card.classes(replace=f"tile {_state(tile)}")

    return render


def _row(indicator: object, language: Language) -> Callable[[Reading], None]:
    name = ui.html("", tag="dt", sanitize=False)
    value = ui.html("", tag="dd", sanitize=False)

    def render(r: Reading) -> None:
        aim = ""
        if r.indicator.target is not None:
            sign = "≤" if r.indicator.better == "lower" else "≥"
            aim = f" ({sign} {number(r.indicator.target, 1 if r.indicator.target % 1 else 0, language)})"
        name.set_content(name_of(r.indicator, language) + aim)
        value.set_content(f'<span class="state-{state_of(r)}">{signed(r, language)}</span>')

    return render


def _state(tile: Tile) -> str:
    return min((state_of(r) for r in tile.readings), key=WORST.index)
