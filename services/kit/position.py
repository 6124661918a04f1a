"""How far a durable consumer has come, noted in the database: one that vanished is made anew where it was."""

from __future__ import annotations

from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo
from nats.js.errors import NotFoundError
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from schemas.streams import Consumer
from services.kit import streams


async def note(js: JetStreamContext, pool: AsyncConnectionPool, consumer: Consumer) -> ConsumerInfo:
    """Note how far it has come; its state. It never comes back, but on a stream that was made anew; before the first
    message is done nothing is noted.

    `NotFoundError` where the consumer has vanished.
    """
    info: ConsumerInfo = await js.consumer_info(consumer.stream, consumer.name)
    floor = info.ack_floor.stream_seq if info.ack_floor else 0
    async with pool.connection() as conn:
        if floor:
            await conn.execute(_FORWARD, (consumer.name, floor))
        row = await (await conn.execute(_KNOWN, (consumer.name,))).fetchone()
        noted = row[0] if row else 0
        if noted > floor and noted > (await js.stream_info(consumer.stream)).state.last_seq:
            await (conn.execute(_BACK, (floor, consumer.name, noted)) if floor else forget(conn, consumer))
    return info


async def forget(conn: AsyncConnection, consumer: Consumer) -> None:
    """Nothing is noted any more: it begins with the first message. No row ever says 0."""
    await conn.execute(FORGET, (consumer.name,))


async def place(js: JetStreamContext, pool: AsyncConnectionPool, consumer: Consumer) -> int | None:
    """Make the consumer where it is missing; the number of the message after which it begins, or None if it was there.

    On a stream that was made anew the numbers that are noted mean nothing: there it begins with the first message.
    """
    try:
        await js.consumer_info(consumer.stream, consumer.name)
        return None
    except NotFoundError:
        start = streams.start_after(
            await last_done(pool, consumer), (await js.stream_info(consumer.stream)).state.last_seq
        )
        return start if await streams.ensure_consumer(js, consumer, start) else None


async def last_done(pool: AsyncConnectionPool, consumer: Consumer) -> int:
    """The number of the message up to which all is done; 0 where nothing is noted."""
    async with pool.connection() as conn:
        row = await (await conn.execute(_KNOWN, (consumer.name,))).fetchone()
    return row[0] if row else 0


_FORWARD = """
INSERT INTO position AS p VALUES (%s, %s)
ON CONFLICT (consumer) DO UPDATE SET seq = excluded.seq WHERE p.seq < excluded.seq
"""
_KNOWN = "SELECT seq FROM position WHERE consumer = %s"
FORGET = "DELETE FROM position WHERE consumer = %s"
_BACK = "UPDATE position SET seq = %s WHERE consumer = %s AND seq = %s"
