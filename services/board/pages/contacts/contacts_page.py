"""/contacts: whom to call about each unit, and what procedures are called; administrators keep both, by lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi import HTTPException
from fastapi.responses import RedirectResponse, Response
from psycopg_pool import AsyncConnectionPool
from starlette.requests import HTTPConnection, Request

from schemas import units
from services.board.auth.middleware import fields_of, forbidden
from services.board.pages.contacts.contacts_data import (
    Contact,
    Refused,
    all_contacts,
    procedure_names,
    put_contacts,
    put_procedures,
)
from services.board.ui.flash import FlashMessages
from services.board.ui.live_page import LivePage, PageContext, Pages, Places, context_of
from services.board.ui.markup import Html, link, table, tag
from services.board.ui.page_layout import form, kept_from, ordinary
from services.board.ui.words import count, unit_name

PATH = "/contacts"
KEPT = {"units": put_contacts, "procedures": put_procedures}
Said = tuple[str, str]
"""A word, and what it is filled with."""


def add(pages: Pages, pool: AsyncConnectionPool) -> None:
    """The page, and the forms on it."""
    done = FlashMessages[Said]()

    @pages.page(PATH)
    async def of_contacts(asked: HTTPConnection) -> LivePage:
        context = context_of(asked, pages.poller)

        async def body(at: Places) -> Html:
            async with pool.connection() as conn:
                contacts, names = await all_contacts(conn), await procedure_names(conn)
            seen = [one for one in contacts if context.account.sees(one.unit)]
            return render(context, seen, names, done.take(asked.state.session))

        return ordinary(context, PATH, body)

    @pages.app.post(f"{PATH}/{{what}}")
    async def put(request: Request, what: str) -> Response:
        account = request.state.account
        if what not in KEPT:
            raise HTTPException(404)
        if not account.may("accounts") or (what == "procedures" and account.units):
            return forbidden()
        try:
            async with pool.connection() as conn:
                number = await KEPT[what](conn, account, fields_of(await request.body()).get("lines", ""))
            said = "contacts_kept", str(number)
        except Refused as refused:
            said = refused.key, refused.line
        done.put(request.state.session, said)
        return RedirectResponse(PATH, 303)


def call(context: PageContext, contact: Contact | None, unit: str) -> Html:
    """Whom to call about a unit: the officer, and the phone to be called by a touch."""
    if contact is None:
        return tag("span", context.word("contact_none"), " ", link(PATH, context.word("contacts")), class_="none")
    of = "" if contact.unit == unit else f" ({unit_name(contact.unit, context.language)})"
    return tag("span", tag("strong", contact.officer), f"{of} · ", _phone(contact))


def render(context: PageContext, contacts: Sequence[Contact], names: Mapping[str, str], said: Said | None) -> Html:
    """Both tables, and the forms for who may keep them."""
    account = context.account
    notice = ""
    if said:
        good = said[0] == "contacts_kept"
        notice = tag("p", context.word(said[0]).format(said[1]), role="status" if good else "alert",
                     class_="said" if good else "said problem")  # fmt: skip
    title = tag("div", tag("h1", context.word("contacts")), notice, class_="title")
    rows = (
        [unit_name(one.unit, context.language), one.officer, _phone(one), one.changed_by]
        for one in sorted(contacts, key=lambda one: units.order(one.unit))
    )
    listed = table([context.word(w) for w in ("unit", "contact_officer", "contact_phone", "contact_by")], rows)
    known = table([context.word(w) for w in ("case_procedure", "procedure_name")], names.items())
    edits = account.may("accounts")
    return tag(
        "main", title, kept_from(context, {"contacts_change": "accounts"}),
        _panel(context, "contacts_units", len(contacts), listed, _form(context, "units") if edits else ""),
        _panel(context, "contacts_procedures", len(names), known,
               _form(context, "procedures") if edits and not account.units else ""),
        class_="page people",
    )  # fmt: skip


def _phone(contact: Contact) -> Html:
    """A phone to be called by a touch."""
    return tag("a", contact.phone, href="tel:" + "".join(c for c in contact.phone if c in "+0123456789"))


def _panel(context: PageContext, word: str, number: int, listed: Html, edit: Html | str) -> Html:
    name = tag("h2", f"{context.word(word)} ({count(number, context.language)})")
    inside = listed if number else tag("p", context.word("contacts_empty"), class_="none")
    return tag("section", name, edit, inside, class_="panel wide")


def _form(context: PageContext, what: str) -> Html:
    hint = tag("span", context.word(f"contacts_{what}_lines"), class_="small")
    lines = tag("textarea", name="lines", rows=4, required="", placeholder=context.word(f"contacts_{what}_example"))
    return form(
        context, f"{PATH}/{what}", tag("label", context.word("contacts_lines"), lines, hint),
        tag("button", context.word("save"), class_="plain"), class_="forms",
    )  # fmt: skip
