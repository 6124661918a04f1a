"""Sessions: who is in, known by the digest of a token that only the browser has, and what ends their open pages."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool
from starlette.requests import Request

from services.board.access import Account
from services.board.live.connections import Connections
from services.kit import clock, store
from services.kit.keys import digest

log = logging.getLogger("board")
IDLE = timedelta(hours=12)
LONGEST = timedelta(days=30)
"""A session ends when for `IDLE` nobody used it nor had a page of it open, and after `LONGEST` in any case but a
viewer's, who may do nothing: a wall is left running for months."""
COOKIE_LASTS = timedelta(days=400)
"""As long as browsers keep a token at most. The board alone says when its session ends."""
LOOK_SECONDS = 2.0
"""How soon an open page hears that its session has ended."""
ANSWER_SECONDS, HURRY_SECONDS = 2.0, 0.4
"""So long is waited for the database: for whose session is not remembered, and for whose is."""
REMEMBERED_SECONDS = 600.0
"""So long after its last answer a database that is away throws nobody out."""


@dataclass(frozen=True)
class Session:
    """One browser that is logged in. `key`: the digest of its token; `csrf`: what its forms carry."""

    key: str
    account: Account
    csrf: str


def way_of(token: str) -> str:
    """How a session came in: its token says so, and would be another's if it said otherwise."""
    return token.partition(".")[0]


async def begin(conn: AsyncConnection, account: Account, now: datetime, way: str) -> str:
    """Begin a session; returns the token, which is kept nowhere but in the browser."""
    token = f"{way}.{secrets.token_urlsafe(32)}"
    await conn.execute("DELETE FROM board_session WHERE seen_at < %s", [now - IDLE])
    await conn.execute(_BEGIN, [digest(token), account.name, secrets.token_urlsafe(24), now, now])
    await conn.execute("UPDATE account SET seen_at = %s WHERE name = %s", [now, account.name])
    return token


async def end(conn: AsyncConnection, token: str) -> None:
    """End a session."""
    await conn.execute("DELETE FROM board_session WHERE token = %s", [digest(token)])


async def alive(conn: AsyncConnection, keys: Iterable[str], used: Iterable[str], now: datetime) -> dict[str, Session]:
    """Those of the sessions that have not ended; those that are `used` go on."""
    bounds = {"keys": list(keys), "idle": now - IDLE, "longest": now - LONGEST}
    rows = await (await conn.execute(_ALIVE, bounds)).fetchall()
    living = {key: Session(key, Account(name, full, role, tuple(units)), csrf)
              for key, name, full, role, units, csrf in rows}  # fmt: skip
    await conn.execute(_SEEN, {"used": [key for key in used if key in living], "now": now})
    return living


class Sessions:
    """The sessions of this board: found for each request, and remembered while the database is away."""

    def __init__(self, pool: AsyncConnectionPool, connections: Connections) -> None:
        self._pool, self._connections = pool, connections
        self._known: dict[str, tuple[Session, float]] = {}
        self._away = False

    async def find(self, token: str | None) -> Session | None:
        """The session of a token, if it lives; raises what `store.OUTAGE` lists where that cannot be said."""
        if not token:
            return None
        key = digest(token)
        remembered = self._remembered(key)
        if self._away and remembered:
            return remembered
        try:
            async with asyncio.timeout(HURRY_SECONDS if remembered else None):
                return (await self._read({key}, {key})).get(key)
        except store.OUTAGE:
            if remembered:
                return remembered
            raise

    async def follow(self) -> None:
        """For ever: end soon the open pages whose session has ended; an outage ends none."""
        while True:
            try:
                await self._end_pages()
            except store.OUTAGE as error:
                log.warning("sessions are looked at later: %s: %s", type(error).__name__, error)
            await asyncio.sleep(LOOK_SECONDS)

    async def _end_pages(self) -> None:
        open_ones = self._connections.sessions()
        living = await self._read(open_ones | set(self._known), open_ones)
        self._connections.end(open_ones - set(living))

    async def _read(self, keys: set[str], used: set[str]) -> Mapping[str, Session]:
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self._pool.connection() as conn:
                living = await alive(conn, keys, used, clock.now())
        except store.OUTAGE:
            self._away = True
            raise
        now, self._away = time.monotonic(), False
        kept = {key: known for key, known in self._known.items() if key not in keys}
        self._known = kept | {key: (session, now) for key, session in living.items()}
        return living

    def _remembered(self, key: str) -> Session | None:
        session, at = self._known.get(key, (None, 0.0))
        return session if session and at > time.monotonic() - REMEMBERED_SECONDS else None


def login_from(request: Request) -> str:
    """The log-in that leads back to what was asked for."""
    return with_next("/login", request.url.path + (f"?{request.url.query}" if request.url.query else ""))


def with_next(path: str, target: str) -> str:
    """A path that leads on to another."""
    return f"{path}?next={quote(target, safe='')}"


_BEGIN = "INSERT INTO board_session (token, account, csrf, created_at, seen_at) VALUES (%s, %s, %s, %s, %s)"
_ALIVE = """
SELECT s.token, a.name, a.full_name, a.role, a.units, s.csrf FROM board_session s JOIN account a ON a.name = s.account
WHERE s.token = ANY(%(keys)s) AND s.seen_at >= %(idle)s AND (s.created_at >= %(longest)s OR a.role = 'viewer')
    AND NOT a.disabled
"""
_SEEN = """
WITH seen AS (
    UPDATE board_session SET seen_at = %(now)s
    WHERE token = ANY(%(used)s) AND seen_at < %(now)s - interval '1 minute' RETURNING account
)
UPDATE account SET seen_at = %(now)s WHERE name IN (SELECT account FROM seen)
"""
