"""The cases behind a figure: all of them, to go through, act on and take away, for the unit and period chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from urllib.parse import quote

from fastapi import Depends, HTTPException, Request
from fastapi.responses import Response
from psycopg import Connection
from starlette.requests import HTTPConnection

from schemas.calendar import WorkCalendar, local_day
from schemas.cases import lateness
from schemas.indicators import CATALOGUE, Indicator
from schemas.indicators.label_texts import label_text
from schemas.text.dates import day_and_time
from services.board.live.cache import SharedCache
from services.board.live.query_pool import QueryPool
from services.board.pages.worklist.cases import life
from services.board.pages.worklist.worklist_rows import PATH as WORK
from services.board.pages.worklist.worklist_rows import late_by
from services.board.ui import exports
from services.board.ui.live_page import Asked, LivePage, PageContext, Pages, Places, context_of
from services.board.ui.markup import Html, link, table, tag
from services.board.ui.page_layout import ordinary, require_known
from services.board.ui.pagination import PAGE, ListQuery, page_number, pager
from services.board.ui.period_control import period_control
from services.board.ui.words import capital, name_of, unit_name
from services.kit import clock
from services.kit.facts import stored_calendars
from services.readings.cases_behind import MOST, CaseBehind, cases_behind, has_cases

KEPT_SECONDS = 15.0
HEADS = (
    "case_kind", "case", "case_procedure", "case_group", "unit", "case_channel", "received_at", "due", "ended_at",
    "late_days", "late_working_days", "case_status",
)  # fmt: skip
Found = tuple[Sequence[CaseBehind], WorkCalendar]


def cases_path(context: PageContext, code: str, unit: str | None, **other: str) -> str:
    """The address of the list for the unit and the period that the page is of."""
    return context.chosen.address(f"/figure/{code}/cases", unit=unit, **other)


def add(pages: Pages, reading: QueryPool, toolbar: Callable[[PageContext], Html]) -> None:
    """/figure/{code}/cases, and its files."""
    kept: SharedCache[Found] = SharedCache(KEPT_SECONDS)

    async def found(context: PageContext, indicator: Indicator, unit: str, most: int, after: int) -> Found:
        seen = context.account.scope() or None
        period = context.chosen.period(clock.now())

        def read(conn: Connection) -> Found:
            rows = cases_behind(conn, indicator, unit or None, period, seen, most, after)
            return rows, stored_calendars(conn).at(period.as_of)

        key = indicator.code, unit, context.chosen, seen, most, after
        return await kept.get(key, lambda: reading(read))

    @pages.page("/figure/{code}/cases", dependencies=[Depends(require_known)])
    async def of_cases(asked: HTTPConnection, code: str, unit: str = "") -> LivePage:
        context, indicator = _allowed(context_of(asked, pages.poller), code), CATALOGUE[code]
        query = _query(context, code, unit, page_number(asked.query_params))

        def body(at: Places) -> Html:
            tools = tag("div", toolbar(context), class_="wide")
            return tag("main", _head(context, indicator, unit), at["cases"], tools, class_="page work")

        async def ask() -> Found:
            return await found(context, indicator, unit, PAGE, PAGE * (query.page - 1))

        listed = Asked("cases", ask, lambda shown: _list(context, query, *shown), KEPT_SECONDS)
        return ordinary(context, query.address(), body, [listed], scripts=["work"])

    @pages.app.get("/figure/{code}/cases.{kind}", dependencies=[Depends(require_known)])
    async def taken_away(request: Request, code: str, kind: str, unit: str = "") -> Response:
        context, indicator = _allowed(context_of(request, pages.poller), code), CATALOGUE[code]
        if kind not in exports.MIME:
            raise HTTPException(404)
        rows, calendar = await found(context, indicator, unit, MOST, 0)
        heads, cells = [context.word(name) for name in HEADS], (_cells(context, row, calendar) for row in rows)
        content = await asyncio.to_thread(exports.as_file, kind, name_of(indicator, context.language), heads, cells)
        return exports.download(content, kind, f"{code}-{local_day(clock.now()):%Y%m%d}")


def _allowed(context: PageContext, code: str) -> PageContext:
    if not context.account.may("cases") or not has_cases(CATALOGUE[code]):
        raise HTTPException(404)
    return context


def _query(context: PageContext, code: str, unit: str, page: int) -> ListQuery:
    return ListQuery(f"/figure/{code}/cases", {"unit": unit, **context.chosen.params}, page=page)


def _head(context: PageContext, indicator: Indicator, unit: str) -> Html:
    period = context.chosen.period(clock.now())
    name = f"{context.word('cases_behind')}: {name_of(indicator, context.language)}"
    where = f"{unit_name(unit or None, context.language, period.last)} · {period.written}"
    opened = context.chosen.address(f"/figure/{indicator.code}", unit=unit or None)
    control = period_control(context, f"/figure/{indicator.code}/cases", unit=unit or None)
    back = link(opened, context.word("back_to_figure"))
    return tag("div", tag("h1", name), tag("p", where, " · ", back, class_="small"), control, class_="title")


def _list(context: PageContext, query: ListQuery, rows: Sequence[CaseBehind], calendar: WorkCalendar) -> Html:
    if not rows:
        return tag("p", context.word("no_cases_behind"), class_="none wide")
    listed = case_table(context, rows, calendar, chosen=True)
    files = tag("span", *exports.links(query, query.path))
    below = tag("div", pager(context, query, rows[0].number), files, class_="below wide")
    return Html(tag("section", listed, class_="panel wide") + below)


def case_table(context: PageContext, rows: Sequence[CaseBehind], calendar: WorkCalendar, chosen: bool = False) -> Html:
    """The cases as a table; `chosen`: open ones can be chosen, to be acted on."""
    heads = [context.word(w) for w in ("case", "unit", "case_group", "received_at", "due", "ended_at", "late")]
    return table(heads, (_row(context, row, calendar, chosen) for row in rows), class_="rows")


def _row(context: PageContext, c: CaseBehind, calendar: WorkCalendar, chosen: bool) -> list[object]:
    number, language, key = c.id.partition("@")[0], context.language, f"{c.kind}:{c.id}"
    box = tag("input", type="checkbox", name="item", value=key, id=f"c-{key}", aria_label=number)
    case = link(f"{WORK}/{c.kind}/{quote(c.id)}", number)
    return [
        Html(
            (box + " " if chosen and c.ended_at is None else "") + case + tag("div", c.procedure or "", class_="small")
        ),
        unit_name(c.unit, language),
        group_name(context, c),
        *(day_and_time(t) if t else "–" for t in (c.opened_at, c.due_at)),
        day_and_time(c.ended_at) if c.ended_at else context.word("still_open"),
        late_by(context, lateness(c.due_at, _end(c), calendar)),
    ]


def _end(c: CaseBehind) -> datetime:
    return c.ended_at or clock.now()


def group_name(context: PageContext, c: CaseBehind) -> str:
    """Its field or category in words."""
    return label_text("field" if c.kind == "dossier" else "category", c.group, context.language)


def _cells(context: PageContext, c: CaseBehind, calendar: WorkCalendar) -> list[exports.Cell]:
    late = lateness(c.due_at, _end(c), calendar)
    return [
        context.word(c.kind), c.id.partition("@")[0], c.procedure or "", group_name(context, c),
        unit_name(c.unit, context.language), label_text("channel", c.channel, context.language),
        c.opened_at, c.due_at or "", c.ended_at or "", late.days if late else "", late.working if late else "",
        capital(life(context, f"{c.kind}.{c.status}")),
    ]  # fmt: skip
