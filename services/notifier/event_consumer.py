"""The domain's own events that raise alarms: pulled in batches, acknowledged once the alarms are committed."""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from datetime import datetime
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from psycopg_pool import AsyncConnectionPool

from schemas.codes import masked
from schemas.envelope import Invalid
from schemas.keys import Owners
from schemas.streams import NOTIFIER
from services.kit import bus, clock, metrics, pull
from services.kit.consumer import DurableConsumer
from services.kit.health import Health
from services.kit.ownership import Ownership, event_of
from services.notifier import alarm_repository, domain
from services.notifier.alarm import Raise

log = logging.getLogger("notifier")
FETCH_SECONDS = 0.1
"""How long a batch that is not full waits for more: our share of the time until somebody is told."""
WATCH_SECONDS = 0.5


def reading(client: Client, pool: AsyncConnectionPool, health: Health) -> tuple[Coroutine[Any, Any, None], ...]:
    """The endless work: take what comes, see whose source is whose, and mind the durable consumer. Ready while broker
    and database answer."""
    durable, ownership = DurableConsumer(NOTIFIER, pool, health), Ownership(pool)

    async def work(messages: list[Msg]) -> None:
        await take(pool, messages, await ownership.knowing(messages), clock.now())

    def js() -> JetStreamContext:
        bus.require(client)
        return client.jetstream()

    return (
        durable.listen(client, work, FETCH_SECONDS),
        durable.follow(js, WATCH_SECONDS, lambda info: health.ready()),
        ownership.follow(),
    )


async def take(pool: AsyncConnectionPool, messages: list[Msg], owners: Owners, now: datetime) -> None:
    """Raise the alarms that the messages tell of, in one transaction, but for what is over already."""
    found = [(one, pull.recorded(message)) for message in messages if (one := _understood(message, owners, now))]
    async with alarm_repository.writing(pool) as conn:
        states = await alarm_repository.states(conn, {one.case for one, _ in found})

        def is_of_interest(one: Raise, recorded: datetime) -> bool:
            state = states.get(one.case)
            if state is None:
                return recorded > now - domain.FORGOTTEN
            return not domain.is_over(one.kind or "", one.stage, one.due_at or now, state, now)

        raised = await alarm_repository.raise_all(conn, [one for one, at in found if is_of_interest(one, at)], now)
    count(raised)


def count(raised: list[Raise]) -> None:
    """Tell of the alarms that are new."""
    for one in raised:
        log.info("raised %s %s %s", one.type, one.kind or "", masked(one.entity) if one.entity else one.originator)
        metrics.ALARMS_RAISED.labels(one.system).inc()


def _understood(message: Msg, owners: Owners, now: datetime) -> Raise | None:
    """The alarm of a message; none for what the aggregator quarantines anyway."""
    try:
        return domain.to_raise(event_of(message, now, owners))
    except Invalid as invalid:
        log.warning("passed by what is no valid event, see `ioc quarantine`: %s", invalid)
        return None
