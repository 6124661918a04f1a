"""Tokens by which programs read in the name of an account: never more than the account may, and often less."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool

from schemas.personal import find
from services.board.access import ROLES, Account, Role
from services.board.auth import accounts, audit
from services.board.auth.accounts import NAME, Refused
from services.board.auth.sessions import ANSWER_SECONDS
from services.kit import clock
from services.kit.keys import digest

LONGEST_DAYS = 400
_TOKEN = re.compile(r"ioc_[A-Za-z0-9_-]{43}")


class TokenRow(NamedTuple):
    """A token as it is listed; `units`: empty, those of its account."""

    account: str
    name: str
    role: Role
    units: list[str]
    created_at: datetime
    expires_at: datetime
    seen_at: datetime | None


@dataclass(frozen=True)
class Bearer:
    """Who shows a token. `key`: the digest of it."""

    key: str
    account: Account


async def add(
    conn: AsyncConnection, by: Account, account: str, name: str, role: Role, units: Sequence[str], days: int
) -> str:
    """Make a token of an account, and return it: it is kept nowhere. `Refused` for more than the account may."""
    of, now = await accounts.get(conn, account), clock.now()
    if not by.covers(of.units):
        raise Refused("no_account")
    if ROLES.index(role) > ROLES.index(of.role):
        raise Refused("beyond_role")
    if units and not of.covers(units):
        raise Refused("beyond_units")
    if not NAME.fullmatch(name) or find(name) or not 1 <= days <= LONGEST_DAYS:
        raise Refused("bad_token")
    token = f"ioc_{secrets.token_urlsafe(32)}"
    values = [digest(token), of.name, name, role, list(units), now, now + timedelta(days=days)]
    async with conn.transaction():
        if not (await conn.execute(_INSERT, values)).rowcount:
            raise Refused("bad_token")
        detail = {"token": name, "role": role, "units": list(units), "days": days}
        await audit.note(conn, by, "account.token_added", of.name, detail)
    return token


async def revoke(conn: AsyncConnection, by: Account, account: str, name: str) -> None:
    """Take a token back: it opens nothing from now on."""
    if not by.covers((await accounts.get(conn, account)).units):
        raise Refused("no_account")
    async with conn.transaction():
        if not (await conn.execute(_DELETE, [account, name])).rowcount:
            raise Refused("no_token")
        await audit.note(conn, by, "account.token_revoked", account, {"token": name})


async def all_tokens(conn: AsyncConnection) -> list[TokenRow]:
    """All tokens, by account and name; also those that have expired."""
    async with conn.cursor(row_factory=class_row(TokenRow)) as cursor:
        return await (await cursor.execute(_SELECT)).fetchall()


async def bearer(pool: AsyncConnectionPool, token: str) -> Bearer | None:
    """Who shows this token; None: it is none, has expired, or its account may not enter. Raises what `store.OUTAGE`
    lists where that cannot be said."""
    if not _TOKEN.fullmatch(token):
        return None
    async with asyncio.timeout(ANSWER_SECONDS), pool.connection() as conn:
        values = {"digest": digest(token), "now": clock.now()}
        row = await (await conn.execute(_FIND, values)).fetchone()
        if row is None:
            return None
        name, full_name, role, units, token_role, token_units, unseen = row
        if unseen:
            await conn.execute("UPDATE api_token SET seen_at = %(now)s WHERE digest = %(digest)s", values)
    account = bounded(Account(name, full_name, role, tuple(units)), token_role, token_units)
    return Bearer(digest(token), account) if account else None


def bounded(account: Account, role: Role, units: Sequence[str]) -> Account | None:
    """What a token may of what its account may today; None: nothing is left of its units."""
    within = tuple(unit for unit in units if account.covers((unit,)))
    if units and not within:
        return None
    return replace(account, role=min(role, account.role, key=ROLES.index), units=within or account.units)


_INSERT = """
INSERT INTO api_token (digest, account, name, role, units, created_at, expires_at) VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING
"""
_DELETE = "DELETE FROM api_token WHERE account = %s AND name = %s"
_SELECT = """
SELECT account, name, role, units, created_at, expires_at, seen_at FROM api_token ORDER BY account, name
"""
_FIND = """
SELECT a.name, a.full_name, a.role, a.units, t.role, t.units,
    coalesce(t.seen_at < %(now)s - interval '1 minute', true)
FROM api_token t JOIN account a ON a.name = t.account
WHERE t.digest = %(digest)s AND t.expires_at > %(now)s AND NOT a.disabled
"""
