"""The bare pipe, a baseline: raw batches fetched and copied into a table, committed, acknowledged, nothing else.

The fetch is the aggregator's. No program that stores what it reads from the stream, in batches, with this client and
this database, does less.
"""

from __future__ import annotations

import asyncio

import nats
import nats.errors
import psycopg
from nats.aio.msg import Msg

from schemas.streams import AGGREGATOR
from services.kit import bus, pull
from services.kit.settings import Settings

TABLE = "CREATE TABLE bench_pipe (seq bigint, subject text, time timestamptz, data bytea)"
COPY = "COPY bench_pipe (seq, subject, time, data) FROM STDIN"


async def run(settings: Settings) -> None:
    """Read until told to stop."""
    client = await nats.connect(**bus.connection_options(settings, "pipe"))
    messages = await client.jetstream().pull_subscribe_bind(AGGREGATOR.name, AGGREGATOR.stream)
    async with await psycopg.AsyncConnection.connect(settings.database("owner")) as conn:
        while True:
            try:
                batch = await pull.fetch(messages, AGGREGATOR.batch, 1)
            except nats.errors.TimeoutError:
                continue
            await _store(conn, batch)
            for message in batch:
                await message.ack()


async def _store(conn: psycopg.AsyncConnection, batch: list[Msg]) -> None:
    async with conn.transaction(), conn.cursor().copy(COPY) as copy:
        for message in batch:
            meta = message.metadata
            await copy.write_row((meta.sequence.stream, message.subject, meta.timestamp, message.data))


if __name__ == "__main__":
    asyncio.run(run(Settings()))
