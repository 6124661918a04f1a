"""Where the readers of a stream go on after a restore: after the last message that the database surely holds."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from infra.nats.backup import time_of
from schemas.streams import AGGREGATOR, CONSUMERS, QUARANTINE, Consumer
from services.kit import bus, clock, position, store, streams

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nats.aio.client import Client
    from nats.js import JetStreamContext

    from infra.backups import Manifest
    from services.kit.settings import Settings

PAGE = 1000


async def replay(client: Client, settings: Settings, manifest: Manifest, new_streams: bool) -> dict[str, int]:
    """Make every consumer anew, to read again all that the database may lack; consumer -> sequence it goes on after.

    `new_streams`: the streams were restored from this backup too. Otherwise the live stream is asked whether it is
    the one that the backup has read: if not, all of it is read again.
    """
    started = {}
    for consumer in CONSUMERS:
        start = await _start(client, settings, consumer, manifest, new_streams)
        await _make_anew(client.jetstream(), consumer, start)
        _note_position(settings, consumer, start)
        started[consumer.name] = start
    await _take_back(settings, started, new_streams)
    return started


async def _start(client: Client, settings: Settings, consumer: Consumer, manifest: Manifest, new_streams: bool) -> int:
    saved = manifest.database.positions.get(consumer.name, 0)
    if new_streams:
        return min(saved, _position(settings, consumer))
    # Numbers alone say little: a stream that was made anew counts from one again.
    mark = manifest.marks.get(consumer.name)
    return saved if mark and await time_of(client, consumer.stream, saved) == mark else 0


async def _make_anew(js: JetStreamContext, consumer: Consumer, start: int) -> None:
    from nats.js.errors import NotFoundError

    with suppress(NotFoundError):
        await js.delete_consumer(consumer.stream, consumer.name)
    await streams.ensure_consumer(js, consumer, start)


def _position(settings: Settings, consumer: Consumer) -> int:
    with store.connect(settings, "owner") as conn:
        row = conn.execute("SELECT seq FROM position WHERE consumer = %s", (consumer.name,)).fetchone()
    return row[0] if row else 0


def _note_position(settings: Settings, consumer: Consumer, start: int) -> None:
    with store.connect(settings, "owner") as conn:
        conn.execute(position.FORGET, (consumer.name,))
        if start:
            conn.execute(_NOTE, (consumer.name, start))


_NOTE = "INSERT INTO position VALUES (%s, %s)"


async def _take_back(settings: Settings, started: dict[str, int], new_streams: bool) -> None:
    """Take out of the quarantine what will be read and judged again, unless the broker knows it and drops the second.

    It remembers what it met for the stream's window of time, but nothing of what a restored stream met.
    """
    window = QUARANTINE.dedupe or timedelta()
    remembered = clock.now() if new_streams else clock.now() - window
    start = started[AGGREGATOR.name]
    async with bus.connected(settings.model_copy(update={"user": "cli"}), "restore") as client:
        js = client.jetstream()
        again = [seq async for seq, read, laid in _quarantined(js) if read > start and laid < remembered]
        for seq in again:
            await js.delete_msg(QUARANTINE.name, seq)


async def _quarantined(js: JetStreamContext) -> AsyncIterator[tuple[int, int, datetime]]:
    """(its sequence, the sequence it had in EVENTS, when it was laid there) of all that lies in the quarantine."""
    from nats.js.api import AckPolicy, ConsumerConfig

    pending = (await js.stream_info(QUARANTINE.name)).state.messages
    config = ConsumerConfig(ack_policy=AckPolicy.NONE, headers_only=True, inactive_threshold=30)
    reader = await js.pull_subscribe(QUARANTINE.subjects[0], stream=QUARANTINE.name, config=config) if pending else None
    while reader and pending:
        for message in await reader.fetch(PAGE, timeout=5):
            meta = message.metadata
            pending = meta.num_pending
            yield meta.sequence.stream, int((message.headers or {}).get("Ioc-Sequence", 0)), meta.timestamp
