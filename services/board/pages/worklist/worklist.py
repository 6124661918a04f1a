"""The worklist: what is overdue or will be, a table to search, act on, share by its address and take away as a file."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import parse_qsl

from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse, Response
from psycopg import Connection
from psycopg_pool import AsyncConnectionPool
from starlette.requests import HTTPConnection

from schemas import units
from schemas.calendar import local_day
from schemas.field import REACHED
from schemas.text import collation
from services.board.access import Account, Action
from services.board.auth.middleware import fields_of, items_of
from services.board.live.change_cache import ChangeCache
from services.board.live.query_pool import QueryPool
from services.board.pages.actions.alarm_client import Alarm, AlarmClient, InvalidInput, Outcome, Target
from services.board.pages.actions.bulk_actions import answer, toolbar
from services.board.pages.worklist import apology, cases, joining, saved_filters
from services.board.pages.worklist.worklist_data import STAGES, Item, item, items
from services.board.pages.worklist.worklist_rows import PATH, SIGN, channel_name, file_of, group_name, row_of
from services.board.ui import exports
from services.board.ui.live_page import TICK_SECONDS, Asked, LivePage, PageContext, Pages, Places, context_of
from services.board.ui.markup import Html, link, tag
from services.board.ui.page_layout import ordinary
from services.board.ui.pagination import Listing, ListQuery, filters, heads, page_of, pager, unit_choices, units_over
from services.board.ui.period_control import of_now
from services.board.ui.words import SIGNS, count
from services.kit import clock, store

DEEDS_HERE: tuple[Action, ...] = ("acknowledge", "assign", "comment", "extend", "join")
OF_ONE_KIND = {"extend": ("dossier", "no_dossier"), "join": ("report", "no_report")}
"""Deed -> the one kind of case that it fits, and what is said of others."""
FILTERS_SECONDS = 0.2
"""The list waits no longer than this for the filters that somebody has put aside."""
MOST = 200
"""So many rows are acted on at a time at most."""
RANK = {stage: place for place, stage in enumerate(STAGES)}
LISTING: Listing[Item] = Listing(
    facets={
        "kind": lambda i: (i.kind,),
        "stage": lambda i: (i.stage,),
        "unit": lambda i: units_over(i.unit),
        "group": lambda i: (i.group,),
        "channel": lambda i: (i.channel,),
        "handling": lambda i: (i.handling,),
        "assignee": lambda i: i.assignees,
        "late": lambda i: ("yes" if i.late else "no",),
    },
    orders={
        "code": lambda i: i.number,
        "stage": lambda i: RANK[i.stage],
        "due": lambda i: i.due,
        "unit": lambda i: units.order(i.unit),
        "group": lambda i: i.group,
        "channel": lambda i: i.channel,
        "handling": lambda i: (i.handling, i.assignees),
    },
    text=lambda i: i.number,
)
COLUMNS = (
    ("code", "case"), ("stage", "case_stage"), ("due", "due"), ("unit", "unit"), ("group", "case_group"),
    ("channel", "case_channel"), ("handling", "case_handling"),
)  # fmt: skip


def visible(rows: Iterable[Item], account: Account) -> list[Item]:
    """The rows of the units whose cases the account sees."""
    scope = account.scope()
    return [row for row in rows if not account.units or row.unit in scope]


def add(pages: Pages, pool: AsyncConnectionPool, reading: QueryPool, alarm_client: AlarmClient) -> None:
    """The pages of the worklist, what is done there, and its files."""
    app, poller = pages.app, pages.poller

    async def read() -> list[Item]:
        return await reading(lambda conn: items(conn, clock.now()))

    shared = ChangeCache(read, lambda: poller.mark("procedures", "field"))
    extending, joins = apology.Extending(pool, reading), joining.Joining(pool, reading)

    @pages.page(PATH)
    async def shown(asked: HTTPConnection) -> LivePage:
        context, query = context_of(asked, poller), LISTING.parse(PATH, asked.query_params)

        async def body(at: Places) -> Html:
            rows = visible(await shared.at_hand(), context.account)
            try:
                async with asyncio.timeout(FILTERS_SECONDS), pool.connection() as conn:
                    kept = await saved_filters.of(conn, context.account)
            except store.OUTAGE:
                kept = []
            title = tag("div", _title(context, query, rows, kept), class_="wide")
            tools = tag("div", toolbar(context, DEEDS_HERE, PATH), class_="wide")
            return tag("main", title, tag("div", at["list"], class_="wide"), tools, class_="page work")

        def draw(found: Sequence[Item]) -> Html:
            return listed(context, query, visible(found, context.account))

        rows = Asked("list", shared.get, draw, TICK_SECONDS, shared.at_hand)
        return ordinary(context, query.address(), body, [rows], scripts=["work"])

    @app.get(PATH + "/export.{kind}")
    async def export(request: Request, kind: str) -> Response:
        context, query = context_of(request, poller), LISTING.parse(PATH, request.query_params)
        if kind not in exports.MIME:
            raise HTTPException(404)
        _allow(context.account, "cases")
        rows = LISTING.select(visible(await shared.get(), context.account), query)
        content = await asyncio.to_thread(file_of, kind, context, rows)
        return exports.download(content, kind, f"{context.word('worklist_file')}-{local_day(clock.now()):%Y%m%d}")

    @app.post(PATH + "/do/{deed}")
    async def do(request: Request, deed: str) -> Response:
        context = context_of(request, poller)
        if deed not in DEEDS_HERE:
            raise HTTPException(404)
        _allow(context.account, deed)
        body = await request.body()
        fields, keys = fields_of(body, "item"), items_of(body)[:MOST]
        try:
            targets = await reading(lambda conn: _targets(conn, keys, context.account))
            if deed in OF_ONE_KIND:
                kind, not_so = OF_ONE_KIND[deed]
                ids = [id for t in targets for of, _, id in [t.key.partition(":")] if of == kind]
                sent = "broker" not in poller.view.problems
                if deed == "extend":
                    day, reason = apology.wish(fields.get("day", ""), fields.get("note", ""), clock.now())
                    outcomes = await extending.do(ids, day, reason, context.account, sent)
                else:
                    outcomes = await joins.do(ids, fields.get("into", ""), context.account, sent)
                outcomes += [Outcome(t.key, False, not_so) for t in targets if not t.key.startswith(f"{kind}:")]
            else:
                outcomes = await alarm_client.do(deed, targets, fields, context.account)  # type: ignore[arg-type]
        except InvalidInput as wrong:
            return JSONResponse({"said": context.word(wrong.key), "rows": []}, 422)
        shared.forget()
        return answer(context, outcomes)

    cases.add(pages, pool, reading, tools_of, shared.at_hand)
    saved_filters.add(app, pool, PATH, lambda query: LISTING.parse(PATH, dict(parse_qsl(query))).query())


def tools_of(context: PageContext, kind: str) -> Html:
    """What can be done with one case."""
    fitting = [deed for deed in DEEDS_HERE if OF_ONE_KIND.get(deed, (kind,))[0] == kind]
    return toolbar(context, fitting, PATH)


def _allow(account: Account, action: Action) -> None:
    if not account.may(action):
        raise HTTPException(403)


def _targets(conn: Connection, keys: Sequence[str], account: Account) -> list[Target]:
    """What is acted on; 404 for all where one is not known, or not theirs to see."""
    found = []
    for key in keys:
        kind, _, id = key.partition(":")
        row = conn.execute("SELECT unit FROM entity WHERE kind = %s AND id = %s", [kind, id]).fetchone()
        if row is None or kind not in ("dossier", "report") or not account.sees(row[0]):
            raise HTTPException(404)
        case = item(conn, kind, id, clock.now())
        found.append(Target(key, row[0], [Alarm(a.id, a.acknowledged_by) for a in case.alarms] if case else []))
    if not found:
        raise InvalidInput("none_chosen")
    return found


def _title(context: PageContext, query: ListQuery, rows: Sequence[Item], kept: Sequence[tuple[str, str]]) -> Html:
    language = context.language
    choices = {
        "kind": (context.word("case_kind"), [(k, context.word(k)) for k in ("dossier", "report")]),
        "stage": (context.word("case_stage"), [(s, context.word(f"stage_{s}")) for s in STAGES]),
        "unit": (context.word("unit"), unit_choices(context, query, {r.unit for r in rows})),
        "group": (context.word("case_group"), _named({r.group: group_name(r, language) for r in rows})),
        "channel": (context.word("case_channel"), _named({r.channel: channel_name(r, language) for r in rows})),
        "handling": (context.word("case_handling"), [(h, context.word(f"handling_{h}")) for h in HANDLING]),
        "assignee": (context.word("assignee"), _named({who: who for r in rows for who in r.assignees})),
        "late": (context.word("late"), [(each, context.word(f"late_{each}")) for each in ("yes", "no")]),
    }
    return Html(
        tag("div", tag("h1", context.word("worklist")), saved_filters.shelf(context, query, kept), class_="title")
        + of_now(context, query.filters.get("unit"), ("dossiers_open_overdue", "reports_overdue"))
        + filters(context, query, choices, context.word("search_code"))
    )


HANDLING = ("open", "acknowledged", "assigned", "quiet")


def _named(names: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(names.items(), key=lambda pair: collation.key(pair[1]))


def listed(context: PageContext, query: ListQuery, rows: Sequence[Item]) -> Html:
    """The counts and the table, as of the rows."""
    found = LISTING.select(rows, query)
    files = tag("span", *exports.links(query, f"{PATH}/export"))
    first = tag("th", tag("input", type="checkbox", data_all="", aria_label=context.word("all_rows")), scope="col")
    head = tag("tr", first, *(tag("th", h, scope="col") for h in heads(context, query, COLUMNS, LISTING.orders)))
    body = [row_of(context, i) for i in page_of(found, query)]
    content = tag("table", tag("thead", head), tag("tbody", *body), class_="rows")
    if not found:
        content = tag("p", context.word("nothing_waits"), class_="none")
    return Html(
        _counts(context, query, rows)
        + tag("div", content, class_="panel")
        + tag("div", pager(context, query, len(found)), files, class_="below")
    )


def _counts(context: PageContext, query: ListQuery, rows: Sequence[Item]) -> Html:
    """How many wait in each stage: each is a way to exactly these."""
    numbers = {stage: sum(r.stage == stage for r in rows) for stage in STAGES}
    return tag("div", *(_count(context, query, stage, number) for stage, number in numbers.items()), class_="counts")


def _count(context: PageContext, query: ListQuery, stage: str, number: int) -> Html:
    state, here = SIGN[stage] if number else "neutral", query.filters.get("stage") == stage
    of = f"{context.word('report')}: " if stage in REACHED else ""
    return link(
        query.address(stage="" if here else stage),
        tag("b", f"{SIGNS[state]} {count(number, context.language)}".strip()), f" {of}{context.word(f'stage_{stage}')}",
        class_=f"count state-{state}", aria_current="true" if here else None,
    )  # fmt: skip
