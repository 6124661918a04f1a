"""Wiring of the deadlines service: look, publish what is owed, pause. Outages are waited out, all else stops it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from nats.js import JetStreamContext
from psycopg_pool import AsyncConnectionPool

from schemas.envelope import Event, Invalid, check_event
from services.deadlines.notices import notices
from services.deadlines.worklist import pages
from services.kit import bus, clock, metrics, store
from services.kit.errors import Unavailable
from services.kit.health import Health
from services.kit.service import live
from services.kit.settings import Settings

log = logging.getLogger("deadlines")
PAUSE_SECONDS = 1.0
WITHIN_SECONDS = 10.0
"""How long the broker may take for a page of notices; then all that are owed are looked up again."""


async def run(settings: Settings, health: Health) -> None:
    """Look for ever. What was published and is still listed is remembered until the aggregator has folded it."""
    said: set[UUID] = set()
    async with store.pool(settings, "deadlines") as pool, bus.attached(settings, "deadlines") as client:
        js = client.jetstream()
        while True:
            try:
                bus.require(client)
                await look(pool, js, said, clock.now())
                health.ready()
            except (*store.OUTAGE, Unavailable) as error:
                log.warning("waiting: %s: %s", type(error).__name__, error)
                health.not_ready(f"waiting: {type(error).__name__}: {error}")
            health.progress()
            await asyncio.sleep(PAUSE_SECONDS)


async def look(pool: AsyncConnectionPool, js: JetStreamContext, said: set[UUID], now: datetime) -> None:
    """Publish all notices owed at `now` but those in `said`, which then holds exactly those that are still owed."""
    seen: set[UUID] = set()
    async for rows, calendars in pages(pool, now):
        owed = [event for row in rows for event in notices(row, now, calendars)]
        fresh = [event for event in owed if event.key not in said and _is_valid(event, now)]
        await bus.publish_many(js, fresh, within=WITHIN_SECONDS)
        _count(fresh)
        keys = {event.key for event in owed}
        said |= keys
        seen |= keys
    said &= seen


def _is_valid(event: Event, now: datetime) -> bool:
    """What the aggregator would refuse is not published; it is told once, as it counts as said."""
    try:
        check_event(event, now)
    except Invalid as invalid:
        log.error("%s is not published: %s", event.id, invalid)
        return False
    return True


def _count(fresh: Iterable[Event]) -> None:
    for event in fresh:
        log.info("%s %s", event.data.event, event.id)
        metrics.NOTICES_PUBLISHED.labels(event.data.event, event.id.rpartition("/")[2]).inc()


def main() -> None:
    """Run until told to stop."""
    live("deadlines", run, stalled_after=90)
