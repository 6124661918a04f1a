"""Wiring of the aggregator: FastStream pulls batches of raw messages, `consume` handles them, a watchdog minds the
consumer."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import nats.errors
from faststream import AckPolicy, FastStream
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.security import SASLPlaintext
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from psycopg_pool import AsyncConnectionPool

from schemas.streams import AGGREGATOR
from services.aggregator import staging
from services.aggregator.consume import BROKER_OUTAGE, PAUSES, Consumer, Hands
from services.aggregator.ledger import Ledger
from services.kit import bus, logs, metrics, pull, store
from services.kit.errors import fatal
from services.kit.health import Health
from services.kit.service import guarded
from services.kit.settings import Settings

log = logging.getLogger("aggregator")
FLUSH_SECONDS = 0.1
"""How long a batch that is not full waits for more: the aggregator's share of an event's latency."""
WATCH_SECONDS = 2.0
STOP_SECONDS = 5.0


def bounded_fetches() -> None:
    """Have FastStream fetch as `pull` does.

    It collects a batch by several fetches, each asking for what is missing: what they bring together is bounded too.
    And it knows nats-py's own TimeoutError alone: at any other its loop dies with the messages in hand, is restarted
    without a word, and they come again only when ack_wait is over.
    """
    left = 0

    async def mended(reader: pull.Reader, batch: int, timeout: float) -> list[Msg]:  # noqa: ASYNC109
        nonlocal left
        if batch == AGGREGATOR.batch:
            left = pull.MOST_BYTES
        if left <= 0:
            raise nats.errors.TimeoutError
        found = await pull.fetch(reader, batch, timeout, left)
        left -= sum(len(message.data) for message in found)
        return found

    JetStreamContext.PullSubscription.fetch = mended  # type: ignore[method-assign, assignment]


async def raw(message: Any) -> list[Msg]:
    """The messages as they came: each is decoded and validated alone, later."""
    return list(message.raw_message)


def broker_of(settings: Settings) -> NatsBroker:
    """FastStream's broker, connected as the aggregator's credential."""
    options = bus.connection_options(settings, "aggregator")
    user, password = options.pop("user", None), options.pop("password", None)
    security = SASLPlaintext(username=user, password=password) if user else None
    return NatsBroker(**options, security=security, apply_types=False, logger=None)


async def watch(js: JetStreamContext, pool: AsyncConnectionPool, health: Health) -> None:
    """Mind the durable consumer: FastStream would spin for ever without a word if it vanished. Also note the safe
    position."""
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        try:
            info = await js.consumer_info(AGGREGATOR.stream, AGGREGATOR.name)
            floor = info.ack_floor.stream_seq if info.ack_floor else 0
            if floor:
                await _note_position(pool, floor)
            if not info.num_pending and not info.num_ack_pending:
                health.progress()
                health.ready()
        except NotFoundError:
            start = await _known_position(pool)
            if start > (await js.stream_info(AGGREGATOR.stream)).state.last_seq:
                start = 0  # the stream was made anew: its numbers mean nothing to us, its events may all be new
            log.error("the consumer %s has vanished; made anew after message %d", AGGREGATOR.name, start)
            await bus.ensure_consumer(js, AGGREGATOR, start)
            metrics.CONSUMER_RECREATED.inc()
        except (*BROKER_OUTAGE, *store.OUTAGE) as error:
            health.not_ready(f"{type(error).__name__}: {error}")


async def answered(js: JetStreamContext, health: Health) -> None:
    """Wait until the broker tells of the consumer: nodes that have just come up still choose who leads it, and
    FastStream, which asks once, would end the process."""
    while True:
        try:
            await js.consumer_info(AGGREGATOR.stream, AGGREGATOR.name)
            return
        except NotFoundError:
            return  # FastStream makes it
        except BROKER_OUTAGE as error:
            health.not_ready(f"the broker does not tell of the consumer: {type(error).__name__}: {error}")
            await asyncio.sleep(PAUSES[1])


async def _note_position(pool: AsyncConnectionPool, seq: int) -> None:
    async with pool.connection() as conn:
        await conn.execute(_NOTE_POSITION, (AGGREGATOR.name, seq))


async def _known_position(pool: AsyncConnectionPool) -> int:
    async with pool.connection() as conn:
        row = await (await conn.execute("SELECT seq FROM position WHERE consumer = %s", (AGGREGATOR.name,))).fetchone()
    return row[0] if row else 0


_NOTE_POSITION = """
INSERT INTO position AS p VALUES (%s, %s)
ON CONFLICT (consumer) DO UPDATE SET seq = excluded.seq WHERE p.seq <> excluded.seq
"""


def build(settings: Settings) -> FastStream:
    """The application; nothing is connected yet."""
    bounded_fetches()
    health = Health("aggregator", instance=settings.instance)
    pool = store.pool(settings, "aggregator", size=5, configure=staging.make)
    broker = broker_of(settings)
    app = FastStream(broker, logger=None)
    tasks: list[asyncio.Task[None]] = []
    hands: list[Hands] = []

    @broker.subscriber(
        "ioc.events.>",
        durable=AGGREGATOR.name,
        stream=JStream(AGGREGATOR.stream, declare=False),
        config=bus.consumer_config(AGGREGATOR),
        pull_sub=PullSub(batch_size=AGGREGATOR.batch, timeout=FLUSH_SECONDS, batch=True),
        inbox_prefix=f"_INBOX_{settings.user}.".encode(),
        ack_policy=AckPolicy.MANUAL,
        decoder=raw,
    )
    async def handle(messages: list[Msg]) -> None:
        await hands[0].take(messages)

    @app.on_startup
    async def open_up() -> None:
        health.serve(settings.health_port, settings.host)
        await pool.open()
        await broker.connect()
        js = broker.config.connection_state.stream
        await answered(js, health)
        hands.append(Hands(_guarded_by(Consumer(js, Ledger(pool).store, health))))
        tasks.append(asyncio.create_task(guarded("aggregator", watch(js, pool, health))))

    @app.on_shutdown
    async def close_down() -> None:
        await hands[0].finish(STOP_SECONDS)
        for task in tasks:
            task.cancel()
        await pool.close()

    return app


def _guarded_by(consumer: Consumer) -> Callable[[list[Msg]], Awaitable[None]]:
    async def work(messages: list[Msg]) -> None:
        try:
            await consumer.handle(messages)
        except BROKER_OUTAGE as error:
            # Stored but not acknowledged: it comes again and is met as a duplicate.
            log.warning("%d messages stored, not acknowledged: %s", len(messages), error)
        except Exception as error:
            fatal(log, "a batch cannot be handled; nothing of it is lost", error)

    return work


def main() -> None:
    """Run until told to stop."""
    settings = Settings()
    logs.configure(settings.log_level)
    # Batches make many objects and no cycles: looking for cycles all the time costs a tenth of the throughput.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    asyncio.run(build(settings).run())
