"""How do we know? A figure opened: formula, period, every part with its value, sources, findings, events behind it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from fastapi import Depends
from nicegui import ui
from psycopg import Connection
from starlette.requests import Request

from schemas.indicators import CATALOGUE, Indicator
from schemas.indicators.in_words import in_words
from services.board.frame import Look, dress, header, keep_fresh, known, look_of, page
from services.board.markup import Html, link, table, tag
from services.board.public import shown_to
from services.board.spans import Span, period_of, today
from services.board.watch import Watch
from services.board.words import ago, day_and_time, days, name_of, number, signed, state_of, unit_name, why
from services.kit import clock
from services.readings import explain, findings
from services.readings.explain import Evidence, Explanation, Part
from services.readings.findings import Finding

SAMPLE = 20


def opened(
    conn: Connection, indicator: Indicator, unit: str | None, span: Span, now: datetime
) -> tuple[Explanation, list[Finding]]:
    """The figure's explanation, and the disagreements known of its system."""
    period = period_of(span, today(now), now)
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return explain(conn, indicator, unit, period, SAMPLE), findings(conn, now)


def masked(id: str) -> str:
    """An event's id without what would open a case: the unit and the year stay, the running number goes."""
    return re.sub(r"\d{3,}", lambda m: m[0][:2] + "•" * (len(m[0]) - 2), id)


def add(watch: Watch, reading: Callable[[Callable[[Connection], Any]], Any]) -> None:
    """The page `/figure/{code}`."""

    @page("/figure/{code}", dependencies=[Depends(known)])
    async def of_figure(request: Request, code: str, unit: str = "", span: Span = "month") -> None:
        look, now = look_of(request, watch), clock.now()
        dress(look)
        top = header(look, f"/figure/{code}")
        shown, found = await asyncio.to_thread(
            reading, lambda conn: opened(conn, CATALOGUE[code], unit or None, span, now)
        )
        shown = shown_to(look.account, shown, unit or None)
        ui.html(render(look, shown, found, str(request.url), now), sanitize=False)
        keep_fresh(look, top)


def render(look: Look, shown: Explanation, found: list[Finding], address: str, now: datetime) -> Html:
    """The page's content."""
    number_of_events = number(Decimal(shown.events), 0, look.language)
    formula = in_words(shown.reading.indicator.formula, look.language)
    panels = (
        ("formula", tag("p", formula, title=shown.formula, class_="formula"), _parts(look, shown.parts)),
        ("sources", _sources(look, shown, now)),
        ("findings", _findings(look, shown, found)),
        *((("events", _events(look, shown.sample)),) if look.account.may("cases") else ()),
    )
    return tag(
        "main",
        _head(look, shown, address),
        *(
            tag("section", tag("h2", look.word(key).format(number_of_events)), *inside, class_="panel wide")
            for key, *inside in panels
        ),
        class_="page",
    )


def _head(look: Look, shown: Explanation, address: str) -> Html:
    r, language = shown.reading, look.language
    exact = "" if r.value is None else f" ({look.word('exact')} {number(r.value, 6, language)})"
    as_of = f"{look.word('as_of')} {day_and_time(shown.period.as_of)}"
    back = link(f"/system/{r.indicator.system}", look.word("back"))
    return tag(
        "div",
        tag("h1", name_of(r.indicator, language)),
        tag("p", signed(r, language), class_=f"huge state-{state_of(r)}"),
        tag("p", f"{unit_name(shown.unit, language)} · {days(shown.period)} · {as_of}{exact}", class_="small"),
        tag("p", why(r.reason, language), class_="small"),
        tag("p", link(address, look.word("this_figure")), " · ", back, class_="small"),
        class_="title",
    )


def _parts(look: Look, parts: list[Part]) -> Html:
    return table([look.word("part"), look.word("role"), look.word("value")], (_part(look, p) for p in parts), (2,))


def _part(look: Look, part: Part) -> list[object]:
    told = in_words(part.of, look.language)
    name = tag("span", told, title=part.formula, style=f"padding-left: {part.depth * 1.4}em")
    role = look.word(f"role_{part.role}") if part.role else ""
    if part.value is None:
        return [name, role, why(part.reason, look.language)]
    return [name, role, number(part.value, 0 if part.value == part.value.to_integral_value() else 4, look.language)]


def _sources(look: Look, shown: Explanation, now: datetime) -> Html:
    heads = [look.word(w) for w in ("source", "number_events", "happened", "recorded")]
    language = look.language
    rows = (
        [
            s.source,
            number(Decimal(s.events), 0, language),
            *(ago(t, now, language) for t in (s.last_time, s.last_recorded)),
        ]
        for s in shown.sources
    )
    return table(heads, rows, (1,))


def _findings(look: Look, shown: Explanation, found: list[Finding]) -> Html:
    r = shown.reading.indicator
    told = [f for f in found if r.code in f.code or r.system in f.code]
    if not told:
        return tag("p", look.word("no_findings"), class_="none")
    return tag("ul", *(tag("li", f.vi if look.language == "vi" else f.en, f" ({f.missing})") for f in told))


def _events(look: Look, sample: list[Evidence]) -> Html:
    heads = [look.word(w) for w in ("when", "event", "unit", "source", "id")]
    return table(heads, (_event(look, e) for e in sample))


def _event(look: Look, e: Evidence) -> list[object]:
    own = look.account.may("cases") and look.account.sees(e.unit)
    return [day_and_time(e.time), e.type, e.unit, e.source, masked(e.id) if own else "•••"]
