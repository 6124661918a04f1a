"""What one would write first, a baseline: a FastStream handler per message that validates it and inserts one row.

The same models validate; the insert is idempotent; the message is acknowledged after it. All else is FastStream's and
psycopg's default. There are no state, no series, no rollups.
"""

from __future__ import annotations

import asyncio

from faststream import FastStream
from faststream.nats import JStream, NatsMessage
from nats.js.api import ConsumerConfig
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from schemas.envelope import Event
from schemas.registry import parse
from schemas.streams import AGGREGATOR
from services.aggregator.app import broker_of
from services.kit.clock import now
from services.kit.settings import Settings

TABLE = "CREATE TABLE bench_naive (key uuid PRIMARY KEY, time timestamptz, type text, unit text, data jsonb)"
INSERT = "INSERT INTO bench_naive VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"


async def validated(message: NatsMessage) -> Event:
    """The typed event of a message."""
    return parse(message.body, now(), message.raw_message.subject)


def build(settings: Settings) -> FastStream:
    """The application."""
    broker = broker_of(settings)
    pool = AsyncConnectionPool(settings.database("owner"), open=False)
    app = FastStream(broker, logger=None)

    @broker.subscriber(
        "ioc.events.>",
        durable=AGGREGATOR.name,
        stream=JStream(AGGREGATOR.stream, declare=False),
        config=ConsumerConfig(max_ack_pending=10_000),
        decoder=validated,
    )
    async def handle(event: Event) -> None:
        async with pool.connection() as conn:
            await conn.execute(INSERT, (event.key, event.time, event.type, event.unit, Jsonb(event.fields)))

    app.on_startup(pool.open)
    app.on_shutdown(pool.close)
    return app


if __name__ == "__main__":
    asyncio.run(build(Settings()).run())
