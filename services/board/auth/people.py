"""The page of accounts: who may enter and what they may do, changed by plain forms; below it what was done last."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from nicegui import ui
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from schemas import units
from services.board.access import GIVEN, Account
from services.board.auth import accounts, audit
from services.board.auth.accounts import Refused, Row
from services.board.auth.audit import Deed
from services.board.auth.middleware import fields_of
from services.board.live.poller import Watch
from services.board.ui.flash import Told
from services.board.ui.markup import Html, table, tag
from services.board.ui.page_layout import Look, dress, form, header, keep_fresh, look_of, page
from services.board.ui.words import WORDS, ago, day_and_time, unit_name
from services.kit import clock

Fields = dict[str, str]
Change = Callable[[AsyncConnection, Account, Fields], Awaitable[None]]


async def _add(conn: AsyncConnection, by: Account, told: Fields) -> None:
    await accounts.add(conn, by, _account(told), told.get("password", ""))


async def _change(conn: AsyncConnection, by: Account, told: Fields) -> None:
    await accounts.change(conn, by, _account(told))


async def _password(conn: AsyncConnection, by: Account, told: Fields) -> None:
    await accounts.set_password(conn, by, told.get("name", ""), told.get("password", ""))


async def _disable(conn: AsyncConnection, by: Account, told: Fields) -> None:
    await accounts.set_disabled(conn, by, told.get("name", ""), True)


async def _enable(conn: AsyncConnection, by: Account, told: Fields) -> None:
    await accounts.set_disabled(conn, by, told.get("name", ""), False)


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


def add(app: FastAPI, pool: AsyncConnectionPool, watch: Watch) -> None:
    """The page, and the forms on it."""
    done = Told[str]()

    @page("/people")
    async def shown(request: Request, said: str = "") -> None:
        look, known = look_of(request, watch), done.take(request.state.session)
        dress(look)
        top = header(look, "/people")
        async with pool.connection() as conn:
            rows, deeds = await _seen_by(conn, look.account)
        ui.html(render(look, rows, deeds, said if said == known else "", clock.now()), sanitize=False)
        keep_fresh(look, top)

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


async def _seen_by(conn: AsyncConnection, by: Account) -> tuple[list[Row], list[Deed]]:
    """The accounts that are theirs to administer, and what was done last within their units."""
    rows = [row for row in await accounts.listing(conn) if by.covers(row.units)]
    if not by.units:
        return rows, await audit.latest(conn)
    return rows, await audit.within(conn, by.scope(), [row.name for row in rows])


def _account(told: Fields) -> Account:
    role = next((r for r in GIVEN if r == told.get("role")), None)
    if role is None:
        raise Refused("bad_role")
    name = accounts.plain(told.get("name", ""))
    return Account(name, told.get("full_name", "").strip(), role, units_of(told.get("units", "")))


def units_of(text: str) -> tuple[str, ...]:
    """The codes of units told by name or code with `;` or `,` between; `Refused` for one that is not known."""
    try:
        return tuple(units.find(part).code for part in re.split(r"[;,\n]", text) if part.strip())
    except (units.UnknownUnit, units.AmbiguousUnit):
        raise Refused("bad_unit") from None


def render(look: Look, rows: Sequence[Row], deeds: Sequence[Deed], said: str, now: datetime) -> Html:
    """The page's content."""
    told = _told(look, said) if said in SAID else ""
    return tag(
        "main",
        tag("div", tag("h1", look.word("people_title")), told, class_="title"),
        tag("section", _people(look, rows, now), class_="panel wide"),
        tag("section", tag("h2", look.word("new_account")), _new(look), class_="panel wide"),
        tag("section", tag("h2", look.word("audit_log")), _audit(look, deeds), class_="panel wide"),
        class_="page people",
    )


def _told(look: Look, said: str) -> Html:
    good = said == "saved"
    return tag("p", look.word(said), role="status" if good else "alert", class_="said" if good else "said problem")


def _people(look: Look, rows: Sequence[Row], now: datetime) -> Html:
    keys = ("account", "full_name", "right_role", "right_units", "way_in", "last_seen", "account_state")
    heads = [*(look.word(key) for key in keys), look.word("edit")]
    return table(heads, (_row(look, row, now) for row in rows))


def _row(look: Look, row: Row, now: datetime) -> list[object]:
    way = "way_groups" if row.by_groups else "way_oidc" if row.subject else "way_password"
    return [
        row.name,
        row.full_name,
        look.word(f"right_{row.role}"),
        _units(look, row.units) or look.word("whole"),
        look.word(way),
        ago(row.seen_at, now, look.language) if row.seen_at else "–",
        look.word("disabled" if row.disabled else "active"),
        tag(
            "details", tag("summary", look.word("edit"), " ", tag("span", row.name, class_="unseen")), _edit(look, row)
        ),
    ]


def _units(look: Look, codes: Sequence[str]) -> str:
    return "; ".join(unit_name(code, look.language) for code in codes)


def _edit(look: Look, row: Row) -> Html:
    name = tag("input", type="hidden", name="name", value=row.name)
    state = "enable" if row.disabled else "disable"
    rights = [*_rights(look, row.full_name, row.role, row.units)]
    if row.by_groups:
        rights.append(tag("p", look.word("way_groups_hint"), class_="small"))
    return tag(
        "div",
        form(look, "/people/change", name, *rights, _button(look, "save")),
        form(look, "/people/password", name, _secret(look, "new_password"), _button(look, "set_password")),
        form(look, f"/people/{state}", name, _button(look, state)),
        class_="forms",
    )


def _new(look: Look) -> Html:
    name = _field(look, "account", name="name", required="", autocomplete="off", autocapitalize="none")
    rights = _rights(look, "", "viewer", ())
    return form(
        look, "/people/add", name, *rights, _secret(look, "password"), _button(look, "add_account"), class_="forms"
    )


def _rights(look: Look, full_name: str, role: str, codes: Sequence[str]) -> tuple[Html, ...]:
    roles = (
        tag("option", look.word(f"right_{r}"), value=r, selected="" if r == role else None) for r in GIVEN
    )  # fmt: skip
    within = _units(look, look.account.units)
    hint = look.word("right_units_within").format(within) if within else look.word("right_units_hint")
    return (
        _field(look, "full_name", name="full_name", value=full_name, autocomplete="off"),
        tag("label", look.word("right_role"), tag("select", *roles, name="role")),
        tag(
            "label", look.word("right_units"), tag("input", name="units", value="; ".join(codes), autocomplete="off"),
            tag("span", hint, class_="small"),
        ),
    )  # fmt: skip


def _secret(look: Look, key: str) -> Html:
    return _field(
        look,
        key,
        name="password",
        type="password",
        required="",
        minlength=accounts.SHORTEST,
        autocomplete="new-password",
    )


def _field(look: Look, key: str, **attributes: object) -> Html:
    return tag("label", look.word(key), tag("input", **attributes))


def _button(look: Look, key: str) -> Html:
    return tag("button", look.word(key), class_="plain")


def _audit(look: Look, deeds: Sequence[Deed]) -> Html:
    heads = [look.word(key) for key in ("when", "who", "deed", "about", "from_where")]
    return table(heads, ([day_and_time(d.at), d.by or "–", _deed(look, d), d.subject, d.address] for d in deeds))


def _deed(look: Look, deed: Deed) -> str:
    key = f"deed_{deed.action}"
    return look.word(key) if key in WORDS else deed.action
