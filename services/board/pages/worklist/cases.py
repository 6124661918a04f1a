"""One dossier or report: how it stands, what happened to it, who did what about it; and the letters printed for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from fastapi.responses import Response
from psycopg import Connection
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool
from starlette.requests import HTTPConnection

from schemas.calendar import local_day
from schemas.cases import Lateness, lateness
from schemas.fold import Fact, instant
from schemas.indicators.label_texts import LIFE, event_name, label_text
from schemas.offices import number_of
from schemas.report import ALIKE_DAYS, ALIKE_METRES, repeats
from schemas.sources import NOTICES
from schemas.text.dates import day_and_time
from services.board.auth import audit
from services.board.auth.audit import AuditRow
from services.board.auth.middleware import plain_page
from services.board.live.change_cache import ChangeCache
from services.board.live.query_pool import QueryPool
from services.board.pages.contacts.contacts_data import Contact, contact_of
from services.board.pages.contacts.contacts_page import call
from services.board.pages.worklist import apology, joining, worklist_data
from services.board.pages.worklist.worklist_data import Item, Row
from services.board.pages.worklist.worklist_rows import PATH, late_by
from services.board.ui.live_page import TICK_SECONDS, Asked, LivePage, PageContext, Pages, Places, context_of
from services.board.ui.markup import Html, link, table, tag
from services.board.ui.page_layout import form, ordinary
from services.board.ui.timeline import Step, history, timeline_of_case
from services.board.ui.words import WORDS, count, unit_name
from services.kit import clock
from services.kit.facts import stored_calendars, unpack

MOST_LETTERS = 200
OTHERS = 10
"""So many other late cases of the unit are listed."""


@dataclass(frozen=True)
class Case:
    """A case with its whole story. `waits`: how the worklist shows it; None where it needs nobody now. `letter`: an
    apology was written here; a source that gave a new date has its own. `others`: what else of its unit is late;
    `alike`: which open reports may be the same matter; `photos`: where some lie; `contact`: whom to call."""

    row: Row
    ended: datetime | None
    waits: Item | None
    facts: Sequence[Fact]
    steps: Sequence[Step]
    letter: bool = False
    late: Lateness | None = None
    others: Sequence[Item] = ()
    alike: Sequence[joining.Alike] = ()
    photos: Sequence[str] = ()
    contact: Contact | None = None


def case(conn: Connection, kind: str, id: str) -> Case | None:
    """The case; None where it is not known."""
    with conn.cursor(row_factory=class_row(Row)) as cursor:
        row = cursor.execute(_CASE, [kind, id]).fetchone()
    if row is None:
        return None
    ended = conn.execute("SELECT ended_at FROM entity WHERE kind = %s AND id = %s", [kind, row.id]).fetchone()
    facts = sorted((unpack(f) for f in row.facts or ()), key=lambda fact: fact.time)
    now, end = clock.now(), ended[0] if ended else None
    waits = worklist_data.item(conn, kind, row.id, now) if ended and end is None else None
    steps = timeline_of_case(conn, kind, row.id, row.cases or ())
    late = lateness(waits.due if waits else row.due_at, end or now, stored_calendars(conn).at(now))
    alike = joining.alike(conn, row.id) if kind == "report" else ()
    photos = [address for (address,) in conn.execute(_PHOTOS, [number_of(row.id)])] if kind == "report" else ()
    return Case(row, end, waits, facts, steps, late=late, alike=alike, photos=photos)


def add(
    pages: Pages,
    pool: AsyncConnectionPool,
    reading: QueryPool,
    toolbar: Callable[[PageContext, str], Html],
    waiting: Callable[[], Awaitable[Sequence[Item]]],
) -> None:
    """The pages. `waiting`: all that waits, as the worklist has read it."""

    async def ask(kind: str, id: str) -> Case | None:
        if kind not in ("dossier", "report"):
            return None
        found = await reading(lambda conn: case(conn, kind, id))
        if found:
            async with pool.connection() as conn:
                actions = [one for one in await audit.latest(conn, id) if one.action in (apology.DEED, joining.DEED)]
                contact = await contact_of(conn, found.row.unit)
            others = [i for i in await waiting() if i.unit == found.row.unit and i.late and i.key != f"{kind}:{id}"]
            letter = any(one.action == apology.DEED for one in actions)
            steps = joined(found.steps, actions)
            found = replace(found, steps=steps, letter=letter, others=others, contact=contact)
        return found

    @pages.page("/worklist/apology")
    async def letters(asked: HTTPConnection) -> LivePage | Response:
        context, codes = context_of(asked, pages.poller), asked.query_params.getlist("code")[:MOST_LETTERS]
        async with pool.connection() as conn:
            found = [made for code in codes if (made := await apology.given(conn, code))]
        found = [made for made in found if context.account.may("cases") and context.account.sees(made.unit)]
        if not found:
            return plain_page(404, "not_found")

        async def body(at: Places) -> Html:
            return apology.sheet(context, found)

        return LivePage(context, body, scripts=["work"])

    @pages.page("/worklist/{kind}/{id}")
    async def of_case(asked: HTTPConnection, kind: str, id: str) -> LivePage | Response:
        context = context_of(asked, pages.poller)
        if (found := await ask(kind, id)) is None or not context.account.sees(found.row.unit):
            return plain_page(404, "not_found")
        newest = ChangeCache(lambda: ask(kind, id), lambda: pages.poller.mark("procedures", "field"))

        async def at_hand() -> Case:
            return found

        def body(at: Places) -> Html:
            tools = tag("div", _chosen(found), toolbar(context, kind), class_="wide") if found.ended is None else ""
            return tag("main", tag("div", at["case"], class_="wide"), tools, class_="page work")

        shown = Asked("case", newest.get, lambda case: render(context, case), TICK_SECONDS, at_hand)
        return ordinary(context, f"/worklist/{kind}/{id}", body, [shown], scripts=["work"])


def joined(steps: Sequence[Step], actions: Sequence[AuditRow]) -> list[Step]:
    """The steps of a case's alarms and what was decided about it, the newest first."""
    decided = [
        Step(0, d.at, "joined", d.by, d.detail["into"])
        if d.action == joining.DEED
        else Step(0, d.at, "extended", d.by, f"{d.detail['day']}: {d.detail['reason']}")
        for d in actions
    ]
    return sorted([*steps, *decided], key=lambda step: step.at, reverse=True)


def _chosen(found: Case) -> Html:
    """What the tools of this page act on."""
    key = f"{found.row.kind}:{found.row.id}"
    return tag(
        "input", type="checkbox", name="item", value=key, checked="", hidden="", aria_label=number_of(found.row.id)
    )


def render(context: PageContext, found: Case) -> Html:
    """The page's content."""
    row, language = found.row, context.language
    facts: list[tuple[str, object]] = [
        ("unit", unit_name(row.unit, language)),
        ("case_contact", call(context, found.contact, row.unit)),
        ("case_procedure", " · ".join(filter(None, (row.procedure_name, row.state.get("procedure", ""))))),
        ("case_status", _status(context, row)),
        ("received_at", day_and_time(row.opened_at)),
        ("due", day_and_time(found.waits.due if found.waits else row.due_at) if row.due_at else ""),
        ("late", tag("strong", late_by(context, found.late), class_="state-bad") if found.late else ""),
        ("case_stage", context.word(f"stage_{found.waits.stage}") if found.waits else ""),
        ("case_step", _step(context, found)),
        ("case_holder", _holder(context, found)),
        ("case_group", _group(context, row)),
        ("case_channel", label_text("channel", row.state.get("channel", "counter"), language)),
        ("ended_at", day_and_time(found.ended) if found.ended else ""),
        ("case_photos", _photos(context, found.photos)),
        ("handler", unit_name(row.state["to_unit"], language) if "to_unit" in row.state else ""),
        *_more(context, row.state),
    ]
    summary = table(
        [context.word("what"), context.word("value")], ([context.word(key), value] for key, value in facts if value)
    )
    way = f"/worklist/apology?code={quote(row.id)}"
    letter = link(way, context.word("print_letters"), class_="plain") if found.letter else ""
    origin = "" if row.origin == "real" else tag("span", context.word(row.origin), class_="origin")
    return Html(
        tag(
            "div", tag("p", link("/worklist", context.word("worklist")), class_="small"),
            tag("h1", context.word(row.kind), " ", number_of(row.id)), tag("p", origin, " ", letter), class_="title",
        )
        + tag("section", tag("h2", context.word("how_it_stands")), summary, class_="panel")
        + _alike(context, found)
        + _others(context, found)
        + tag("section", tag("h2", context.word("who_did_what")), history(context, found.steps), class_="panel")
        + tag("section", tag("h2", context.word("what_happened")), _story(context, found), class_="panel")
    )  # fmt: skip


def _step(context: PageContext, found: Case) -> str:
    """The last that its people did, which is where it stands; the centre's notices are no step."""
    told = (fact for fact in found.facts if fact.event not in NOTICES)
    own = [fact for fact in told if not repeats(number_of(found.row.id), fact)]
    if not own or found.ended:
        return ""
    last = own[-1]
    return context.word("case_step_since").format(life(context, last.event), day_and_time(last.time))


def _photos(context: PageContext, addresses: Sequence[str]) -> Html:
    """Links to where the sender of a report has its photos; the board fetches none."""
    ways = (tag("a", f"{context.word('case_photo')} {n} ({urlsplit(address).hostname})", href=address, target="_blank",
                rel="noopener noreferrer") for n, address in enumerate(addresses, 1))  # fmt: skip
    return Html(" · ".join(ways))


def _status(context: PageContext, row: Row) -> str:
    """Where it stands; of a report that was joined to another, that it was."""
    joined = row.status == "refused" and row.state.get("duplicate_of")
    return (
        label_text("handling", "duplicate", context.language) if joined else life(context, f"{row.kind}.{row.status}")
    )


def _holder(context: PageContext, found: Case) -> str:
    """Who has it now: to whom it was given, or who took it; empty where it needs nobody."""
    if found.waits is None:
        return ""
    taken = (a.assignee or a.acknowledged_by or "" for a in found.waits.alarms)
    return ", ".join(dict.fromkeys(filter(None, taken))) or context.word("nobody")


def _group(context: PageContext, row: Row) -> str:
    """Its field or category."""
    kind = "field" if row.kind == "dossier" else "category"
    return label_text(kind, row.state[kind], context.language) if row.state.get(kind) else ""


def _others(context: PageContext, found: Case) -> Html:
    """What else of the unit is late, the longest first."""
    shown = sorted(found.others, key=lambda i: i.due)[:OTHERS]
    name = context.word("others_late").format(count(len(found.others), context.language))
    rows = (
        [link(f"{PATH}/{i.kind}/{quote(i.id)}", i.number), day_and_time(i.due), late_by(context, i.late)] for i in shown
    )
    listed = table([context.word(w) for w in ("case", "due", "late")], rows)
    every = link(f"{PATH}?{urlencode({'unit': found.row.unit, 'late': 'yes'})}", context.word("others_all"))
    inside = Html(listed + tag("p", every)) if shown else tag("p", context.word("others_none"), class_="none")
    return tag("section", tag("h2", name), inside, class_="panel")


def _report(id: str) -> Html:
    return link(f"{PATH}/report/{quote(id)}", number_of(id))


def _alike(context: PageContext, found: Case) -> Html:
    """Open reports of the kind nearby, each with a button that joins this one to it."""
    near = [a for a in found.alike if context.account.sees(a.unit)][:OTHERS]
    if not near or found.ended:
        return Html("")
    heads = [
        "report",
        "received_at",
        "distance",
        "unit",
        "case_duplicates",
        *(["joining"] if context.account.may("join") else []),
    ]
    rows = (
        [
            _report(a.id), day_and_time(a.opened_at), f"{round(a.metres)} m", unit_name(a.unit, context.language),
            a.duplicates or "", *([_join(context, a)] if context.account.may("join") else []),
        ]
        for a in near
    )  # fmt: skip
    hint = tag("p", context.word("alike_hint").format(round(ALIKE_METRES), ALIKE_DAYS.days), class_="small")
    listed = table([context.word(head) for head in heads], rows)
    return tag("section", tag("h2", context.word("alike")), hint, listed, class_="panel")


def _join(context: PageContext, other: joining.Alike) -> Html:
    into = tag("input", type="hidden", name="into", value=number_of(other.id))
    button = tag(
        "button",
        context.word("join_this"),
        class_="plain",
        aria_label=f"{context.word('join_this')}: {number_of(other.id)}",
    )
    return form(context, f"{PATH}/do/join", into, button, data_deed="")


def _more(context: PageContext, state: Mapping[str, Any]) -> list[tuple[str, object]]:
    """What not all cases have: a portal of origin, waits, a date promised again, another unit before, duplicates."""
    promised, received = state.get("promised"), state.get("received_by")
    again = context.word("promised_again").format(day_and_time(instant(promised))) if promised else ""
    portal = label_text("portal", state["portal"], context.language) if "portal" in state else ""
    by_code = f" ({context.word('case_portal_by_code')})" if state.get("portal_by") == "code" else ""
    return [
        ("case_portal", f"{portal}{by_code}"),
        ("case_waits", "; ".join(_wait(context, *wait) for wait in state.get("waits", ()))),
        ("case_promised", again),
        ("case_received_by", unit_name(received, context.language) if received else ""),
        ("case_duplicate_of", _report(master) if (master := state.get("duplicate_of")) else ""),
        ("case_duplicates", state.get("duplicates", "")),
    ]


def _wait(context: PageContext, reason: str, since: str, until: str | None) -> str:
    begun = day_and_time(instant(since))
    span = f"{begun} – {day_and_time(instant(until))}" if until else context.word("wait_from").format(begun)
    return context.word(f"wait_{reason}").format(span)


def life(context: PageContext, event: str) -> str:
    """An event in words."""
    text = LIFE.get(event)
    return text.said(context.language) if text else event_name(event, context.language)


def _story(context: PageContext, found: Case) -> Html:
    def told(fact: Fact) -> str | Html:
        if repeats(number_of(found.row.id), fact):
            return tag("span", context.word("report_joined"), " ", _report(fact.data["code"]))
        if fact.event in NOTICES and (stage := f"stage_{fact.data.get('stage', 'overdue')}") in WORDS:
            return context.word(stage)
        joined = fact.data.get("duplicate_of")
        return label_text("handling", "duplicate", context.language) if joined else life(context, fact.event)

    heads = [context.word(key) for key in ("when", "event", "unit")]
    rows = (
        [day_and_time(f.time), told(f), unit_name(f.unit, context.language, local_day(f.time))] for f in found.facts
    )
    return table(heads, rows)


_PHOTOS = "SELECT address FROM report_photo WHERE report = %s ORDER BY at, address"
_CASE = f"{worklist_data.SELECTED}, facts FROM case_row(%s, %s) WHERE opened_at IS NOT NULL"
