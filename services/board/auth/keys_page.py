"""The page of keys: who may send events from outside, made, rotated and taken back by plain forms."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from fastapi import HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool
from starlette.requests import HTTPConnection

from schemas.keys import FALLBACK_RATE, Bounds
from schemas.registry import SYSTEMS
from schemas.text.dates import day_and_time
from services.board.access import Account
from services.board.auth import accounts, keys
from services.board.auth.middleware import fields_of
from services.board.auth.people import units_of
from services.board.ui.flash import FlashMessages
from services.board.ui.live_page import LivePage, PageContext, Pages, Places, context_of
from services.board.ui.markup import Html, table, tag
from services.board.ui.page_layout import form, ordinary
from services.board.ui.words import ago, system_name, unit_name, word
from services.kit import clock
from services.kit.keys import Key

OVERLAP = timedelta(days=1)
Fields = dict[str, str]


class Said(NamedTuple):
    """What came of a change: in words, and the secret that is shown this once."""

    vi: str
    en: str
    secret: str = ""
    good: bool = True


async def _create(conn: AsyncConnection, by: Account, fields: Fields) -> str:
    name = fields.get("name", "").strip()
    systems = tuple(system for system in SYSTEMS if f"system_{system}" in fields)
    bounds = Bounds(name, fields.get("source", "").strip() or f"/{name}", systems, units_of(fields.get("units", "")))
    rate, days = _number(fields, "rate", FALLBACK_RATE), _number(fields, "days", 365)
    return await keys.create(conn, by, bounds, rate, int(days))


def _number(fields: Fields, name: str, otherwise: float) -> float:
    try:
        return float(fields[name]) if fields.get(name) else otherwise
    except ValueError:
        raise keys.Refused(f"{fields[name]!r} không phải là số", f"{fields[name]!r} is no number") from None


async def _rotate(conn: AsyncConnection, by: Account, fields: Fields) -> str:
    return await keys.rotate(conn, by, fields.get("name", ""), OVERLAP)


async def _revoke(conn: AsyncConnection, by: Account, fields: Fields) -> str:
    await keys.revoke(conn, by, fields.get("name", ""))
    return ""


CHANGES: dict[str, Callable[[AsyncConnection, Account, Fields], Awaitable[str]]] = {
    "create": _create,
    "rotate": _rotate,
    "revoke": _revoke,
}
"""What can be posted to `/keys/<change>`; gives the secret to be shown."""


def add(pages: Pages, pool: AsyncConnectionPool) -> None:
    """The page, and the forms on it."""
    app = pages.app
    done = FlashMessages[Said]()

    @pages.page("/keys")
    async def shown(asked: HTTPConnection) -> LivePage:
        context = context_of(asked, pages.poller)

        async def body(at: Places) -> Html:
            async with pool.connection() as conn:
                rows = await keys.within(conn, context.account)
            return render(context, rows, done.take(asked.state.session), clock.now())

        return ordinary(context, "/keys", body)

    @app.post("/keys/{change}")
    async def changed(request: Request, change: str) -> Response:
        by: Account = request.state.account
        if not by.may("accounts"):
            raise HTTPException(403)
        if change not in CHANGES:
            raise HTTPException(404)
        fields = fields_of(await request.body())
        done.put(request.state.session, await _said(pool, by, change, fields))
        return RedirectResponse("/keys", 303)


async def _said(pool: AsyncConnectionPool, by: Account, change: str, fields: Fields) -> Said:
    key, name = f"key_{change}_done", fields.get("name", "").strip()
    try:
        async with pool.connection() as conn:
            secret = await CHANGES[change](conn, by, fields)
    except keys.Refused as refused:
        return Said(refused.vi, refused.en, good=False)
    except accounts.Refused as refused:
        return Said(word(refused.key, "vi"), word(refused.key, "en"), good=False)
    return Said(word(key, "vi").format(name), word(key, "en").format(name), secret)


def render(context: PageContext, rows: Sequence[Key], said: Said | None, now: datetime) -> Html:
    """The page's content."""
    return tag(
        "main",
        tag("div", tag("h1", context.word("keys_title")), _notice(context, said), class_="title"),
        tag("section", _keys(context, rows, now), class_="panel wide"),
        tag("section", tag("h2", context.word("new_key")), _new(context), class_="panel wide"),
        tag("p", context.word("keys_mean"), class_="small wide"),
        class_="page people",
    )


def _notice(context: PageContext, said: Said | None) -> Html:
    if said is None:
        return Html("")
    text = said.vi if context.language == "vi" else said.en
    secret = tag("output", said.secret, class_="secret") if said.secret else ""
    kind = ("status", "said") if said.good else ("alert", "said problem")
    return tag("div", tag("p", text), secret, role=kind[0], class_=kind[1])


def _keys(context: PageContext, rows: Sequence[Key], now: datetime) -> Html:
    if not rows:
        return tag("p", context.word("keys_none"), class_="none")
    words = ("key", "account_state", "key_source", "key_opens", "right_units", "key_rate", "key_until", "last_use")
    return table([*(context.word(name) for name in words), context.word("edit")], (_row(context, k, now) for k in rows))


def _row(context: PageContext, key: Key, now: datetime) -> list[object]:
    bounds, state = key.bounds, key.state(now)
    return [
        bounds.name,
        context.word(f"key_{state}"),
        bounds.source,
        "; ".join(system_name(system, context.language) for system in bounds.systems),
        "; ".join(unit_name(code, context.language) for code in bounds.units) or context.word("whole"),
        f"{key.rate:g}",
        day_and_time(key.expires_at),
        ago(key.seen_at, now, context.language) if key.seen_at else "–",
        "–" if state == "revoked" else _edit(context, bounds.name),
    ]


def _edit(context: PageContext, name: str) -> Html:
    hidden = tag("input", type="hidden", name="name", value=name)
    summary = tag("summary", context.word("edit"), " ", tag("span", name, class_="unseen"))
    forms = (
        form(context, f"/keys/{change}", hidden, tag("p", context.word(f"key_{change}_means"), class_="small"),
             tag("button", context.word(f"key_{change}"), class_="plain"))
        for change in ("rotate", "revoke")
    )  # fmt: skip
    return tag("details", summary, tag("div", *forms, class_="forms"))


def _new(context: PageContext) -> Html:
    within = "; ".join(unit_name(code, context.language) for code in context.account.units)
    hint = context.word("right_units_within").format(within) if within else context.word("right_units_hint")
    boxes = (
        tag("label", tag("input", type="checkbox", name=f"system_{slug}"), " ", system_name(slug, context.language),
            class_="check")
        for slug in SYSTEMS
    )  # fmt: skip
    return form(
        context,
        "/keys/create",
        _field(context, "key", "key_hint", name="name", required="", autocomplete="off", autocapitalize="none"),
        tag("fieldset", tag("legend", context.word("key_opens")), *boxes),
        tag("label", context.word("right_units"), tag("input", name="units", autocomplete="off"),
            tag("span", hint, class_="small")),
        _field(context, "key_source", "key_source_hint", name="source", autocomplete="off", autocapitalize="none"),
        _field(context, "key_rate", "", name="rate", type="number", value=f"{FALLBACK_RATE:g}", min="0.01", max="5000",
               step="any"),
        _field(context, "key_days", "", name="days", type="number", value="365", min="1", max=str(keys.LONGEST_DAYS)),
        tag("button", context.word("key_create"), class_="plain"),
        class_="forms",
    )  # fmt: skip


def _field(context: PageContext, label: str, hint: str, **attributes: object) -> Html:
    said = tag("span", context.word(hint), class_="small") if hint else ""
    return tag("label", context.word(label), tag("input", **attributes), said)
