"""The page of a system: all its figures for a period, against the same before, with charts, units and classes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from fastapi import Depends
from nicegui import ui
from psycopg import Connection
from starlette.requests import Request

from schemas.indicators import CATALOGUE, Indicator
from schemas.indicators.classes import CLASS_TITLES, MEASURED, in_words
from services.board.frame import Look, dress, header, keep_fresh, known, look_of, page
from services.board.kept import Kept
from services.board.markup import Html, link, table, tag
from services.board.public import shown_to
from services.board.sketch import bars
from services.board.spans import SPANS, STEPS, Against, Span, before, period_of, today
from services.board.watch import Watch
from services.board.words import (
    Language,
    days,
    figure,
    name_of,
    number,
    signed,
    state_of,
    system_name,
    unit_name,
    why,
    word,
)
from services.kit import clock
from services.readings import Period, Reading, read, sheet
from services.readings.evaluate import NotBrokenDown

WORKED_OFF = {"procedures": "dossier", "field": "report"}
"""The systems whose cases stand on the worklist."""


AGAIN_SECONDS, OLD_SECONDS = 5.0, 15.0
"""How often an open page looks whether its figures have changed, and how old they may grow if nothing came."""


@dataclass(frozen=True)
class Choice:
    """What the reader chose to see of a system."""

    system: str
    unit: str | None = None
    span: Span = "month"
    against: Against = "previous"
    ranked: str = ""

    def path(self, **other: str | None) -> str:
        """The address of this page, with something else chosen."""
        chosen = {"unit": self.unit, "span": self.span, "against": self.against, "ranked": self.ranked, **other}
        return f"/system/{self.system}?" + urlencode({k: v for k, v in chosen.items() if v})


@dataclass(frozen=True)
class Line:
    """An indicator's reading, and the reading of the same period before."""

    now: Reading
    then: Reading


@dataclass(frozen=True)
class Content:
    """All that a system's page shows, as of a moment."""

    period: Period
    earlier: Period
    lines: tuple[Line, ...]
    charts: tuple[tuple[Reading, ...], ...]
    ranking: tuple[Reading, ...]
    classes: tuple[tuple[Reading, ...], ...]


def indicators(system: str) -> tuple[Indicator, ...]:
    """The system's indicators, in the order of the catalogue."""
    return tuple(i for i in CATALOGUE.values() if i.system == system)


def content(conn: Connection, choice: Choice, now: datetime) -> Content:
    """Read what the page shows."""
    period = period_of(choice.span, today(now), now)
    earlier = before(choice.span, period, choice.against)
    every = indicators(choice.system)
    heads = [i for i in every if i.headline]
    ranked = CATALOGUE.get(choice.ranked, heads[0])
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        pairs = zip(sheet(conn, every, choice.unit, period), sheet(conn, every, choice.unit, earlier), strict=True)
        return Content(
            period,
            earlier,
            tuple(Line(a[0], b[0]) for a, b in pairs),
            tuple(map(tuple, sheet(conn, heads, choice.unit, period, STEPS[choice.span]))),
            tuple(_ranking(conn, ranked, choice.unit, period)),
            tuple(tuple(read(conn, i, choice.unit, period, i.classes)) for i in every if i.classes),
        )


def _ranking(conn: Connection, indicator: Indicator, unit: str | None, period: Period) -> list[Reading]:
    """By unit, the worst first; those without data at the end."""
    try:
        rows = read(conn, indicator, unit, period, "unit")
    except NotBrokenDown:
        return []
    known = [r for r in rows if r.value is not None]
    known.sort(key=lambda r: r.value or 0, reverse=indicator.better != "higher")
    return known + [r for r in rows if r.value is None]


def add(watch: Watch, reading: Callable[[Callable[[Connection], Any]], Any]) -> None:
    """The page `/system/{slug}`."""
    contents = Kept[Content](OLD_SECONDS)

    @page("/system/{slug}", dependencies=[Depends(known)])
    async def of_system(request: Request, slug: str, unit: str = "", span: Span = "month",
                        against: Against = "previous", ranked: str = "") -> None:  # fmt: skip
        look = look_of(request, watch)
        dress(look)
        choice = Choice(slug, unit or None, span, against, ranked)
        top = header(look, f"/system/{slug}")

        async def text() -> str:
            shown = await contents.get(
                (choice, watch.mark(slug)),
                lambda: asyncio.to_thread(reading, lambda conn: content(conn, choice, clock.now())),
            )
            return render(look, choice, shown_to(look.account, shown, choice.unit))

        place = ui.html(await text(), sanitize=False)

        async def follow() -> None:
            place.set_content(await text())

        keep_fresh(look, top)
        ui.timer(AGAIN_SECONDS, follow)


def render(look: Look, choice: Choice, shown: Content) -> Html:
    """The page's content."""
    language = look.language
    panels = [
        (look.word("all_figures"), _figures(look, choice, shown)),
        (look.word("by_unit"), _units(look, choice, shown.ranking)),
        *((name_of(c[0].indicator, language), _classes(c, language)) for c in shown.classes if c),
    ]
    return tag(
        "main",
        _title(look, choice, shown.period),
        tag("section", *(_chart(look, choice, c) for c in shown.charts), class_="charts"),
        *(tag("section", tag("h2", name), inside, class_="panel") for name, inside in panels),
        class_="page",
    )


def _title(look: Look, choice: Choice, period: Period) -> Html:
    return tag(
        "div",
        tag("h1", system_name(choice.system, look.language)),
        tag("p", f"{unit_name(choice.unit, look.language)} · {days(period)}", class_="small"),
        _choices(look, choice),
        class_="title",
    )


def _choices(look: Look, choice: Choice) -> Html:
    spans = [
        link(choice.path(span=s), look.word(f"span_{s}"), aria_current="true" if s == choice.span else None)
        for s in SPANS
    ]
    against = [
        link(choice.path(against=a), look.word(f"against_{a}"), aria_current="true" if a == choice.against else None)
        for a in ("previous", "year")
    ]
    back = [link(choice.path(unit=None), look.word("whole"))] if choice.unit else []
    return tag(
        "div", *back, tag("span", *spans, class_="choice"), tag("span", *against, class_="choice"), class_="choices"
    )


def _chart(look: Look, choice: Choice, readings: Sequence[Reading]) -> Html:
    name = name_of(readings[0].indicator, look.language)
    texts = [f"{r.group}: {figure(r, look.language)}" for r in readings]
    drawing = bars(
        [r.group[-2:] for r in readings], [r.printed for r in readings], texts, name, readings[0].indicator.target
    )
    inside = Html(drawing) if drawing else tag("p", look.word("no_data"), class_="none")
    return tag("figure", tag("figcaption", name), inside)


def _figures(look: Look, choice: Choice, shown: Content) -> Html:
    heads = [look.word(w) for w in ("figure", "value", "before", "change", "target", "know")]
    return table(heads, (_figure_row(look, choice, line) for line in shown.lines), (1, 2, 3, 4))


def _figure_row(look: Look, choice: Choice, line: Line) -> list[object]:
    r, language = line.now, look.language
    asked = urlencode({k: v for k, v in {"unit": choice.unit, "span": choice.span}.items() if v})
    measured = MEASURED.get(r.indicator.unit)
    unit = tag("span", f" {measured.said(language)}", class_="small") if measured and r.value is not None else ""
    return [
        name_of(r.indicator, language),
        Html(_value(look, r) + unit),
        figure(line.then, language),
        _change(line, language),
        _aim(r, language),
        link(f"/figure/{r.indicator.code}?{asked}", look.word("how"), class_="how"),
    ]


def _change(line: Line, language: Language) -> Html | str:
    """By how much it rose or fell (shares in points, all else in per cent), and whether that is good."""
    now, then = line.now.printed, line.then.printed
    if now is None or then is None or (not then and line.now.indicator.unit != "%"):
        return ""
    share = line.now.indicator.unit == "%"
    by = now - then if share else (now - then) / abs(then) * 100
    arrow = "↑" if by > 0 else "↓" if by < 0 else "→"
    text = f"{arrow} {number(abs(by), 2 if share else 1, language)} {word('points', language) if share else '%'}"
    judged = _judged(line.now.indicator, by)
    if not judged:
        return text
    return tag("span", f"{text} {word(judged, language)}", class_="state-good" if judged == "better" else "state-bad")


def _judged(indicator: Indicator, by: Decimal) -> str:
    """Whether a change is `better` or `worse`; empty where that cannot be said."""
    if not by or indicator.better is None:
        return ""
    return "better" if (by > 0) == (indicator.better == "higher") else "worse"


def _aim(r: Reading, language: Language) -> str:
    if r.indicator.target is None:
        return ""
    return f"{'≤' if r.indicator.better == 'lower' else '≥'} {r.indicator.target.normalize():f}".replace(
        ".", "," if language == "vi" else "."
    )


def _units(look: Look, choice: Choice, ranking: Sequence[Reading]) -> Html:
    chosen = ranking[0].indicator if ranking else None
    heads = [
        link(choice.path(ranked=i.code), name_of(i, look.language), aria_current="true" if i == chosen else None)
        for i in indicators(choice.system)
        if i.headline
    ]
    largest = max((abs(r.value) for r in ranking if r.value is not None), default=Decimal(0))
    kind = WORKED_OFF.get(choice.system) if look.account.may("cases") else None
    rows = ([_unit_link(look, choice, r.group, kind), _value(look, r), _bar(r, largest)] for r in ranking)
    columns = [look.word("unit"), look.word("value"), look.word("share")]
    return Html(tag("div", *heads, class_="choices choice") + table(columns, rows, (1,)))


def _bar(r: Reading, largest: Decimal) -> Html:
    """A value as a bar, against the largest of its table."""
    width = float(abs(r.value) / largest * 100) if r.value is not None and largest else 0.0
    inside = tag("rect", width=f"{width:.1f}", height="10")
    return tag("svg", inside, viewBox="0 0 100 10", preserveAspectRatio="none", class_="hbar", aria_hidden="true")


def _value(look: Look, r: Reading) -> Html:
    reason = why(r.reason, look.language) or None
    return tag("span", signed(r, look.language), class_=f"state-{state_of(r)}", title=reason)


def _unit_link(look: Look, choice: Choice, code: str, kind: str | None) -> Html:
    """The unit's own figures, and its cases for who may see them."""
    own = link(choice.path(unit=code), unit_name(code, look.language))
    if kind is None or not look.account.sees(code):
        return own
    name = f"{look.word('to_worklist')}: {unit_name(code, look.language)}"
    work = link(f"/worklist?kind={kind}&unit={code}", look.word("to_worklist"), class_="small", aria_label=name)
    return Html(f"{own} · {work}")


def _classes(readings: Sequence[Reading], language: Language) -> Html:
    """The values of a class in words, the largest first."""
    label = readings[0].indicator.classes or ""
    ordered = sorted(readings, key=lambda r: r.value or 0, reverse=True)
    largest = max((abs(r.value) for r in ordered if r.value is not None), default=Decimal(0))
    rows = ([in_words(label, r.group, language), figure(r, language), _bar(r, largest)] for r in ordered)
    return table([CLASS_TITLES[label].said(language), word("value", language), word("share", language)], rows, (1,))
