"""Wiring of the aggregator: FastStream pulls batches of raw messages, `consume` handles them, and the durable
consumer is minded."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from faststream import AckPolicy, FastStream
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.security import BaseSecurity, SASLPlaintext
from nats.aio.msg import Msg
from nats.js.api import ConsumerInfo

from schemas.streams import AGGREGATOR
from services.aggregator import staging
from services.aggregator.aside import Aside
from services.aggregator.consume import Batches, BatchLimiter
from services.aggregator.event_store import EventStore
from services.aggregator.validate import erase
from services.kit import bus, logs, metrics, patches, pull, store, streams
from services.kit.consumer import DurableConsumer
from services.kit.errors import fatal
from services.kit.health import Health
from services.kit.ownership import Ownership
from services.kit.service import guarded
from services.kit.settings import Settings

log = logging.getLogger("aggregator")
FLUSH_SECONDS = 0.1
"""How long a batch that is not full waits for more: the aggregator's share of an event's latency."""
WATCH_SECONDS = 2.0
STOP_SECONDS = 5.0


async def raw(message: Any) -> list[Msg]:
    """The messages as they came: each is decoded and validated alone, later."""
    return list(message.raw_message)


def broker_of(settings: Settings) -> NatsBroker:
    """FastStream's broker, connected as the aggregator's credential."""
    options = bus.connection_options(settings, "aggregator")
    user, password, tls = (options.pop(name, None) for name in ("user", "password", "tls"))
    shown = SASLPlaintext(user, password, ssl_context=tls) if user else BaseSecurity(ssl_context=tls)
    return NatsBroker(**options, security=shown, apply_types=False, logger=None)


def _noted(health: Health, info: ConsumerInfo) -> None:
    """Nothing to do is progress too."""
    if not info.num_pending and not info.num_ack_pending:
        health.progress()
        health.ready()


def build(settings: Settings) -> FastStream:
    """The application; nothing is connected yet."""
    patches.faststream(AGGREGATOR.batch, pull.fetch, pull.MOST_BYTES)
    health = Health("aggregator", instance=settings.instance)
    pool = store.pool(settings, "aggregator", size=5, configure=staging.make)
    broker = broker_of(settings)
    app = FastStream(broker, logger=None)
    tasks: list[asyncio.Task[None]] = []
    hands: list[BatchLimiter] = []

    @broker.subscriber(
        "ioc.events.>",
        durable=AGGREGATOR.name,
        stream=JStream(AGGREGATOR.stream, declare=False),
        config=streams.consumer_config(AGGREGATOR),
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
        counts = metrics.Reading(metrics.BATCH_RETRIES, metrics.CONSUMER_RECREATED)
        durable = DurableConsumer(AGGREGATOR, pool, health, health.progress, counts)
        # FastStream would make it too, from the first message of the stream, and asks once; and it would spin for ever
        # without a word if it vanished.
        await durable.place(lambda: js)
        aside, ownership = Aside(js, pool), Ownership(pool)
        await durable.insist([], ownership.look)
        batches = Batches(durable, EventStore(pool).store, aside.take, ownership.knowing, partial(erase, js))
        hands.append(BatchLimiter(_guarded_by(batches, health)))
        watching = durable.follow(lambda: js, WATCH_SECONDS, partial(_noted, health))
        endless = (watching, aside.bring_in(), ownership.follow())
        tasks.extend(asyncio.create_task(guarded("aggregator", one)) for one in endless)

    @app.on_shutdown
    async def close_down() -> None:
        await hands[0].finish(STOP_SECONDS)
        for task in tasks:
            task.cancel()
        await pool.close()

    return app


def _guarded_by(batches: Batches, health: Health) -> Callable[[list[Msg]], Awaitable[None]]:
    async def work(messages: list[Msg]) -> None:
        try:
            await batches.handle(messages)
        except Exception as error:
            fatal(log, "a batch cannot be handled; nothing of it is lost", error)
        health.progress()

    return work


def main() -> None:
    """Run until told to stop."""
    settings = Settings()
    logs.configure(settings.log_level)
    # Batches make many objects and no cycles: looking for cycles all the time costs a tenth of the throughput.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    asyncio.run(build(settings).run())
