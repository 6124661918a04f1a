"""The page of accounts: who may enter and what they may do, changed by plain forms; below it what was done last."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from fastapi import HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool
from starlette.requests import HTTPConnection

from schemas import units
from schemas.text.dates import day_and_time
from services.board.access import GIVEN, Account
from services.board.auth import accounts, audit
from services.board.auth.accounts import Refused, Row
from services.board.auth.audit import AuditRow
from services.board.auth.middleware import fields_of
from services.board.ui.flash import FlashMessages
from services.board.ui.live_page import LivePage, PageContext, Pages, Places, context_of
from services.board.ui.markup import Html, table, tag
from services.board.ui.page_layout import form, ordinary
from services.board.ui.timeline import author
from services.board.ui.words import WORDS, ago, unit_name
from services.kit import clock

Fields = dict[str, str]
Change = Callable[[AsyncConnection, Account, Fields], Awaitable[None]]


async def _add(conn: AsyncConnection, by: Account, fields: Fields) -> None:
    await accounts.add(conn, by, _account(fields), fields.get("password", ""))


async def _change(conn: AsyncConnection, by: Account, fields: Fields) -> None:
    await accounts.change(conn, by, _account(fields))


async def _password(conn: AsyncConnection, by: Account, fields: Fields) -> None:
    await accounts.set_password(conn, by, fields.get("name", ""), fields.get("password", ""))


async def _disable(conn: AsyncConnection, by: Account, fields: Fields) -> None:
    await accounts.set_disabled(conn, by, fields.get("name", ""), True)


async def _enable(conn: AsyncConnection, by: Account, fields: Fields) -> None:
    await accounts.set_disabled(conn, by, fields.get("name", ""), False)


CHANGES: dict[str, Change] = {
    "add": _add,
    "change": _change,
    "password": _password,
    "disable": _disable,
    "enable": _enable,
}
"""What can be posted to `/people/<change>`."""


SAID = ("saved", "bad_name", "name_taken", "no_account", "bad_password", "bad_role", "bad_unit", "beyond_units",
        "last_admin")  # fmt: skip
"""What the page says of the last change."""


def add(pages: Pages, pool: AsyncConnectionPool) -> None:
    """The page, and the forms on it."""
    app = pages.app
    done = FlashMessages[str]()

    @pages.page("/people")
    async def shown(asked: HTTPConnection, said: str = "") -> LivePage:
        context = context_of(asked, pages.poller)

        async def body(at: Places) -> Html:
            async with pool.connection() as conn:
                rows, actions = await _seen_by(conn, context.account)
            known = done.take(asked.state.session)
            return render(context, rows, actions, said if said == known else "", clock.now())

        return ordinary(context, "/people", body)

    @app.post("/people/{change}")
    async def changed(request: Request, change: str) -> Response:
        by: Account = request.state.account
        if not by.may("accounts"):
            raise HTTPException(403)
        if change not in CHANGES:
            raise HTTPException(404)
        said = "saved"
        try:
            async with pool.connection() as conn:
                await CHANGES[change](conn, by, fields_of(await request.body()))
        except Refused as refused:
            said = refused.key
        done.put(request.state.session, said)
        return RedirectResponse(f"/people?said={said}", 303)


async def _seen_by(conn: AsyncConnection, by: Account) -> tuple[list[Row], list[AuditRow]]:
    """The accounts that are theirs to administer, and what was done last within their units."""
    rows = [row for row in await accounts.all_accounts(conn) if by.covers(row.units)]
    if not by.units:
        return rows, await audit.latest(conn)
    return rows, await audit.within(conn, by.scope(), [row.name for row in rows])


def _account(fields: Fields) -> Account:
    role = next((r for r in GIVEN if r == fields.get("role")), None)
    if role is None:
        raise Refused("bad_role")
    name = accounts.plain(fields.get("name", ""))
    return Account(name, fields.get("full_name", "").strip(), role, units_of(fields.get("units", "")))


def units_of(text: str) -> tuple[str, ...]:
    """The codes of units told by name or code with `;` or `,` between; `Refused` for one that is not known."""
    try:
        return tuple(units.find(part).code for part in re.split(r"[;,\n]", text) if part.strip())
    except (units.UnknownUnit, units.AmbiguousUnit):
        raise Refused("bad_unit") from None


def render(context: PageContext, rows: Sequence[Row], actions: Sequence[AuditRow], said: str, now: datetime) -> Html:
    """The page's content."""
    notice = _notice(context, said) if said in SAID else ""
    return tag(
        "main",
        tag("div", tag("h1", context.word("people_title")), notice, class_="title"),
        tag("section", _people(context, rows, now), class_="panel wide"),
        tag("section", tag("h2", context.word("new_account")), _new(context), class_="panel wide"),
        tag("section", tag("h2", context.word("audit_log")), _audit(context, actions), class_="panel wide"),
        class_="page people",
    )


def _notice(context: PageContext, said: str) -> Html:
    good = said == "saved"
    return tag("p", context.word(said), role="status" if good else "alert", class_="said" if good else "said problem")


def _people(context: PageContext, rows: Sequence[Row], now: datetime) -> Html:
    keys = ("account", "full_name", "right_role", "right_units", "way_in", "last_seen", "account_state")
    heads = [*(context.word(key) for key in keys), context.word("edit")]
    return table(heads, (_row(context, row, now) for row in rows))


def _row(context: PageContext, row: Row, now: datetime) -> list[object]:
    way = "way_groups" if row.by_groups else "way_oidc" if row.subject else "way_password"
    return [
        row.name,
        row.full_name,
        context.word(f"right_{row.role}"),
        _units(context, row.units) or context.word("whole"),
        context.word(way),
        ago(row.seen_at, now, context.language) if row.seen_at else "–",
        context.word("disabled" if row.disabled else "active"),
        tag(
            "details",
            tag("summary", context.word("edit"), " ", tag("span", row.name, class_="unseen")),
            _edit(context, row),
        ),
    ]


def _units(context: PageContext, codes: Sequence[str]) -> str:
    return "; ".join(unit_name(code, context.language) for code in codes)


def _edit(context: PageContext, row: Row) -> Html:
    name = tag("input", type="hidden", name="name", value=row.name)
    state = "enable" if row.disabled else "disable"
    rights = [*_rights(context, row.full_name, row.role, row.units)]
    if row.by_groups:
        rights.append(tag("p", context.word("way_groups_hint"), class_="small"))
    return tag(
        "div",
        form(context, "/people/change", name, *rights, _button(context, "save")),
        form(context, "/people/password", name, _secret(context, "new_password"), _button(context, "set_password")),
        form(context, f"/people/{state}", name, _button(context, state)),
        class_="forms",
    )


def _new(context: PageContext) -> Html:
    name = _field(context, "account", name="name", required="", autocomplete="off", autocapitalize="none")
    rights = _rights(context, "", "viewer", ())
    return form(
        context,
        "/people/add",
        name,
        *rights,
        _secret(context, "password"),
        _button(context, "add_account"),
        class_="forms",
    )


def _rights(context: PageContext, full_name: str, role: str, codes: Sequence[str]) -> tuple[Html, ...]:
    roles = (
        tag("option", context.word(f"right_{r}"), value=r, selected="" if r == role else None) for r in GIVEN
    )  # fmt: skip
    within = _units(context, context.account.units)
    hint = context.word("right_units_within").format(within) if within else context.word("right_units_hint")
    return (
        _field(context, "full_name", name="full_name", value=full_name, autocomplete="off"),
        tag("label", context.word("right_role"), tag("select", *roles, name="role")),
        tag(
            "label",
            context.word("right_units"),
            tag("input", name="units", value="; ".join(codes), autocomplete="off"),
            tag("span", hint, class_="small"),
        ),
    )  # fmt: skip


def _secret(context: PageContext, key: str) -> Html:
    return _field(
        context,
        key,
        name="password",
        type="password",
        required="",
        minlength=accounts.SHORTEST,
        autocomplete="new-password",
    )


def _field(context: PageContext, key: str, **attributes: object) -> Html:
    return tag("label", context.word(key), tag("input", **attributes))


def _button(context: PageContext, key: str) -> Html:
    return tag("button", context.word(key), class_="plain")


def _audit(context: PageContext, actions: Sequence[AuditRow]) -> Html:
    heads = [context.word(key) for key in ("when", "who", "deed", "about", "from_where")]
    subjects = {d.subject for d in actions}
    names = {u.code: unit_name(u.code, context.language) for u in units.every() if u.code in subjects}
    # It is about an account, a case, a file; a unit stands there by its name.
    rows = (
        [day_and_time(d.at), author(context, d.by) or "–", _deed(context, d), names.get(d.subject, d.subject),
         d.address]
        for d in actions
    )  # fmt: skip
    return table(heads, rows)


def _deed(context: PageContext, deed: AuditRow) -> str:
    key = f"deed_{deed.action}"
    return context.word(key) if key in WORDS else deed.action
