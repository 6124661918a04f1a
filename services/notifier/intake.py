"""The domain's own events that raise alarms: pulled in batches, acknowledged once the alarms are committed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from psycopg_pool import AsyncConnectionPool

from schemas.codes import masked
from schemas.envelope import Invalid
from schemas.registry import parse
from schemas.streams import NOTIFIER
from services.kit import bus, clock, metrics, position, pull, store
from services.kit.errors import Unavailable
from services.kit.health import Health
from services.notifier import domain, ledger
from services.notifier.alarm import Raise

log = logging.getLogger("notifier")
BROKER_OUTAGE = (*bus.OUTAGE, Unavailable)
FETCH_SECONDS = 0.1
"""How long a batch that is not full waits for more: our share of the time until somebody is told."""
PAUSE = 1.0
WATCH_SECONDS = 0.5


async def listen(client: Client, pool: AsyncConnectionPool) -> None:
    """For ever: fetch, store, acknowledge. A batch that cannot be stored now is kept and tried again."""
    reader: JetStreamContext.PullSubscription | None = None
    while True:
        try:
            bus.require(client)
            if reader is None:
                reader = await client.jetstream().pull_subscribe_bind(NOTIFIER.name, NOTIFIER.stream)
            messages = await pull.fetch(reader, NOTIFIER.batch, FETCH_SECONDS)
            async with pull.in_work(messages):
                await _insist(messages, lambda messages=messages: take(pool, messages, clock.now()))  # type: ignore[misc]
            for message in messages:
                await message.ack()
        except TimeoutError:
            continue  # nothing came
        except BROKER_OUTAGE as error:
            log.warning("listening waits: %s: %s", type(error).__name__, error)
            await asyncio.sleep(PAUSE)


async def _insist(messages: list[Msg], attempt: Callable[[], Awaitable[None]]) -> None:
    """Try until the database can."""
    while True:
        try:
            return await attempt()
        except store.OUTAGE as error:
            log.warning("kept %d events, trying again: %s: %s", len(messages), type(error).__name__, error)
        await asyncio.sleep(PAUSE)


async def take(pool: AsyncConnectionPool, messages: list[Msg], now: datetime) -> None:
    """Raise the alarms that the messages tell of, in one transaction, but for what is over already."""
    found = [(one, message.metadata.timestamp) for message in messages if (one := _understood(message, now))]
    async with ledger.writing(pool) as conn:
        states = await ledger.states(conn, {one.case for one, _ in found})

        def is_of_interest(one: Raise, recorded: datetime) -> bool:
            state = states.get(one.case)
            if state is None:
                return recorded > now - domain.FORGOTTEN
            return not domain.is_over(one.kind or "", one.stage, one.due_at or now, state, now)

        raised = await ledger.raise_all(conn, [one for one, at in found if is_of_interest(one, at)], now)
    count(raised)


def count(raised: list[Raise]) -> None:
    """Tell of the alarms that are new."""
    for one in raised:
        log.info("raised %s %s %s", one.type, one.kind or "", masked(one.entity) if one.entity else one.originator)
        metrics.ALARMS_RAISED.labels(one.system).inc()


def _understood(message: Msg, now: datetime) -> Raise | None:
    """The alarm of a message; none for what the aggregator quarantines anyway."""
    try:
        return domain.to_raise(parse(message.data, now, message.subject))
    except Invalid as invalid:
        log.warning("passed by what is no valid event, see `ioc quarantine`: %s", invalid)
        return None


async def watch(client: Client, pool: AsyncConnectionPool, health: Health) -> None:
    """Mind the durable consumer and note how far it is; ready while broker and database answer."""
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        try:
            bus.require(client)
            await _mind(client.jetstream(), pool)
            health.ready()
        except (*BROKER_OUTAGE, *store.OUTAGE) as error:
            health.not_ready(f"{type(error).__name__}: {error}")


async def _mind(js: JetStreamContext, pool: AsyncConnectionPool) -> None:
    try:
        await position.note(js, pool, NOTIFIER)
    except NotFoundError:
        start = await position.place(js, pool, NOTIFIER)
        log.error("the consumer %s was missing; made anew after message %s", NOTIFIER.name, start)
