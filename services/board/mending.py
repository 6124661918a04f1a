"""The quarantine on the board: what lies there, one message as it came, and what supervisors may do about it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import nats.errors
from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response
from nats.js import JetStreamContext
from nicegui import ui
from psycopg import Connection
from psycopg_pool import AsyncConnectionPool
from starlette.requests import Request

from schemas.envelope import REASONS, Invalid
from schemas.registry import parse
from services.board import audit, quality
from services.board.access import Account
from services.board.doors import fields_of, forbidden
from services.board.frame import Look, dress, form, header, keep_fresh, look_of, page
from services.board.kept import Kept
from services.board.markup import Html, link, table, tag
from services.board.quality import Quality
from services.board.watch import Watch
from services.board.words import Language, day_and_time, unit_name, word
from services.kit import clock, quarantine
from services.kit.errors import Unavailable
from services.kit.quarantine import Body, Lying, NothingThere

LATEST = 300
KEPT_SECONDS = 60.0
MOST_DRAFTS = 50
SILENT = (nats.errors.Error, Unavailable, TimeoutError, OSError)


class Draft(NamedTuple):
    """What somebody wrote that could not be done, and why."""

    text: str
    problem: str


def add(
    app: FastAPI, watch: Watch, reading: Callable[[Callable[[Connection], Any]], Any], pool: AsyncConnectionPool
) -> None:
    """/quality and the quarantine below it. `reading` asks the database in a thread's own connection."""
    kept: Kept[Quality] = Kept(KEPT_SECONDS)
    drafts: OrderedDict[tuple[str, int], Draft] = OrderedDict()

    def broker() -> JetStreamContext:
        if watch.broker is None or not watch.broker.is_connected:
            raise Unavailable("no connection to the broker")
        return watch.broker.jetstream()

    @page("/quality")
    async def of_quality(request: Request, said: str = "", code: str = "") -> None:
        look, now = look_of(request, watch), clock.now()
        dress(look)
        top = header(look, "/quality")
        every = await kept.get("quality", lambda: asyncio.to_thread(reading, lambda c: quality.look_into(c, now)))
        try:
            lying: Sequence[Lying] | None = await quarantine.listed(broker(), LATEST)
        except SILENT:
            lying = None
        shown = every.seen_by(look.account)
        ui.html(render(look, shown, seen(lying, look.account), code, said), sanitize=False)
        keep_fresh(look, top)

    @page("/quality/quarantine/{seq}")
    async def of_one(request: Request, seq: int) -> None:
        look = look_of(request, watch)
        dress(look)
        top = header(look, "/quality")
        try:
            found = await quarantine.get(broker(), seq)
            content = one(look, *found, drafts.pop((request.state.session, seq), None))
        except NothingThere:
            content = nothing(look, "quarantine_gone")
        except SILENT:
            content = nothing(look, "quarantine_closed")
        ui.html(content if look.account.may("resubmit") else nothing(look, "forbidden"), sanitize=False)
        keep_fresh(look, top)

    @app.post("/quality/quarantine/{seq}/{deed}")
    async def act(request: Request, seq: int, deed: str) -> Response:
        account, told = request.state.account, fields_of(await request.body())
        look = look_of(request, watch)
        if deed not in DEEDS or not account.may("resubmit"):
            return forbidden()
        try:
            lying, body = await quarantine.get(broker(), seq)
            if not account.sees(lying.unit):
                return forbidden()
            detail = await DEEDS[deed](broker(), seq, body, told, account)
        except (NothingThere, Invalid, NotDone, *SILENT) as error:
            drafts[request.state.session, seq] = Draft(told.get("event", ""), _why(error, look.language))
            while len(drafts) > MOST_DRAFTS:
                drafts.popitem(last=False)
            return RedirectResponse(f"/quality/quarantine/{seq}", 303)
        async with pool.connection() as conn:
            await audit.note(conn, account, f"quarantine.{deed}", str(seq), detail)
        return RedirectResponse(f"/quality?said={deed}", 303)


class NotDone(Exception):
    """What was asked for cannot be done; the argument is a word of the board."""


async def _resubmit(
    js: JetStreamContext, seq: int, body: Body, told: dict[str, str], account: Account
) -> dict[str, str]:
    """Through the same door as every event; the mended event must be of a unit that is the account's own to mend."""
    text = told.get("event", "").encode()
    mended = None if text.decode().split() == body.pretty().split() else text
    if not account.sees(parse(body.data if mended is None else mended, clock.now()).unit):
        raise NotDone("not_yours")
    id = await quarantine.resubmit(js, seq, mended, account.name)
    return {"event": id, "as": "it was" if mended is None else "mended"}


async def _discard(
    js: JetStreamContext, seq: int, body: Body, told: dict[str, str], account: Account
) -> dict[str, str]:
    reason = told.get("reason", "").strip()[:400]
    if not reason:
        raise NotDone("note_missing")
    await quarantine.discard(js, seq, reason, account.name)
    return {"reason": reason}


DEEDS = {"resubmit": _resubmit, "discard": _discard}
"""What can be posted to `/quality/quarantine/<number>/<deed>`."""


def _why(error: Exception, language: Language) -> str:
    if isinstance(error, NotDone):
        return word(str(error), language)
    if isinstance(error, NothingThere):
        return word("quarantine_gone", language)
    if isinstance(error, Invalid):
        return word("still_invalid", language).format(f"{word(f'refused_{error.code}', language)}. {error.reason}")
    return word("broker_refused", language).format(str(error) or type(error).__name__)


def seen(lying: Sequence[Lying] | None, account: Account) -> list[Lying] | None:
    """The messages of the account's units, the latest first; None where the broker does not answer."""
    return None if lying is None else [one for one in reversed(lying) if account.sees(one.unit)]


def render(look: Look, shown: Quality, lying: Sequence[Lying] | None, code: str, said: str) -> Html:
    """The page's content."""
    told = tag("p", look.word(f"said_{_PAST[said]}"), class_="said", role="status") if said in _PAST else ""
    return tag(
        "main",
        tag("div", tag("h1", look.word("quality")), told, class_="title"),
        _quarantine(look, lying, code),
        quality.panels(look, shown),
        class_="page",
    )


_PAST = {"resubmit": "resubmitted", "discard": "discarded"}


def _quarantine(look: Look, lying: Sequence[Lying] | None, code: str) -> Html:
    name = look.word("quarantine").format("?" if lying is None else len(lying))
    means = tag("p", look.word("quarantine_means").format(LATEST), class_="small")
    if not lying:
        inside = tag("p", look.word("quarantine_closed" if lying is None else "quarantine_empty"), class_="none")
    else:
        chosen = [one for one in lying if code in ("", one.code)]
        heads = [look.word(w) for w in ("seq", "recorded", "unit", "field", "reason")]
        inside = Html(_codes(look, lying, code) + table(heads, (_row(look, one) for one in chosen)))
    return tag("section", tag("h2", name), means, inside, class_="panel wide", aria_label=name, tabindex=0)


def _codes(look: Look, lying: Sequence[Lying], code: str) -> Html:
    """The reasons to choose from."""
    ways = [("", look.word("map_any")), *((c, _refused(look, c)) for c in sorted({one.code for one in lying}))]
    links = (
        link(f"/quality?code={c}" if c else "/quality", name, aria_current="true" if c == code else None)
        for c, name in ways
    )
    return tag("div", tag("span", *links, class_="choice"), class_="choices")


def _row(look: Look, one: Lying) -> list[object]:
    name = link(f"/quality/quarantine/{one.seq}", one.seq) if look.account.may("resubmit") else one.seq
    field, reason = _split(one.reason)
    moment = day_and_time(datetime.fromisoformat(one.recorded))
    told = Html(tag("span", _refused(look, one.code)) + tag("br") + tag("span", reason, class_="small"))
    return [name, moment, _unit(look, one.unit), tag("span", field, class_="path"), told]


def _refused(look: Look, code: str) -> str:
    return look.word(f"refused_{code}") if code in REASONS else code


def _split(reason: str) -> tuple[str, str]:
    """`unit: not known` -> the field, and what is wrong with it."""
    field, colon, rest = reason.partition(": ")
    return (field, rest) if colon and " " not in field else ("", reason)


def _unit(look: Look, code: str) -> str:
    try:
        return unit_name(code, look.language)
    except KeyError:
        return code


def one(look: Look, lying: Lying, body: Body, draft: Draft | None) -> Html:
    """One message: why it lies here, as it came, and what can be done about it."""
    if not look.account.sees(lying.unit):
        return nothing(look, "forbidden")
    rows = (
        ("reason_code", f"{_refused(look, lying.code)} ({lying.code})"),
        ("reason", lying.reason),
        ("subject", lying.subject),
        ("bytes", lying.size),
    )
    pairs = tag("dl", *(Html(tag("dt", look.word(k)) + tag("dd", v)) for k, v in rows), class_="pairs")
    return tag(
        "main",
        tag("div", tag("h1", look.word("quarantine_one").format(lying.seq)), _back(look), class_="title"),
        tag("p", draft.problem, class_="said problem wide", role="alert") if draft else "",
        tag("section", pairs, class_="panel wide"),
        tag("section", tag("h2", look.word("as_it_came")), tag("pre", body.pretty()), class_="panel"),
        tag("section", *_forms(look, lying, body, draft), class_="panel"),
        class_="page",
    )


def _forms(look: Look, lying: Lying, body: Body, draft: Draft | None) -> tuple[Html, Html, Html, Html]:
    at, text = f"/quality/quarantine/{lying.seq}", draft.text if draft and draft.text else body.pretty()
    # A line break right after the tag is the parser's, not the text's.
    event = tag("textarea", f"\n{text}", name="event", rows=16, spellcheck="false", required="")
    mend = (tag("label", look.word("mended_event"), event), tag("button", look.word("resubmit"), class_="plain"))
    reason = tag("input", name="reason", required="", maxlength=400)
    drop = (tag("label", look.word("discard_note"), reason), tag("button", look.word("discard"), class_="plain"))
    return (
        tag("h2", look.word("mend")),
        form(look, f"{at}/resubmit", *mend, class_="mend"),
        tag("h2", look.word("discard")),
        form(look, f"{at}/discard", *drop, class_="mend"),
    )


def nothing(look: Look, said: str) -> Html:
    """A page that says only why there is nothing."""
    return tag("main", tag("p", look.word(said), role="alert"), _back(look), class_="page")


def _back(look: Look) -> Html:
    return tag("p", link("/quality", look.word("quality")), class_="small")
