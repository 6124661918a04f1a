"""The quarantine on the board: what lies there, one message as it came, and what supervisors may do about it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import nats.errors
from fastapi.responses import RedirectResponse, Response
from nats.js import JetStreamContext
from psycopg_pool import AsyncConnectionPool
from starlette.requests import HTTPConnection, Request

from schemas import units
from schemas.envelope import REASONS, Invalid, refuse_personal
from schemas.text.dates import day_and_time
from services.board.access import Account
from services.board.auth import audit
from services.board.auth.middleware import fields_of, forbidden
from services.board.live.cache import SharedCache
from services.board.live.query_pool import QueryPool
from services.board.pages.quality import finding_rows, quality
from services.board.pages.quality.quality import Quality
from services.board.ui import phrases
from services.board.ui.flash import FlashMessages
from services.board.ui.live_page import Asked, LivePage, PageContext, Pages, Places, context_of, own_address
from services.board.ui.markup import Html, link, table, tag
from services.board.ui.page_layout import form, kept_from, ordinary
from services.board.ui.period_control import moment_control
from services.board.ui.words import Language, unit_name, word
from services.kit import clock, quarantine
from services.kit.errors import Unavailable
from services.kit.quarantine import Body, Lying, NothingThere

LATEST = 300
KEPT_SECONDS, BROKER_SECONDS = 60.0, 1.0
SHOWN = 20
"""So many messages are listed until a reason is chosen."""
SILENT = (nats.errors.Error, Unavailable, TimeoutError, OSError)


class RejectedEdit(NamedTuple):
    """What somebody wrote that could not be done, and why."""

    text: str
    problem: str


def add(pages: Pages, reading: QueryPool, pool: AsyncConnectionPool) -> None:
    """/quality and the quarantine below it."""
    app, poller = pages.app, pages.poller
    known: SharedCache[Quality] = SharedCache(KEPT_SECONDS)
    lies: SharedCache[list[Lying]] = SharedCache(KEPT_SECONDS)
    drafts, done = FlashMessages[RejectedEdit](), FlashMessages[str]()

    def broker() -> JetStreamContext:
        if poller.broker is None or not poller.broker.is_connected:
            raise Unavailable("no connection to the broker")
        return poller.broker.jetstream()

    async def waiting() -> list[Lying] | None:
        try:
            js = broker()
            async with asyncio.timeout(BROKER_SECONDS):
                return await lies.get("lies", lambda: quarantine.listed(js, LATEST), await quarantine.mark(js))
        except SILENT:
            return None

    async def looked(at: datetime | None) -> Quality:
        return await known.get(at, lambda: reading(lambda conn: quality.look_into(conn, at or clock.now())))

    @pages.page("/quality")
    async def of_quality(asked: HTTPConnection, code: str = "") -> LivePage:
        context = context_of(asked, poller)

        def body(at: Places) -> Html:
            said = done.take(asked.state.session)
            notice = tag("p", context.word(f"said_{_PAST[said]}"), class_="said", role="status") if said else ""
            title = tag("h1", context.word("quality"))
            head = tag("div", title, notice, moment_control(context, "/quality"), class_="title")
            return tag("main", head, at["content"], class_="page")

        async def ask() -> tuple[Quality, list[Lying] | None]:
            return await asyncio.gather(looked(context.chosen.as_of), waiting())

        def draw(found: tuple[Quality, list[Lying] | None]) -> Html:
            every, lying = found
            return render(context, every.seen_by(context.account), seen(lying, context.account), code)

        return ordinary(context, own_address("/quality", asked), body, [Asked("content", ask, draw)])

    @pages.page("/quality/quarantine/{seq}")
    async def of_one(asked: HTTPConnection, seq: int) -> LivePage:
        context = context_of(asked, poller)

        async def body(at: Places) -> Html:
            if not context.account.may("resubmit"):
                return nothing(context, "forbidden")
            try:
                found = await quarantine.get(broker(), seq)
                return one(context, *found, drafts.take((asked.state.session, seq)))
            except NothingThere:
                return nothing(context, "quarantine_gone")
            except SILENT:
                return nothing(context, "quarantine_closed")

        return ordinary(context, f"/quality/quarantine/{seq}", body)

    @app.post("/quality/findings/{key}/{deed}")
    async def about_finding(request: Request, key: str, deed: finding_rows.Deed) -> Response:
        account = request.state.account
        note = fields_of(await request.body()).get("note", "").strip()[:400]
        if not account.may(finding_rows.NEEDS[deed]) or (deed == "resolve" and not note):
            return forbidden()
        said: str = deed
        try:
            refuse_personal("note", note)
            async with pool.connection() as conn:
                if not await finding_rows.act(conn, account, key, deed, note):
                    return forbidden()
            known.clear()
        except Invalid:
            said = "personal"
        done.put(request.state.session, said)
        return RedirectResponse("/quality", 303)

    @app.post("/quality/quarantine/{seq}/{deed}")
    async def act(request: Request, seq: int, deed: str) -> Response:
        context, session = context_of(request, poller), request.state.session
        if deed not in DEEDS or not context.account.may("resubmit"):
            return forbidden()
        fields = fields_of(await request.body())
        try:
            lying, body = await quarantine.get(broker(), seq)
            if not opens(context.account, lying, body):
                return forbidden()
            prepared = DEEDS[deed](broker(), seq, body, fields, context.account)
            noted = prepared._replace(detail={**prepared.detail, "unit": lying.unit})
            await carry_out(pool, context.account, f"quarantine.{deed}", seq, noted)
        except (NothingThere, Invalid, ActionFailed, *SILENT) as error:
            drafts.put((session, seq), RejectedEdit(fields.get("event", ""), _why(error, context.language)))
            return RedirectResponse(f"/quality/quarantine/{seq}", 303)
        done.put(session, deed)
        return RedirectResponse("/quality", 303)


class ActionFailed(Exception):
    """What was asked for cannot be done, or nobody knows whether it was; the argument is a word of the board."""


class PreparedAction(NamedTuple):
    """A deed that nothing speaks against: what the audit says of it, and the way to do it."""

    detail: dict[str, str]
    do: Callable[[], Awaitable[object]]


async def carry_out(
    pool: AsyncConnectionPool, account: Account, action: str, seq: int, prepared: PreparedAction
) -> None:
    """Where nothing can be noted nothing is done; and what may have been done is noted as that."""
    async with pool.connection() as conn, conn.transaction():
        try:
            async with conn.transaction():
                await audit.note(conn, account, action, str(seq), prepared.detail)
                await prepared.do()
            return
        except SILENT:
            await audit.note(conn, account, action, str(seq), {**prepared.detail, "outcome": "unknown"})
    raise ActionFailed("quarantine_unknown")


def _resubmit(js: JetStreamContext, seq: int, body: Body, fields: dict[str, str], account: Account) -> PreparedAction:
    """Through the same door as every event; the mended event must be of a unit that is the account's own to mend."""
    text = fields.get("event", "").encode()
    mended = None if text.decode().split() == body.pretty().split() else text
    event = quarantine.event_of(body, mended)
    if not account.sees(event.unit):
        raise ActionFailed("not_yours")
    detail = {"event": event.id, "as": "it was" if mended is None else "mended"}
    return PreparedAction(detail, lambda: quarantine.resubmit(js, seq, mended, account.name))


def _discard(js: JetStreamContext, seq: int, body: Body, fields: dict[str, str], account: Account) -> PreparedAction:
    reason = fields.get("reason", "").strip()[:400]
    if not reason:
        raise ActionFailed("note_missing")
    refuse_personal("reason", reason)
    return PreparedAction({"reason": reason}, lambda: quarantine.discard(js, seq, reason, account.name))


DEEDS = {"resubmit": _resubmit, "discard": _discard}
"""What can be posted to `/quality/quarantine/<number>/<deed>`."""


def opens(account: Account, lying: Lying, body: Body) -> bool:
    """Whether the content is theirs to see: by the unit for which it came, and by those that it says it is of. (What it
    says may be the very thing that is wrong with it: a unit that there is not is nobody's.)"""
    named = {code for code in _UNIT.findall(body.pretty()) if code in UNITS}
    return account.sees(lying.unit) and all(account.sees(code) for code in named)


_UNIT = re.compile(r"""\bunit["']?\s*[:=]\s*["']?(\w+)""")
UNITS = frozenset(unit.code for unit in units.every())


def _why(error: Exception, language: Language) -> str:
    if isinstance(error, ActionFailed):
        return word(str(error), language)
    if isinstance(error, NothingThere):
        return word("quarantine_gone", language)
    if isinstance(error, Invalid):
        return word("still_invalid", language).format(
            f"{word(f'refused_{error.code}', language)}. {_said(error.reason, language)}"
        )
    return word("broker_refused", language).format(str(error) or type(error).__name__)


def seen(lying: Sequence[Lying] | None, account: Account) -> list[Lying] | None:
    """The messages of the account's units, the latest first; None where the broker does not answer."""
    return None if lying is None else [one for one in reversed(lying) if account.sees(one.unit)]


def render(context: PageContext, shown: Quality, lying: Sequence[Lying] | None, code: str) -> Html:
    """The page's content."""
    return quality.panels(context, shown, Html("") if context.chosen.as_of else _quarantine(context, lying, code))


_PAST = {
    "resubmit": "resubmitted", "discard": "discarded", "take": "finding_take", "resolve": "finding_resolve",
    "personal": "finding_personal",
}  # fmt: skip


def _quarantine(context: PageContext, lying: Sequence[Lying] | None, code: str) -> Html:
    name = context.word("quarantine").format("?" if lying is None else len(lying))
    means = tag("p", context.word("quarantine_means").format(LATEST), class_="small")
    if not lying:
        inside = tag("p", context.word("quarantine_closed" if lying is None else "quarantine_empty"), class_="none")
    else:
        chosen = [one for one in lying if code in ("", one.code)]
        heads = [context.word(w) for w in ("seq", "recorded", "unit", "reason")]
        shown = chosen if code else chosen[:SHOWN]
        rest = tag("p", context.word("quarantine_rest").format(len(chosen) - SHOWN), class_="small")
        listed = table(heads, (_row(context, one) for one in shown)) + (rest if len(chosen) > len(shown) else "")
        inside = Html(_codes(context, lying, code) + listed + kept_from(context, {"mend": "resubmit"}))
    return tag("section", tag("h2", name), means, inside, class_="panel wide", aria_label=name, tabindex=0)


def _codes(context: PageContext, lying: Sequence[Lying], code: str) -> Html:
    """The reasons to choose from."""
    ways = [("", context.word("map_any")), *((c, _refused(context, c)) for c in sorted({one.code for one in lying}))]
    links = (
        link(f"/quality?code={c}" if c else "/quality", name, aria_current="true" if c == code else None)
        for c, name in ways
    )
    return tag("div", tag("span", *links, class_="choice"), class_="choices")


def _row(context: PageContext, one: Lying) -> list[object]:
    name = link(f"/quality/quarantine/{one.seq}", one.seq) if context.account.may("resubmit") else one.seq
    moment = day_and_time(datetime.fromisoformat(one.recorded))
    return [
        name,
        moment,
        _unit(context, one.unit),
        tag("span", _refused(context, one.code), title=_said(one.reason, context.language)),
    ]


def _refused(context: PageContext, code: str) -> str:
    return context.word(f"refused_{code}") if code in REASONS else code


def _said(reason: str, language: Language) -> str:
    """What is wrong with an event, in the reader's language."""
    return phrases.translated(reason, REASONS_VI) if language == "vi" else reason


REASONS_VI = phrases.read(Path(__file__).with_name("reasons.toml"))


def _unit(context: PageContext, code: str) -> str:
    try:
        return unit_name(code, context.language)
    except KeyError:
        return code


def one(context: PageContext, lying: Lying, body: Body, draft: RejectedEdit | None) -> Html:
    """One message: why it lies here, as it came, and what can be done about it."""
    if not opens(context.account, lying, body):
        return nothing(context, "forbidden")
    rows = (
        ("reason_code", _refused(context, lying.code)),
        ("reason", _said(lying.reason, context.language)),
        ("subject", lying.subject),
        ("bytes", lying.size),
    )
    pairs = tag("dl", *(Html(tag("dt", context.word(k)) + tag("dd", v)) for k, v in rows), class_="pairs")
    return tag(
        "main",
        tag("div", tag("h1", context.word("quarantine_one").format(lying.seq)), _back(context), class_="title"),
        tag("p", draft.problem, class_="said problem wide", role="alert") if draft else "",
        tag("section", pairs, class_="panel wide"),
        tag(
            "section",
            tag("h2", context.word("as_it_came_masked" if "Ioc-Masked" in body.headers else "as_it_came")),
            tag("pre", body.pretty()),
            class_="panel",
        ),
        tag("section", *_forms(context, lying, body, draft), class_="panel"),
        class_="page",
    )


def _forms(context: PageContext, lying: Lying, body: Body, draft: RejectedEdit | None) -> tuple[Html, Html, Html, Html]:
    at, text = f"/quality/quarantine/{lying.seq}", draft.text if draft and draft.text else body.pretty()
    # A line break right after the tag is the parser's, not the text's.
    event = tag("textarea", f"\n{text}", name="event", rows=16, spellcheck="false", required="")
    mend = (tag("label", context.word("mended_event"), event), tag("button", context.word("resubmit"), class_="plain"))
    reason = tag("input", name="reason", required="", maxlength=400)
    drop = (tag("label", context.word("discard_note"), reason), tag("button", context.word("discard"), class_="plain"))
    return (
        tag("h2", context.word("mend")),
        form(context, f"{at}/resubmit", *mend, class_="mend"),
        tag("h2", context.word("discard")),
        form(context, f"{at}/discard", *drop, class_="mend"),
    )


def nothing(context: PageContext, said: str) -> Html:
    """A page that says only why there is nothing."""
    return tag("main", tag("p", context.word(said), role="alert"), _back(context), class_="page")


def _back(context: PageContext) -> Html:
    return tag("p", link("/quality", context.word("quality")), class_="small")
