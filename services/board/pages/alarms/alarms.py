"""The alarms: what rings, who has it, what was cleared today; each opens to its history, what to do, where to look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from urllib.parse import quote

from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse, Response
from psycopg import Connection
from psycopg_pool import AsyncConnectionPool
from starlette.requests import HTTPConnection

from schemas import units
from schemas.registry import SYSTEMS
from schemas.text import collation
from schemas.text.dates import day_and_time
from services.board.access import Account
from services.board.auth.accounts import Row as Person
from services.board.auth.accounts import able, suggested
from services.board.auth.middleware import fields_of, items_of, plain_page
from services.board.live.active_alarms import shared_words
from services.board.live.change_cache import ChangeCache
from services.board.live.query_pool import QueryPool
from services.board.pages.actions.alarm_client import DEEDS, Alarm, AlarmClient, InvalidInput, Target
from services.board.pages.actions.bulk_actions import answer, toolbar
from services.board.pages.alarms.alarm_course import Course, course_of, panel
from services.board.pages.alarms.alarm_groups import Group, grouped, numbers
from services.board.pages.alarms.alarms_data import MOST, SEVERITIES, Row, held, one, rows
from services.board.pages.contacts.contacts_data import Contact, contact_of
from services.board.pages.contacts.contacts_page import call
from services.board.ui.live_page import TICK_SECONDS, Asked, LivePage, PageContext, Pages, Places, context_of
from services.board.ui.markup import Html, link, table, tag
from services.board.ui.page_layout import ordinary
from services.board.ui.pagination import Listing, ListQuery, filters, heads, page_of, pager, unit_choices, units_over
from services.board.ui.period_control import of_now
from services.board.ui.timeline import Step, author, history
from services.board.ui.words import Language, count, system_name, unit_name
from services.kit import clock
from services.kit.settings import Settings

PATH = "/alarms"
STATUSES = ("active", "acknowledged", "assigned", "cleared")
SIGNS = {"critical": ("▲", "bad"), "warning": ("●", "watch"), "info": ("", "neutral")}
MOST_AT_ONCE = 200
COURSE_SECONDS = 60.0


LISTING: Listing[Row] = Listing(
    facets={
        "status": lambda r: (r.status,),
        "severity": lambda r: (r.severity,),
        "system": lambda r: (r.system,),
        "unit": lambda r: units_over(r.unit),
        "type": lambda r: (r.type,),
    },
    orders={
        "severity": lambda r: SEVERITIES.index(r.severity),
        "raised": lambda r: r.raised_at,
        "unit": lambda r: units.order(r.unit),
        "system": lambda r: r.system,
        "status": lambda r: (STATUSES.index(r.status), collation.key(r.assignee or "")),
    },
    text=lambda r: f"{r.vi} {r.en} {r.originator}",
)
COLUMNS = (
    ("severity", "severity"), ("alarm", "alarm"), ("raised", "since_when"), ("unit", "unit"), ("system", "system"),
    ("status", "alarm_status"),
)  # fmt: skip


def add(
    pages: Pages, settings: Settings, reading: QueryPool, pool: AsyncConnectionPool, alarm_client: AlarmClient
) -> None:
    """The pages, and what is done there."""
    app, poller = pages.app, pages.poller

    async def read() -> list[Row]:
        return await reading(lambda conn: rows(conn, clock.now()))

    shared = ChangeCache(read, poller.mark)

    @pages.page(PATH)
    async def shown(asked: HTTPConnection) -> LivePage:
        context, query = context_of(asked, poller), LISTING.parse(PATH, asked.query_params)

        async def body(at: Places) -> Html:
            found = _visible(await shared.at_hand(), context.account)
            title = tag("div", _title(context, query, found), class_="wide")
            tools = tag("div", toolbar(context, DEEDS, PATH), class_="wide")
            return tag("main", title, tag("div", at["list"], class_="wide"), tools, class_="page work")

        rows = Asked("list", shared.get, lambda found: _whole(context, query, found), TICK_SECONDS, shared.at_hand)
        return ordinary(context, query.address(), body, [rows], scripts=["work"])

    @pages.page(PATH + "/{id}")
    async def of_one(asked: HTTPConnection, id: int) -> LivePage | Response:
        context = context_of(asked, poller)

        async def ask() -> tuple[Row, list[Step]] | None:
            return await reading(lambda conn: one(conn, id))

        def may_give(row: Row) -> bool:
            return context.account.may("assign") and row.status == "active"

        opened = await ask()
        if opened is None or not opened[0].seen_by(context.account):
            return plain_page(404, "not_found")

        async with pool.connection() as conn:
            contact = await contact_of(conn, opened[0].unit) if opened[0].unit != "all" else None
            people = await able(conn, units_over(opened[0].unit)) if may_give(opened[0]) else []
        owner = suggested(people, opened[0].unit, await reading(held)) if people else None

        async def at_hand() -> tuple[Row, list[Step]]:
            return opened

        def body(at: Places) -> Html:
            box = tag("input", type="checkbox", name="item", value=f"alarm:{id}", checked="", hidden="")
            active, name = opened[0].status != "cleared", owner.name if owner else ""
            tools = tag("div", box, toolbar(context, DEEDS, PATH, name), class_="wide") if active else ""
            content = (tag("div", at[place], class_="wide") for place in ("alarm", "course"))
            return tag("main", *content, tools, class_="page work")

        def draw(found: tuple[Row, list[Step]]) -> Html:
            return render(context, *found, settings, contact, owner if may_give(found[0]) else None)

        newest = ChangeCache(ask, poller.mark)
        shown = Asked("alarm", newest.get, draw, TICK_SECONDS, at_hand)

        async def ask_course() -> Course | None:
            return await reading(lambda conn: course_of(conn, opened[0], context.account, clock.now()))

        course = Asked("course", ask_course, partial(panel, context, opened[0]), COURSE_SECONDS)
        return ordinary(context, f"{PATH}/{id}", body, [shown, course], scripts=["work"])

    @app.post(PATH + "/do/{deed}")
    async def do(request: Request, deed: str) -> Response:
        context = context_of(request, poller)
        if deed not in DEEDS:
            raise HTTPException(404)
        if not context.account.may(deed):
            raise HTTPException(403)
        body = await request.body()
        fields, keys = fields_of(body, "item"), items_of(body)[:MOST_AT_ONCE]
        try:
            targets = await reading(lambda conn: _targets(conn, keys, context.account))
            outcomes = await alarm_client.do(deed, targets, fields, context.account)
        except InvalidInput as wrong:
            return JSONResponse({"said": context.word(wrong.key), "rows": []}, 422)
        shared.forget()
        return answer(context, outcomes)


def _whole(context: PageContext, query: ListQuery, found: Sequence[Row]) -> Html:
    """What of the list this account sees, and that there is more than was read."""
    cut = tag("p", context.word("alarms_cut").format(count(MOST, context.language)), class_="state-bad")
    return Html((cut if len(found) > MOST else "") + listed(context, query, _visible(found[:MOST], context.account)))


def _visible(found: Iterable[Row], account: Account) -> list[Row]:
    scope = account.scope()
    return [r for r in found if not account.units or r.unit in scope or (r.unit == "all" and r.entity is None)]


def _targets(conn: Connection, keys: Sequence[str], account: Account) -> list[Target]:
    """What is acted on; 404 for all where one is not known or not theirs, 403 where it is the whole locality's."""
    found = []
    for key in keys:
        members = [_target(conn, number, account) for number in numbers(key)[:MOST_AT_ONCE]]
        found.append(Target(key, members[0].unit, [Alarm(row.id, row.acknowledged_by) for row in members]))
    if not found:
        raise InvalidInput("none_chosen")
    return found


def _target(conn: Connection, number: int, account: Account) -> Row:
    known = one(conn, number)
    if known is None or not known[0].seen_by(account):
        raise HTTPException(404)
    if not account.sees(known[0].unit):
        raise HTTPException(403)
    return known[0]


def _named(context: PageContext, row: Row) -> str:
    return unit_name(None if row.unit == "all" else row.unit, context.language)


def _system(context: PageContext, slug: str) -> str:
    return system_name(slug, context.language) if slug in SYSTEMS else context.word("platform")


def _text(context: PageContext, row: Row) -> str:
    return row.vi if context.language == "vi" else row.en


def _title(context: PageContext, query: ListQuery, found: Sequence[Row]) -> Html:
    def named(names: Mapping[str, str]) -> list[tuple[str, str]]:
        return sorted(names.items(), key=lambda pair: collation.key(pair[1]))

    choices = {
        "status": (context.word("alarm_status"), [(s, context.word(f"alarm_{s}")) for s in STATUSES]),
        "severity": (context.word("severity"), [(s, context.word(f"severity_{s}")) for s in SEVERITIES]),
        "system": (context.word("system"), named({r.system: _system(context, r.system) for r in found})),
        "unit": (context.word("unit"), unit_choices(context, query, {r.unit for r in found})),
        "type": (context.word("case_kind"), named(types_of(found, context.language))),
    }
    form = filters(context, query, choices, context.word("search_alarm"))
    now = of_now(context, query.filters.get("unit"))
    return Html(tag("div", tag("h1", context.word("alarms")), class_="title") + now + form)


def types_of(found: Sequence[Row], language: Language) -> dict[str, str]:
    """type -> what alarms of it are called: the words that their texts begin with alike."""
    texts: dict[str, list[str]] = {}
    for row in found:
        texts.setdefault(row.type, []).append(row.vi if language == "vi" else row.en)
    return {type: shared_words(each) for type, each in texts.items()}


def listed(context: PageContext, query: ListQuery, found: Sequence[Row]) -> Html:
    """The counts and the table."""
    chosen = grouped(LISTING.select(found, query), query)
    first = tag("th", tag("input", type="checkbox", data_all="", aria_label=context.word("all_rows")), scope="col")
    head = tag("tr", first, *(tag("th", h, scope="col") for h in heads(context, query, COLUMNS, LISTING.orders)))
    body = [_line(context, query, group) for group in page_of(chosen, query)]
    content = tag("table", tag("thead", head), tag("tbody", *body), class_="rows")
    if not chosen:
        content = tag("p", context.word("no_alarms"), class_="none")
    foot = tag("div", pager(context, query, len(chosen)), class_="below")
    return Html(_counts(context, query, found) + tag("div", content, class_="panel") + foot)


def _counts(context: PageContext, query: ListQuery, found: Sequence[Row]) -> Html:
    groups = grouped(found, query)

    def way(status: str) -> Html:
        here = query.filters.get("status") == status
        number = sum(group.head.status == status for group in groups)
        state = "state-bad" if status == "active" and number else ""
        shown = tag("b", count(number, context.language))
        return link(
            query.address(status="" if here else status), shown, " ", context.word(f"alarm_{status}"),
            class_=f"count {state}", aria_current="true" if here else None,
        )  # fmt: skip

    return tag("div", *map(way, STATUSES), class_="counts")


def _line(context: PageContext, query: ListQuery, group: Group) -> Html:
    r, number, grave = group.head, len(group.members), group.gravest.severity
    sign, state = SIGNS[grave]
    box = tag("input", type="checkbox", name="item", value=group.item, id=f"c-{r.id}", aria_label=f"{r.id}")
    origin = "" if r.origin == "real" else tag("span", context.word(r.origin), class_="origin")
    about = tag("div", group.about, " ", origin, class_="small")
    inside = query.address(unit=r.unit, type=r.type, status=r.status)
    said = shared_words([_text(context, member) for member in group.members])
    name = link(inside, f"{said}: {group.cases}") if number > 1 else link(f"{PATH}/{r.id}", said)
    cells = (
        tag("td", box if r.status != "cleared" else ""),
        tag("td", tag("span", f"{sign} {context.word(f'severity_{grave}')}".strip(), class_=f"state-{state}")),
        tag("td", name, about, class_="text"),
        tag("td", day_and_time(r.raised_at)),
        tag("td", _named(context, r)),
        tag("td", _system(context, r.system)),
        tag("td", _status(context, r)),
    )
    return tag("tr", *cells)


def _status(context: PageContext, r: Row) -> Html:
    by = r.cleared_by if r.status == "cleared" else r.assignee or r.acknowledged_by
    who = [author(context, by) if by else ""]
    if r.orphan:
        who.append(context.word("orphan_alarm"))
    if r.deadline and r.status != "cleared":
        who.append(f"{context.word('until')} {day_and_time(r.deadline)}")
    badge = tag("span", context.word(f"alarm_{r.status}"), class_=f"badge {r.status}")
    return Html(badge + tag("div", " · ".join(w for w in who if w), class_="small"))


def render(
    context: PageContext,
    r: Row,
    found: Sequence[Step],
    settings: Settings,
    contact: Contact | None = None,
    owner: Person | None = None,
) -> Html:
    """One alarm: how it stands, whom to call, who had better be given it, what to do, where to look, who did what."""
    sign, state = SIGNS[r.severity]
    unit = f"?unit={r.unit}" if r.unit != "all" else ""
    notifier = settings.notifier_url or f"http://127.0.0.1:{settings.notifier_port}"
    ways = [
        *([link(r.case, context.word("case"), " ", r.entity or "")] if r.case else []),
        *([link(f"/system/{r.system}{unit}", _system(context, r.system))] if r.system in SYSTEMS else []),
        tag("a", context.word("runbook"), href=f"{notifier}/runbooks/{quote(r.type)}", target="_blank", rel="noopener"),
    ]
    facts: list[tuple[str, object]] = [
        ("severity", tag("span", f"{sign} {context.word(f'severity_{r.severity}')}".strip(), class_=f"state-{state}")),
        ("alarm_status", _status(context, r)),
        ("system", _system(context, r.system)),
        ("unit", _named(context, r)),
        ("case_contact", call(context, contact, r.unit) if r.unit != "all" else ""),
        ("suggested_owner", f"{owner.full_name} ({owner.name})" if owner else ""),
        ("about_what", r.about),
        ("since_when", day_and_time(r.raised_at)),
        ("due", day_and_time(r.due_at) if r.due_at else ""),
        ("ended_at", day_and_time(r.cleared_at) if r.cleared_at else ""),
    ]
    summary = table(
        [context.word("what"), context.word("value")], ([context.word(key), value] for key, value in facts if value)
    )
    origin = "" if r.origin == "real" else tag("span", context.word(r.origin), class_="origin")
    do = r.do_vi if context.language == "vi" else r.do_en
    return Html(
        tag(
            "div", tag("p", link(PATH, context.word("alarms")), class_="small"), tag("h1", _text(context, r)),
            tag("p", origin), class_="title",
        )
        + tag("section", tag("h2", context.word("how_it_stands")), summary, class_="panel")
        + tag(
            "section", tag("h2", context.word("what_to_do")), tag("p", do or "–"),
            tag("ul", *(tag("li", way) for way in ways)), class_="panel",
        )
        + tag("section", tag("h2", context.word("who_did_what")), history(context, found), class_="panel")
    )  # fmt: skip
