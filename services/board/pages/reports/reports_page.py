"""/reports: the issues of reports are listed, made, seen, downloaded, verified."""

from __future__ import annotations

import asyncio
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from fastapi import HTTPException
from fastapi.responses import RedirectResponse, Response
from psycopg_pool import AsyncConnectionPool
from starlette.requests import HTTPConnection, Request

from schemas import units
from schemas.calendar import local_day, month_end
from schemas.personal import find
from services.board.access import Account
from services.board.auth.middleware import fields_of, forbidden
from services.board.live.query_pool import QueryPool
from services.board.pages.reports import reports_view as view
from services.board.pages.reports.maker import Maker, NotMade, keep
from services.board.pages.reports.reports_view import PATH
from services.board.ui.flash import FlashMessages
from services.board.ui.live_page import LivePage, PageContext, Pages, Places, context_of
from services.board.ui.markup import Html
from services.board.ui.page_layout import ordinary
from services.kit import clock
from services.reports import issues, texts
from services.reports.formats import FORMATS
from services.reports.issues import Issue
from services.reports.tables import TABLES

TYPES = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "json": "application/json",
    "html": "text/html; charset=utf-8",
}  # fmt: skip
PREVIEW = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'",
    "x-frame-options": "SAMEORIGIN",
}
"""A report loads nothing; it may stand in a frame of the board's own."""
NUMBER = re.compile(r"[\w./-]{0,20}")
Said = tuple[str, str] | dict[str, Any]
"""A word with a reason, or what verifying found."""


def add(pages: Pages, reading: QueryPool, pool: AsyncConnectionPool, maker: Maker, words: Path | None) -> None:
    """The pages, and the forms on them. `words`: the office's own file of them."""
    app, poller, done = pages.app, pages.poller, FlashMessages[Said]()

    def said(context: PageContext, session: object) -> Html:
        if (told := done.take(session)) is None:
            return Html("")
        return view.notice(context, *told) if isinstance(told, tuple) else view.verdict(context, told)

    async def visible(account: Account, number: int) -> Issue | None:
        try:
            found = await reading(lambda conn: issues.get(conn, number))
        except issues.NoIssue:
            return None
        return found if may_see(account, found.unit) else None

    @pages.page(PATH)
    async def of_all(asked: HTTPConnection) -> LivePage:
        context = context_of(asked, poller)

        async def body(at: Places) -> Html:
            found = [one for one in await reading(issues.all_issues) if may_see(context.account, one.unit)]
            forms = await asyncio.to_thread(form_names, words)
            return view.overview(context, found, forms, month_before(), said(context, asked.state.session))

        return ordinary(context, PATH, body)

    @pages.page(f"{PATH}/{{number}}")
    async def of_one(asked: HTTPConnection, number: int) -> LivePage:
        context = context_of(asked, poller)

        async def body(at: Places) -> Html:
            found = await visible(context.account, number)
            if found is None:
                return view.nothing(context)
            return view.of_issue(context, found, found.words.form_names, said(context, asked.state.session))

        return ordinary(context, f"{PATH}/{number}", body)

    @app.post(f"{PATH}/make")
    async def make(request: Request) -> Response:
        account, session = request.state.account, request.state.session
        fields = fields_of(await request.body())
        unit = fields.get("unit") or None
        if not account.may("report") or not may_see(account, unit):
            return forbidden()
        month = read_month(fields.get("month", ""))
        span, number = fields.get("span", "month"), fields.get("number", "").strip()
        if (
            month is None
            or span not in view.SPANS
            or not NUMBER.fullmatch(number)
            or find(number)
            or (unit and not known(unit, month))
        ):
            done.put(session, ("report_bad_month", ""))
            return RedirectResponse(PATH, 303)
        try:
            made = await maker.make(unit, *around(month, view.SPANS[span]), number, fields.get("form", ""))
        except NotMade as problem:
            done.put(session, ("report_not_made", str(problem)))
            return RedirectResponse(PATH, 303)
        async with pool.connection() as conn:
            kept = await keep(conn, account, made)
        done.put(session, ("report_was_made" if kept.new else "report_was_there", ""))
        return RedirectResponse(f"{PATH}/{kept.issue.id}", 303)

    @app.post(f"{PATH}/{{number}}/verify")
    async def verify(request: Request, number: int) -> Response:
        if await visible(request.state.account, number) is None:
            return forbidden()
        try:
            done.put(request.state.session, await maker.verify(number))
        except NotMade as problem:
            done.put(request.state.session, ("report_not_made", str(problem)))
        return RedirectResponse(f"{PATH}/{number}", 303)

    @app.get(f"{PATH}/{{number}}/preview")
    async def preview(request: Request, number: int) -> Response:
        return await document(request, number, "html", PREVIEW)

    @app.get(f"{PATH}/{{number}}/file/{{kind}}")
    async def file(request: Request, number: int, kind: str) -> Response:
        name = f'attachment; filename="bao-cao-{number}.{kind}"'
        return await document(request, number, kind, {"content-disposition": name})

    async def document(request: Request, number: int, kind: str, head: dict[str, str]) -> Response:
        if kind not in FORMATS or await visible(request.state.account, number) is None:
            raise HTTPException(404)
        try:
            content = await maker.write(number, kind)
        except NotMade as problem:
            done.put(request.state.session, ("report_not_made", str(problem)))
            return RedirectResponse(f"{PATH}/{number}", 303)
        return Response(content, media_type=TYPES[kind], headers=head | {"cache-control": "no-store"})


def may_see(account: Account, unit: str | None) -> bool:
    """Whether a report of a unit (None: the whole locality) is an account's to see: it names what is in all of it."""
    return account.may("cases") and (not account.units if unit is None else account.sees(unit))


def form_names(words: Path | None) -> dict[str, str]:
    """Code of each form but the whole report -> its name; none where the office's file cannot be read, which whoever
    makes a report is told."""
    try:
        return texts.read(words, TABLES).form_names
    except (texts.WrongTexts, OSError):
        return {}


def month_before() -> date:
    """The first day of the last month that is over."""
    return (local_day(clock.now()).replace(day=1) - timedelta(days=1)).replace(day=1)


def read_month(text: str) -> date | None:
    """`2026-11` -> its first day; None for what is no month, or one that has not begun."""
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
    return first if first <= local_day(clock.now()) else None


def around(month: date, months: int) -> tuple[date, date]:
    """First and last day of the month, quarter, half or whole year (of so many `months`) that a month is in."""
    first = month.replace(month=month.month - (month.month - 1) % months)
    return first, month_end(first.replace(month=first.month + months - 1))


def known(unit: str, day: date) -> bool:
    """Whether there is such a unit in a month."""
    return any(one.code == unit for one in units.at(day))
