"""The wall: eight tiles that are read at a glance, and kept up to date in place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from nicegui import ui
from starlette.requests import Request

from schemas.indicators import Indicator
from schemas.indicators.label_texts import source_name
from schemas.registry import SYSTEMS
from schemas.text.dates import clock_time, day_and_time
from services.board.live.active_alarms import ActiveAlarm
from services.board.live.poller import HEADLINES, LiveState, Poller, Tile
from services.board.ui.charts import sparkline
from services.board.ui.markup import Html, link, tag
from services.board.ui.page_layout import (
    PageContext,
    Render,
    account_menu,
    context_of,
    keep_fresh,
    keys,
    navigation,
    outage_banner,
    page,
    public_mode,
    setup_page,
    show_origin,
    waiting_alarms,
)
from services.board.ui.redaction import shown_to
from services.board.ui.words import Language, ago, name_of, number, signed, state_of, system_name, unit_name, why, word
from services.readings import Reading

WORST = ("bad", "watch", "good", "neutral", "missing")
TOLD = 8
"""So many alarms the ticker tells at most."""


def add(poller: Poller) -> None:
    """The page `/`."""

    @page("/")
    def of_all(request: Request) -> None:
        context = context_of(request, poller)
        setup_page(context)
        keep_fresh(context, wall(context))


def wall(context: PageContext) -> Render:
    """Build the page; returns what brings it up to a view at a moment, touching only what has changed."""
    with ui.element("main").classes("wall"):
        parts = [_bar(context), outage_banner(context)]
        with ui.element("div").classes("tiles"):
            parts += [_tile(slug, place, context) for place, slug in enumerate(SYSTEMS, 1)]
        parts.append(_ticker(context))
    ui.html(keys(context), sanitize=False)

    def render(view: LiveState, now: datetime) -> None:
        for part in parts:
            part(view, now)

    return render


def _bar(context: PageContext) -> Render:
    with ui.element("header").classes("bar"):
        ui.html(context.word("title"), tag="h1", sanitize=False)
        ui.html(navigation(context, "/"), tag="nav", sanitize=False).props(f'aria-label="{context.word("pages")}"')
        waiting = ui.html("", tag="span", sanitize=False).classes("waiting")
        origin = ui.label().classes("origin")
        as_of = ui.label().classes("small")
        clock = ui.label().classes("clock")

    def render(view: LiveState, now: datetime) -> None:
        show_origin(context, origin, view)
        waiting.set_content(waiting_alarms(context, view))
        as_of.set_text(f"{context.word('as_of')} {clock_time(view.as_of)}")
        clock.set_text(f"{day_and_time(now)[:10]}  {clock_time(now)}")

    return render


def _tile(slug: str, place: int, context: PageContext) -> Render:
    language = context.language
    with ui.link(target=f"/system/{slug}").classes("tile") as card:
        ui.html(f"<span>{place}. {system_name(slug, language)}</span>", tag="h2", sanitize=False)
        main = _figure("div", "main", language)
        what = ui.label(name_of(HEADLINES[slug][0], language)).classes("what")
        trend = ui.html("", sanitize=False)
        with ui.element("dl"):
            cells = [_row(language) for _ in HEADLINES[slug][1:]]
        fresh = ui.html("", sanitize=False).classes("foot")

    def render(view: LiveState, now: datetime) -> None:
        tile, silent = view.tiles.get(slug), view.silent.get(slug, ())
        fresh.set_content(_foot(tile, silent, now, language))
        if tile is None:
            return
        largest = tile.readings.index(tile.main)
        tile = shown_to(context.account, tile, whole=True)
        first, *others = tile.readings[largest], *tile.readings[:largest], *tile.readings[largest + 1 :]
        main(first)
        what.set_text(f"{name_of(first.indicator, language)} {aim(first.indicator, language)}")
        trend.set_content(sparkline([r.printed for r in tile.trend]))
        for cell, reading in zip(cells, others, strict=True):
            cell(reading)
        card.classes(replace=f"tile {_state(tile)}{' stale' if silent else ''}")

    return render


def _foot(tile: Tile | None, silent: tuple[str, ...], now: datetime, language: Language) -> Html:
    """When the last event came; and which source is silent."""
    updated = tag("span", f"{word('last_event', language)}: {ago(tile.recorded if tile else None, now, language)}")
    names, title = ", ".join(source_name(s, language) for s in silent), ", ".join(silent)
    return Html(updated + (tag("b", f"⏸ {word('stale', language)}: {names}", title=title) if silent else ""))


def _row(language: Language) -> Callable[[Reading], None]:
    name = ui.html("", tag="dt", sanitize=False)
    value = _figure("dd", "", language)

    def render(r: Reading) -> None:
        called = name_of(r.indicator, language)
        name.set_content(tag("span", called, title=called) + tag("small", aim(r.indicator, language)))
        value(r)

    return render


def _figure(element: str, kind: str, language: Language) -> Callable[[Reading], None]:
    """A figure in its place. It flashes when it changes (not when the page opens): what is new is a new element."""
    place, shown = ui.html("", tag=element, sanitize=False).classes(kind), [""]

    def render(r: Reading) -> None:
        text = signed(r, language)
        if text != shown[0]:
            place.set_content(figure_cell(r, language, flash=bool(shown[0])))
            shown[0] = text

    return render


def figure_cell(r: Reading, language: Language, flash: bool = False) -> Html:
    """A figure with its state; one that is missing says why to who points at it."""
    reason = why(r.reason, language) or None
    kind = f"state-{state_of(r)}{' flash' if flash else ''}"
    return tag("span", signed(r, language), class_=kind, title=reason, data_why=reason)


def aim(indicator: Indicator, language: Language) -> str:
    """Its target; empty without one."""
    if indicator.target is None:
        return ""
    sign = "≤" if indicator.better == "lower" else "≥"
    return f"{sign} {number(indicator.target, 1 if indicator.target % 1 else 0, language)}"


def _state(tile: Tile) -> str:
    return min((state_of(r) for r in tile.readings), key=WORST.index)


def _ticker(context: PageContext) -> Render:
    with ui.element("footer").classes("ticker"):
        place = ui.html("", sanitize=False).classes("bells")
        public_mode(context)
        ui.html(account_menu(context, "/"), sanitize=False).classes("reader")

    def render(view: LiveState, now: datetime) -> None:
        shown = view.alarms.seen_by(context.account)[:TOLD]
        place.set_content(
            Html("").join(_alarm(context, alarm) for alarm in shown) or tag("span", context.word("no_alarms"))
        )

    return render


def _alarm(context: PageContext, alarm: ActiveAlarm) -> Html:
    """One alarm in a few words; a case's code is masked."""
    sign, state = ("▲", "bad") if alarm.severity == "critical" else ("●", "watch")
    unit = unit_name(None if alarm.unit == "all" else alarm.unit, context.language)
    text = alarm.vi if context.language == "vi" else alarm.en
    where = "" if text.startswith(unit) else f"{unit}: "
    code = f": {alarm.number}" if alarm.number > 1 else f" {alarm.about.partition(':')[2]}" if alarm.about else ""
    origin = "" if alarm.origin == "real" else f" [{context.word(alarm.origin)}]"
    text_span = tag(
        "span", f"{sign} {clock_time(alarm.raised_at)[:5]} {where}{text}{code}{origin}", class_=f"state-{state}"
    )
    inside = f"/alarms?unit={alarm.unit}&type={alarm.type}" if alarm.number > 1 else f"/alarms/{alarm.id}"
    return link(inside, text_span) if context.account.may("cases") else text_span
