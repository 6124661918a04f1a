"""How do we know? A figure opened: formula, period, every part with its value, sources, findings, events behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from fastapi import Depends
from psycopg import Connection
from starlette.requests import HTTPConnection

from schemas import units
from schemas.calendar import local_day
from schemas.codes import HIDDEN, masked_id
from schemas.indicators import CATALOGUE
from schemas.indicators.formula_text import formula_text
from schemas.text.dates import day_and_time
from services.board.access import is_few, is_sensitive
from services.board.live.cache import SharedCache
from services.board.live.query_pool import QueryPool
from services.board.pages.figures.figure_cases import cases_path
from services.board.pages.figures.said_findings import sentences, to_quality
from services.board.pages.figures.sealed import Carried, Sealed, sealed
from services.board.pages.figures.system_data import ranked
from services.board.ui.labels import event_cell, source_cell
from services.board.ui.live_page import Asked, LivePage, PageContext, Pages, context_of
from services.board.ui.markup import Html, link, table, tag
from services.board.ui.page_layout import of_content, ordinary, require_known, unreal
from services.board.ui.period_control import period_control
from services.board.ui.periods import PeriodChoice
from services.board.ui.redaction import count_for, of_when, shown_to
from services.board.ui.words import ago, aim, count, figure, name_of, number, signed, state_of, unit_name, why
from services.kit import clock
from services.readings import Reading, explain, findings, read
from services.readings.cases_behind import has_cases
from services.readings.explain import Evidence, Explanation, Part
from services.readings.finding import Finding

RATIO = ("numerator", "denominator")
SAMPLE = 20
KEPT_SECONDS = 5.0


@dataclass(frozen=True)
class Opened:
    """A figure opened: its explanation, the disagreements known then, the same of each unit in it, and the number that
    its links carry."""

    explanation: Explanation
    findings: Sequence[Finding]
    units: Sequence[Reading]
    link: Sealed | None


def opened(conn: Connection, code: str, unit: str | None, chosen: PeriodChoice, carried: Carried) -> Opened:
    """A figure of a period, without what is known to disagree."""
    period, indicator = chosen.period(clock.now()), CATALOGUE[code]
    by_unit = [r for r in read(conn, indicator, unit, period, "unit") if r.value is not None]
    explanation = explain(conn, indicator, unit, period, SAMPLE)
    return Opened(explanation, (), by_unit, sealed(conn, explanation, carried))


def add(pages: Pages, reading: QueryPool) -> None:
    """The page `/figure/{code}`."""
    kept: SharedCache[Opened] = SharedCache(KEPT_SECONDS)
    known: SharedCache[Sequence[Finding]] = SharedCache(KEPT_SECONDS)

    @pages.page("/figure/{code}", dependencies=[Depends(require_known)])
    async def of_figure(asked: HTTPConnection, code: str, unit: str = "", shown: str = "", seal: str = "") -> LivePage:
        context = of_when(context_of(asked, pages.poller), [CATALOGUE[code]])
        key = (code, unit or None, context.chosen, Carried(shown, seal))

        async def ask() -> Opened:
            as_of = context.chosen.as_of
            whole, found = await asyncio.gather(
                kept.get(key, lambda: reading(lambda conn: opened(conn, *key))),
                known.get(as_of, lambda: reading(lambda conn: findings(conn, as_of or clock.now()))),
            )
            return replace(whole, findings=found)

        def draw(found: Opened) -> Html:
            told = shown_to(context.account, found, not unit and context.chosen.whole)
            number = told.link if context.account.may("cases") else None  # to others no number is told exactly
            return render(context, told.explanation, told.findings, told.units, number)

        here = context.chosen.address(f"/figure/{code}", unit=unit or None, shown=shown or None, seal=seal or None)
        return ordinary(
            context, here, of_content, [Asked("content", ask, draw, title=name_of(CATALOGUE[code], context.language))]
        )


def render(
    context: PageContext,
    shown: Explanation,
    found: Sequence[Finding],
    by_unit: Sequence[Reading] = (),
    number: Sealed | None = None,
) -> Html:
    """The page's content: the figure in a sentence, of which units it is, then how it is made and of what. `number`:
    the one that its links carry."""
    number_of_events, cases = count(shown.events, context.language), context.account.may("cases")
    compared = cases or not is_sensitive(shown.reading.indicator)
    formula = formula_text(shown.reading.indicator.formula, context.language)
    panels = (
        *((("by_unit", _units(context, shown, by_unit)),) if len(by_unit) > 1 else ()),
        ("formula", tag("p", formula, title=shown.formula, class_="formula"), _parts(context, shown.parts)),
        ("sources", _sources(context, shown, shown.period.as_of)),
        *((("findings", _findings(context, shown, found)),) if compared else ()),
        *((("history" if shown.history else "events", _events(context, shown.sample)),) if cases else ()),
    )
    sections = (
        tag("section", tag("h2", context.word(key).format(number_of_events)), *inside, class_="panel wide")
        for key, *inside in panels
    )
    return Html("".join([_head(context, shown, number), *sections]))


def _sentence(context: PageContext, shown: Explanation) -> Html:
    """The figure as one would say it, and from where it is known."""
    r, language = shown.reading, context.language
    if r.value is None or not shown.events:
        return Html("")
    said = context.word("figure_sentence").format(
        name_of(r.indicator, language), figure(r, language), unit_name(shown.unit, language, shown.period.last),
        shown.period.written, count(shown.events, language), len(shown.sources),
    )  # fmt: skip
    if len(shown.parts) > 1 and (of := [p for p in shown.parts if p.depth == 1 and p.role in RATIO]):
        values = (number(p.value, 0, language) if p.value is not None else "–" for p in of)
        said += " " + context.word("figure_ratio").format(*values) if len(of) == len(RATIO) else ""
    return tag("p", said, class_="said-figure")


def _units(context: PageContext, shown: Explanation, by_unit: Sequence[Reading]) -> Html:
    """The same of each unit, the worst first, with the way to its cases."""
    code, told = shown.reading.indicator.code, [r for r in ranked(by_unit) if not is_few(r)]
    listed = has_cases(shown.reading.indicator) and context.account.may("cases")
    rows = (
        [
            link(context.chosen.address(f"/figure/{code}", unit=r.group), unit_name(r.group, context.language)),
            tag("span", signed(r, context.language), class_=f"state-{state_of(r)}"),
            link(cases_path(context, code, r.group), context.word("cases_of_unit"))
            if listed and context.account.sees(r.group)
            else "",
        ]
        for r in told
    )
    on_map = tag("p", link(context.chosen.address("/map", figure=code), context.word("figure_on_map")))
    return Html(table([context.word("unit"), context.word("value"), context.word("cases_behind")], rows, (1,)) + on_map)


def _head(context: PageContext, shown: Explanation, number: Sealed | None) -> Html:
    language = context.language
    r = replace(shown.reading, value=number.value, reason=None) if number and number.carried else shown.reading
    since = "" if r.printed == shown.reading.printed else figure(shown.reading, language)
    exact = "" if r.value is None or r.value == r.printed else _exact(context, r.value, r.indicator.unit)
    as_of = f"{context.word('as_of')} {day_and_time(shown.period.as_of)}"
    path, chosen = f"/figure/{r.indicator.code}", context.chosen
    told = context.account.may("cases") or not is_sensitive(r.indicator)
    lasting = (chosen.as_seen(shown.period.as_of) if told else chosen).address(path, unit=shown.unit)
    lasting = number.address(chosen, shown) if number else lasting
    back = link(chosen.address(f"/system/{r.indicator.system}", unit=shown.unit), context.word("back"))
    ways = [link(lasting, context.word("this_figure")), " · ", back]
    if has_cases(r.indicator) and context.account.may("cases"):
        ways = [link(cases_path(context, r.indicator.code, shown.unit), context.word("cases_all")), " · ", *ways]
    return tag(
        "div",
        tag("h1", name_of(r.indicator, language)),
        tag("p", signed(r, language), class_=f"huge state-{state_of(r)}"),
        tag(
            "p",
            f"{unit_name(shown.unit, language, shown.period.last)} · {shown.period.written} · {as_of}{exact}",
            f" · {context.word('target')} {aimed}{' %' * (r.indicator.unit == '%')}"
            if (aimed := aim(r, language))
            else "",
            class_="small",
        ),
        *([tag("p", tag("span", origin, class_="origin"))] if (origin := unreal(context, r.origins)) else []),
        tag("p", why(r.reason, language), class_="small"),
        tag("p", tag("strong", context.word("figure_since").format(since))) if since else "",
        _sentence(context, shown),
        tag("p", *ways, class_="small"),
        period_control(context, path, unit=shown.unit),
        class_="title",
    )


def _exact(context: PageContext, value: Decimal, unit: str) -> str:
    digits = number(value, 6, context.language)
    measured = context.word("time_minutes").format(digits) if unit == "minute" else digits
    return f" ({context.word('exact')} {measured})"


def _parts(context: PageContext, parts: list[Part]) -> Html:
    return table(
        [context.word("part"), context.word("role"), context.word("value")], (_part(context, p) for p in parts), (2,)
    )


def _part(context: PageContext, part: Part) -> list[object]:
    text = formula_text(part.of, context.language)
    name = tag("span", text, title=part.formula, class_=f"depth-{min(part.depth, 6)}")
    role = tag("span", context.word(f"role_{part.role}"), class_="role") if part.role else ""
    if part.value is None:
        return [name, role, why(part.reason, context.language)]
    return [name, role, number(part.value, 0 if part.value == part.value.to_integral_value() else 4, context.language)]


def _sources(context: PageContext, shown: Explanation, now: datetime) -> Html:
    heads = [context.word(w) for w in ("source", "number_events", "happened", "recorded")]
    language = context.language
    rows = (
        [
            source_cell(s.source, language),
            count_for(context.account, s.events, language),
            *(ago(t, now, language) for t in (s.last_time, s.last_recorded)),
        ]
        for s in shown.sources
    )
    return table(heads, rows, (1,))


def _findings(context: PageContext, shown: Explanation, found: Sequence[Finding]) -> Html:
    concerning = [f for f in found if _concerns(f, shown)]
    way = to_quality(context) if concerning and context.account.may("cases") else ""
    return Html(sentences(context, concerning) + way)


def _concerns(finding: Finding, shown: Explanation) -> bool:
    """Whether the figure rests on what disagrees, in its own units."""
    own = finding.unit is None or shown.unit is None or finding.unit in units.scope(shown.unit)
    return own and shown.reading.indicator.code in finding.figures


def _events(context: PageContext, sample: list[Evidence]) -> Html:
    heads = [context.word(w) for w in ("when", "event", "unit", "source", "id")]
    return table(heads, (_event(context, e) for e in sample))


def _event(context: PageContext, e: Evidence) -> list[object]:
    own = context.account.may("cases") and context.account.sees(e.unit)
    return [
        day_and_time(e.time),
        event_cell(e.type, context.language),
        unit_name(e.unit, context.language, local_day(e.time)),
        source_cell(e.source, context.language),
        (e.erased or masked_id(e.id)) if own else HIDDEN,
    ]
