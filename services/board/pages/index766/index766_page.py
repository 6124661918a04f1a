"""The page of index 766: its routes."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from fastapi import Depends, HTTPException, Request
from fastapi.responses import Response
from starlette.requests import HTTPConnection

from schemas import units
from schemas.calendar import local_day
from services.board.live.cache import SharedCache
from services.board.live.query_pool import QueryPool
from services.board.pages.actions.bulk_actions import toolbar
from services.board.pages.index766.index766_data import (
    DAYS,
    PATH,
    Choice,
    Course,
    Rules,
    Stand,
    all_units,
    may_see,
    stand,
)
from services.board.pages.index766.index766_view import ACTIONS, WORK, course_of_days, render
from services.board.ui import exports
from services.board.ui.live_page import (
    Asked,
    LivePage,
    PageContext,
    Pages,
    Places,
    context_of,
    not_yet,
    own_address,
    unit_of,
)
from services.board.ui.markup import Html, tag
from services.board.ui.page_layout import ordinary, require_known
from services.board.ui.pagination import page_number
from services.kit import clock
from services.readings.forecast import forecast
from services.readings.index766 import UnitIndex, total_of
from services.readings.index766_dossiers import Day, compared_by, course, of_dossiers
from services.readings.whatif import Shortest

AT_ONCE = 5
"""So many days are read in one question."""
FRESH_SECONDS, SLOW_SECONDS = 15.0, 600.0


def add(pages: Pages, reading: QueryPool) -> None:
    """/index766."""
    every: SharedCache[list[UnitIndex]] = SharedCache(FRESH_SECONDS)
    fresh: SharedCache[Stand] = SharedCache(FRESH_SECONDS)
    slow: SharedCache[Course] = SharedCache(SLOW_SECONDS)

    async def now_of(choice: Choice, cases: bool) -> Stand:
        everyone = await every.get((choice.rules, choice.period), lambda: reading(lambda conn: all_units(conn, choice)))
        key = (choice, cases)
        return await fresh.get(key, lambda: reading(lambda conn: stand(conn, choice, everyone, cases, clock.now())))

    async def read_days(choice: Choice) -> Course:
        """In several questions, so that none takes long."""
        period, days = choice.period.period(clock.now()), list[Day]()
        last = min(period.last, local_day(period.as_of))
        unit = choice.unit or None
        metrics = await reading(partial(compared_by, rules=choice.rules, unit=unit, day=last))
        for back in range(DAYS - AT_ONCE, -1, -AT_ONCE):
            end = last - timedelta(days=back)
            days += await reading(
                partial(course, rules=choice.rules, unit=unit, last=end, days=AT_ONCE, metrics=metrics)
            )
        ongoing = choice.ongoing(clock.now())
        ahead = await reading(partial(forecast, rules=choice.rules, unit=unit, as_of=clock.now())) if ongoing else None
        return Course(days, ahead)

    @pages.page(PATH, dependencies=[Depends(require_known)])
    async def of_index(asked: HTTPConnection, rules: Rules = "portal", component: str = "") -> LivePage:
        context = context_of(asked, pages.poller)
        by_dossier = {m for m, pair in total_of(rules).counts.items() if of_dossiers(pair)}
        opened = component if component in by_dossier else ""
        choice = Choice(unit_of(context, asked), rules, opened, context.chosen, page_number(asked.query_params))
        cases = may_see(context.account, choice.unit)

        def body(at: Places) -> Html:
            tools = tag("div", toolbar(context, ACTIONS, WORK), class_="wide") if cases else ""
            return tag("main", at["stand"], at["days"], tools, class_="page work")

        async def looked_back() -> Course:
            key = (choice.unit, choice.rules, choice.period, local_day(clock.now()))
            return await slow.get(key, lambda: read_days(choice))

        async def as_it_is() -> Stand:
            return await now_of(choice, cases)

        name = context.word("index766")
        stands = Asked("stand", as_it_is, lambda found: render(context, choice, found), FRESH_SECONDS, title=name)
        days = Asked("days", looked_back, lambda found: course_of_days(context, found), SLOW_SECONDS, not_yet)
        return ordinary(context, own_address(PATH, asked), body, [stands, days], scripts=["work"])

    @pages.app.get(f"{PATH}/list.csv")
    async def listed(request: Request, unit: str, rules: Rules = "portal") -> Response:
        context = context_of(request, pages.poller)
        if not may_see(context.account, known(unit)):
            raise HTTPException(404)
        shown = await now_of(Choice(unit, rules), True)
        content = file_of(context, shown.gains) if shown.gains else b""
        head = {"content-disposition": 'attachment; filename="index766.csv"', "cache-control": "no-store"}
        return Response(content, media_type="text/csv; charset=utf-8", headers=head)


def known(unit: str) -> str:
    """The code of a unit; "" for one that there is not."""
    try:
        return units.get(unit).code
    except units.UnknownUnit:
        return ""


def file_of(context: PageContext, gains: Shortest) -> bytes:
    """The shortest list as `ioc index766 whatif --file` reads it."""
    rows = (
        [one.dossier.unit, one.dossier.id, local_day(one.at).isoformat(), str(gained)]
        for one, gained in zip(gains.what_if.ended, gains.gained, strict=True)
    )
    return exports.as_csv(["unit", "dossier", "day", "gained"], rows)
