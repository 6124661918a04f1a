"""/handover: who is on call, what is open, and the shifts that were handed over with what was to be said."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial

from fastapi.responses import RedirectResponse, Response
from psycopg_pool import AsyncConnectionPool
from starlette.requests import HTTPConnection, Request

from schemas.text.dates import day_and_time
from services.board.access import Action
from services.board.auth.middleware import fields_of, forbidden
from services.board.live.cache import SharedCache
from services.board.live.query_pool import QueryPool
from services.board.pages.actions.alarm_client import AlarmClient, InvalidInput, OnCall
from services.board.pages.handover.handover_data import (
    LONGEST_NOTE,
    Handover,
    Open,
    hand_over,
    latest,
    open_of,
    take_over,
)
from services.board.ui.flash import FlashMessages
from services.board.ui.live_page import Asked, LivePage, PageContext, Pages, Places, context_of
from services.board.ui.markup import Html, link, table, tag
from services.board.ui.page_layout import form, kept_from, ordinary
from services.board.ui.words import count, unit_name
from services.kit import clock

PATH = "/handover"
NEEDS: Action = "acknowledge"
"""Who may acknowledge an alarm may hand a shift over, and take one."""
FRESH_SECONDS = 20.0


def add(pages: Pages, reading: QueryPool, pool: AsyncConnectionPool, alarm_client: AlarmClient) -> None:
    """The page, and what is done on it."""
    done, shared, past = FlashMessages[str](), SharedCache[Open](0.0), SharedCache[Sequence[Handover]](0.0)

    @pages.page(PATH)
    async def of_handovers(asked: HTTPConnection) -> LivePage:
        context = context_of(asked, pages.poller)
        account = context.account
        asked_by = account.name, account.units

        async def now() -> tuple[list[OnCall] | None, Open]:
            opened = shared.get(asked_by, lambda: reading(lambda conn: open_of(conn, account, clock.now())))
            on_call, found = await asyncio.gather(alarm_client.on_call(), opened)
            return on_call, found

        async def read() -> Sequence[Handover]:
            async with pool.connection() as conn:
                return await latest(conn, account)

        def body(at: Places) -> Html:
            return render(context, at, done.take(asked.state.session))

        places = (
            Asked("now", now, lambda found: _now(context, *found), FRESH_SECONDS),
            Asked("past", lambda: past.get(asked_by, read), partial(_past, context), FRESH_SECONDS),
        )
        return ordinary(context, PATH, body, places)

    @pages.app.post(PATH)
    async def put(request: Request) -> Response:
        account = request.state.account
        if not account.may(NEEDS):
            return forbidden()
        note = fields_of(await request.body()).get("note", "")
        found = await reading(lambda conn: open_of(conn, account, clock.now()))
        try:
            async with pool.connection() as conn:
                await hand_over(conn, account, note, found)
            past.clear()
            done.put(request.state.session, "handover_kept")
        except InvalidInput as wrong:
            done.put(request.state.session, wrong.key)
        return RedirectResponse(PATH, 303)

    @pages.app.post(PATH + "/{id}/take")
    async def take(request: Request, id: int) -> Response:
        account = request.state.account
        if not account.may(NEEDS):
            return forbidden()
        async with pool.connection() as conn:
            taken = await take_over(conn, account, id)
        past.clear()
        done.put(request.state.session, "handover_taken" if taken else "handover_not_taken")
        return RedirectResponse(PATH, 303)


def render(context: PageContext, at: Places, said: str | None) -> Html:
    """What is now, the form, and what was handed over."""
    good = said in ("handover_kept", "handover_taken")
    notice = tag("p", context.word(said), role="status" if good else "alert",
                 class_="said" if good else "said problem") if said else ""  # fmt: skip
    title = tag("div", tag("h1", context.word("handover")), notice, class_="title")
    return tag("main", title, at["now"], _form(context), at["past"], class_="page people")


def _past(context: PageContext, rows: Sequence[Handover]) -> Html:
    heads = ("handover_at", "handover_by", "handover_open", "handover_note", "handover_taken_by")
    known = table([context.word(head) for head in heads], (_row(context, one) for one in rows))
    listed = known if rows else tag("p", context.word("handover_none"), class_="none")
    return tag("section", tag("h2", context.word("handover_past")), listed, class_="panel wide")


def _now(context: PageContext, on_call: list[OnCall] | None, found: Open) -> Html:
    duty = tag("section", tag("h2", context.word("on_call")), _on_call(context, on_call), class_="panel")
    open = tag(
        "section", tag("h2", context.word("handover_open_now")), tag("ul", *_open(context, found)), class_="panel"
    )
    return Html(duty + open)


def _on_call(context: PageContext, on_call: list[OnCall] | None) -> Html:
    if not on_call:
        return tag("p", context.word("on_call_unknown" if on_call is None else "on_call_none"), class_="none")
    lines = (
        tag("li", tag("strong", one.person), f" · {one.rota} · ",
            context.word("on_call_until").format(day_and_time(one.until), one.then))
        for one in on_call
    )  # fmt: skip
    return tag("ul", *lines)


def _open(context: PageContext, found: Open, past: bool = False) -> Iterator[Html]:
    """Each number, with the list that it counts where it is of now; then the alarms in one person's hands."""
    ways = (
        (found.critical, "handover_critical", "/alarms?severity=critical&status=active", "bad"),
        (found.warning, "handover_warning", "/alarms?severity=warning&status=active", "watch"),
        (found.overdue, "handover_overdue", "/worklist", "bad"),
        (found.today, "handover_today", "/worklist?stage=today", "watch"),
    )
    for number, word, path, state in ways:
        shown = tag("strong", count(number, context.language), class_=f"state-{state}" if number else None)
        said = shown, f" {context.word(word)}"
        yield tag("li", *said) if past else tag("li", link(path, *said))
    if found.held:
        held = (tag("li", link(f"/alarms/{one.id}", f"#{one.id} {_named(context, one.unit, one.vi, one.en)}"))
                for one in found.held)  # fmt: skip
        yield tag("li", f"{context.word('handover_held')}:", tag("ul", *held))


def _named(context: PageContext, unit: str, vi: str, en: str) -> str:
    name = unit_name(None if unit == "all" else unit, context.language)
    return f"{name}: {vi if context.language == 'vi' else en}"


def _form(context: PageContext) -> Html:
    if not context.account.may(NEEDS):
        return kept_from(context, {"handover_do": NEEDS})
    note = tag("textarea", name="note", rows=5, required="", maxlength=LONGEST_NOTE,
               placeholder=context.word("handover_example"))  # fmt: skip
    label = tag(
        "label", context.word("handover_note"), note, tag("span", context.word("handover_hint"), class_="small")
    )
    button = tag("button", context.word("handover_do"), class_="plain strong")
    return tag("section", form(context, PATH, label, button, class_="forms"), class_="panel wide")


def _row(context: PageContext, one: Handover) -> list[object]:
    names = ", ".join(unit_name(code, context.language) for code in one.units)
    by = tag("span", one.by, *([tag("small", f" {names}")] if names else []))
    left, note = tag("ul", *_open(context, one.open, past=True)), tag("span", one.note, class_="lines")
    return [day_and_time(one.at), by, left, note, _taken(context, one)]


def _taken(context: PageContext, one: Handover) -> Html | str:
    if one.taken_at and one.taken_by:
        return f"{one.taken_by} · {day_and_time(one.taken_at)}"
    if one.by == context.account.name or not context.account.may(NEEDS):
        return context.word("handover_waits")
    return form(context, f"{PATH}/{one.id}/take", tag("button", context.word("handover_take"), class_="plain"))
