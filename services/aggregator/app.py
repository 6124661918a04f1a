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
from services.aggregator.aside import Aside
from services.aggregator.consume import PAUSES, Consumer, Hands
from services.aggregator.ledger import Ledger
from services.kit import bus, logs, metrics, position, pull, store
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
            info = await position.note(js, pool, AGGREGATOR)
            if not info.num_pending and not info.num_ack_pending:
                health.progress()
                health.ready()
        except NotFoundError:
            await _placed(js, pool, health)
        except (*bus.OUTAGE, *store.OUTAGE) as error:
            health.not_ready(f"{type(error).__name__}: {error}")


async def _placed(js: JetStreamContext, pool: AsyncConnectionPool, health: Health) -> None:
    """Make the consumer where it is missing, whatever it takes.

    FastStream would make it too, from the first message of the stream; and nodes that have just come up still choose
    who leads it: FastStream, which asks once, would end the process.
    """
    while True:
        try:
            if (start := await position.place(js, pool, AGGREGATOR)) is not None:
                log.error("the consumer %s was missing; made anew after message %d", AGGREGATOR.name, start)
                metrics.CONSUMER_RECREATED.inc()
            return
        except (*bus.OUTAGE, *store.OUTAGE) as error:
            health.not_ready(f"the broker does not tell of the consumer: {type(error).__name__}: {error}")
            await asyncio.sleep(PAUSES[1])


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
        await _placed(js, pool, health)
        aside = Aside(js, pool)
        hands.append(Hands(_guarded_by(Consumer(Ledger(pool).store, aside.take, health))))
        endless = (watch(js, pool, health), aside.bring_in())
        tasks.extend(asyncio.create_task(guarded("aggregator", one)) for one in endless)

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
        except bus.OUTAGE as error:
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
