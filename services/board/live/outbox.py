"""What the board has to publish: laid down in the transaction of the deed, and sent for ever until the broker has it.
The same bytes each time: events are known again by the key table, the rest by an id that nobody else can say."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from nats.aio.client import Client
from nats.js import JetStreamContext
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from services.kit import bus, outbox, store
from services.kit.errors import Unavailable

log = logging.getLogger("board")
ROUND_SECONDS, AGAIN_SECONDS = 0.5, 3.0
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
                while await send(pool, client.jetstream(), subjects, private) == outbox.PAGE:
                    pass
        except (*store.OUTAGE, Unavailable) as error:
            log.warning("what is to be published on %s waits: %s: %s", subjects, type(error).__name__, error)
            await asyncio.sleep(AGAIN_SECONDS)
        await asyncio.sleep(ROUND_SECONDS)


async def send(pool: AsyncConnectionPool, js: JetStreamContext, subjects: str, private: Callable[[str], str]) -> int:
    """Send the next page, see `services.kit.outbox.send`."""

    def message(row: Sequence[Any]) -> bus.Outgoing:
        _, subject, body, text = row
        return bus.Outgoing(subject, bytes(body), private(text))

    return await outbox.send(pool, js, _NEXT, [subjects], "DELETE FROM outbox WHERE id = ANY(%s)", message)


_PUT = "INSERT INTO outbox (subject, message_id, body) VALUES (%s, %s, %s)"
_NEXT = """
SELECT id, subject, body, message_id FROM outbox WHERE starts_with(subject, %s)
ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
"""
