"""What the board has to publish: laid down in the transaction of the deed, and sent for ever until the broker has it.
The same bytes each time: events are known again by the key table, the rest by an id that nobody else can say."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from nats.aio.client import Client
from nats.js import JetStreamContext
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from services.kit import bus, store
from services.kit.errors import Unavailable

log = logging.getLogger("board")
ROUND_SECONDS, AGAIN_SECONDS = 0.5, 3.0
PAGE = 200
SUBJECTS = ("ioc.events.", "ioc.alerts.")


async def put(conn: AsyncConnection, subject: str, body: bytes, message_id: str) -> None:
    """Lay a message down, in the transaction of what it tells of."""
    await conn.execute(_PUT, [subject, message_id, body])


async def run(
    pool: AsyncConnectionPool, broker: Callable[[], Client | None], subjects: str, private: Callable[[str], str]
) -> None:
    """Send what lies there with subjects that begin so, for ever; an outage is waited out. Each stream has a sender of
    its own, for one may take nothing while the other does."""
    while True:
        try:
            client = broker()
            if client and client.is_connected:
                while await send(pool, client.jetstream(), subjects, private) == PAGE:
                    pass
        except (*store.OUTAGE, Unavailable) as error:
            log.warning("what is to be published on %s waits: %s: %s", subjects, type(error).__name__, error)
            await asyncio.sleep(AGAIN_SECONDS)
        await asyncio.sleep(ROUND_SECONDS)


async def send(pool: AsyncConnectionPool, js: JetStreamContext, subjects: str, private: Callable[[str], str]) -> int:
    """Send the next page, the oldest first; how many there were. Raises `Unavailable`, or what `store.OUTAGE` lists,
    and all of the page stays where the broker has not acknowledged all of it."""
    async with pool.connection() as conn, conn.transaction():
        rows = await (await conn.execute(_NEXT, [subjects, PAGE])).fetchall()
        if rows:
            messages = (bus.Outgoing(subject, bytes(body), private(text)) for _, subject, body, text in rows)
            await bus.publish_raw(js, messages, within=bus.PUBLISH_TIMEOUT)
            await conn.execute("DELETE FROM outbox WHERE id = ANY(%s)", [[row[0] for row in rows]])
    return len(rows)


_PUT = "INSERT INTO outbox (subject, message_id, body) VALUES (%s, %s, %s)"
_NEXT = """
SELECT id, subject, body, message_id FROM outbox WHERE starts_with(subject, %s)
ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
"""
