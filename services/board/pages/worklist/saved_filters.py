"""Filters of a list that somebody has put aside under a name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import unquote_plus

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from schemas.personal import find
from schemas.text import collation
from services.board.access import PUBLIC, Account
from services.board.auth.middleware import fields_of
from services.board.ui.live_page import PageContext
from services.board.ui.markup import Html, link, tag
from services.board.ui.page_layout import form
from services.board.ui.pagination import ListQuery

MOST, LONGEST_NAME = 30, 60


async def of(conn: AsyncConnection, account: Account) -> list[tuple[str, str]]:
    """(name, query) of all that an account has put aside."""
    rows = await conn.execute("SELECT name, query FROM saved_filter WHERE account = %s", [account.name])
    return sorted(await rows.fetchall(), key=lambda row: collation.key(row[0]))


def add(app: FastAPI, pool: AsyncConnectionPool, path: str, understood: Callable[[str], str]) -> None:
    """The forms that put a filter aside and take it away. `understood`: a query as the list at `path` reads it."""

    @app.post(path + "/saved")
    async def save(request: Request) -> Response:
        fields, account = fields_of(await request.body()), _somebody(request)
        name, query = " ".join(fields.get("name", "").split())[:LONGEST_NAME], understood(fields.get("query", ""))
        # A query is what was searched for, which may be anybody.
        if find(f"{name} {unquote_plus(query)}"):
            raise HTTPException(422, "note_personal")
        if name:
            async with pool.connection() as conn:
                await conn.execute(_SAVE, {"account": account.name, "name": name, "query": query, "most": MOST})
        return RedirectResponse(f"{path}?{query}" if query else path, 303)

    @app.post(path + "/saved/remove")
    async def remove(request: Request) -> Response:
        fields, account = fields_of(await request.body()), _somebody(request)
        async with pool.connection() as conn:
            await conn.execute(
                "DELETE FROM saved_filter WHERE account = %s AND name = %s", [account.name, fields.get("name", "")]
            )
        return RedirectResponse(path, 303)


def _somebody(request: Request) -> Account:
    account: Account = request.state.account
    if account is PUBLIC or not account.may("cases"):
        raise HTTPException(403)
    return account


def shelf(context: PageContext, query: ListQuery, kept: Sequence[tuple[str, str]]) -> Html:
    """The filters put aside, and the way to put this one aside."""
    rows = (
        tag(
            "span", link(f"{query.path}?{saved}" if saved else query.path, name),
            form(
                context, f"{query.path}/saved/remove", tag("input", type="hidden", name="name", value=name),
                tag("button", "×", class_="bare", aria_label=f"{context.word('remove')} {name}"),
            ),
            class_="kept",
        )
        for name, saved in kept
    )  # fmt: skip
    save = form(
        context, f"{query.path}/saved", tag("input", type="hidden", name="query", value=query.query()),
        tag("label", context.word("filter_name"), tag("input", name="name", maxlength=LONGEST_NAME, required="")),
        tag("button", context.word("save_filter"), class_="plain"),
    )  # fmt: skip
    more = tag("details", tag("summary", context.word("save_filter"), class_="plain"), save)
    return tag("div", *rows, more, class_="shelf")


_SAVE = """
INSERT INTO saved_filter (account, name, query)
SELECT %(account)s, %(name)s, %(query)s WHERE EXISTS (
    SELECT FROM saved_filter WHERE account = %(account)s AND name = %(name)s
) OR (SELECT count(*) FROM saved_filter WHERE account = %(account)s) < %(most)s
ON CONFLICT (account, name) DO UPDATE SET query = excluded.query
"""
