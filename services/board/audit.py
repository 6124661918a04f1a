"""The audit: every action is a row, written with the action itself, and published on the stream of alarms after it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import Any, NamedTuple

from nats.aio.client import Client
from nats.js import JetStreamContext
from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from services.board.access import Account
from services.kit import bus, clock, store
from services.kit.errors import Unavailable

log = logging.getLogger("board")
ROUND_SECONDS, AGAIN_SECONDS = 0.5, 3.0
PAGE = 200
ADDRESS: ContextVar[str] = ContextVar("address", default="")
"""From where the request came that is being answered, or whose page is being acted on."""


class Deed(NamedTuple):
    """A row of the audit: who did what to what, when, from where."""

    id: int
    at: datetime
    by: str
    action: str
    subject: str
    detail: dict[str, Any]
    address: str


async def note(
    conn: AsyncConnection, account: Account, action: str, subject: str = "", detail: Mapping[str, Any] | None = None
) -> None:
    """Note that `account` did `action` (`a_z.a_z`) to `subject`; in the transaction of the action, if it has one.

    What is noted is published when the broker answers; no password, no token and no name of a citizen belongs here.
    """
    values = [clock.now(), account.name, action, subject, Jsonb(dict(detail or {})), ADDRESS.get()]
    await conn.execute(_NOTE, values)


async def latest(conn: AsyncConnection, subject: str | None = None, limit: int = 50) -> list[Deed]:
    """What was done last, to `subject` or at all; the newest first."""
    async with conn.cursor(row_factory=class_row(Deed)) as cursor:
        return await (await cursor.execute(_LATEST, {"subject": subject, "limit": limit})).fetchall()


async def run(pool: AsyncConnectionPool, broker: Callable[[], Client | None]) -> None:
    """Publish what is noted, for ever; an outage is waited out."""
    while True:
        try:
            client = broker()
            if client and client.is_connected:
                await publish(pool, client.jetstream())
        except (*store.OUTAGE, Unavailable) as error:
            log.warning("the audit is published later: %s: %s", type(error).__name__, error)
            await asyncio.sleep(AGAIN_SECONDS)
        await asyncio.sleep(ROUND_SECONDS)


async def publish(pool: AsyncConnectionPool, js: JetStreamContext) -> int:
    """Publish what the broker does not have yet, each under an id of its own, so that none is there twice; how many."""
    async with pool.connection() as conn, conn.transaction():
        async with conn.cursor(row_factory=class_row(Deed)) as cursor:
            deeds = await (await cursor.execute(_WAITING, [PAGE])).fetchall()
        if deeds:
            messages = ((f"ioc.alerts.audit.{d.action}", _json(d), f"audit-{d.id}-{d.at.isoformat()}") for d in deeds)
            await bus.publish_raw(js, messages, within=bus.PUBLISH_TIMEOUT)
            await conn.execute("DELETE FROM audit_waiting WHERE audit = ANY(%s)", [[d.id for d in deeds]])
    return len(deeds)


def _json(deed: Deed) -> bytes:
    told = {**deed._asdict(), "at": deed.at.isoformat()}
    return json.dumps(told, ensure_ascii=False).encode()


_NOTE = """
WITH noted AS (
    INSERT INTO audit (at, by, action, subject, detail, address) VALUES (%s, %s, %s, %s, %s, %s) RETURNING id
)
INSERT INTO audit_waiting SELECT id FROM noted
"""
_LATEST = """
SELECT id, at, by, action, subject, detail, address FROM audit
WHERE %(subject)s::text IS NULL OR subject = %(subject)s ORDER BY id DESC LIMIT %(limit)s
"""
_WAITING = """
SELECT a.id, at, by, action, subject, detail, address FROM audit_waiting w JOIN audit a ON a.id = w.audit
ORDER BY a.id LIMIT %s FOR UPDATE OF w SKIP LOCKED
"""
