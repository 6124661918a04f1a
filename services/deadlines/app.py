"""Wiring of the deadlines service: look, publish what is owed, pause. Outages are waited out, all else stops it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from nats.js import JetStreamContext
from psycopg_pool import AsyncConnectionPool

from schemas.codes import masked
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
AGAIN_SECONDS, LONGEST_PAUSE = 30.0, 600.0
WITHIN_SECONDS = 10.0
"""How long the broker may take for a page of notices; then all that are owed are looked up again."""


async def run(settings: Settings, health: Health) -> None:
    """Look for ever. Only the fold says that a notice has arrived: what stays owed is published again."""
    said = Said()
    async with store.pool(settings, "deadlines") as pool, bus.attached(settings, "deadlines") as client:
        js = client.jetstream()
        while True:
            try:
                bus.require(client)
                await poll(pool, js, said, clock.now())
                health.ready()
            except (*store.OUTAGE, Unavailable) as error:
                log.warning("waiting: %s: %s", type(error).__name__, error)
                health.not_ready(f"waiting: {type(error).__name__}: {error}")
            health.progress()
            await asyncio.sleep(PAUSE_SECONDS)


class Said:
    """When each notice that is still owed is to be published again: after half a minute, then ever more seldom."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due: dict[UUID, tuple[float, float]] = {}

    def is_due(self, key: UUID) -> bool:
        """Whether the notice is to be published now."""
        return key not in self._due or self._due[key][0] <= self._clock()

    def __contains__(self, key: UUID) -> bool:
        return key in self._due

    def add(self, key: UUID) -> None:
        """The notice was published, or is not fit to be."""
        pause = min(self._due[key][1] * 2, LONGEST_PAUSE) if key in self._due else AGAIN_SECONDS
        self._due[key] = self._clock() + pause, pause

    def keep(self, owed: set[UUID]) -> None:
        """Forget what is owed no more."""
        self._due = {key: due for key, due in self._due.items() if key in owed}


async def poll(pool: AsyncConnectionPool, js: JetStreamContext, said: Said, now: datetime) -> None:
    """Publish all notices owed at `now` but those that were said a moment ago."""
    seen: set[UUID] = set()
    async for rows in pages(pool, now):
        owed = [event for row in rows for event in notices(row, now)]
        due = [event for event in owed if said.is_due(event.key)]
        fit = [event for event in due if _is_valid(event, now)]
        await bus.publish_many(js, fit, within=WITHIN_SECONDS)
        _count([event for event in fit if event.key not in said])
        for event in due:
            said.add(event.key)
        seen |= {event.key for event in owed}
    said.keep(seen)


def _is_valid(event: Event, now: datetime) -> bool:
    """What the aggregator would refuse is not published; it is told as often as it would be."""
    try:
        check_event(event, now)
    except Invalid as invalid:
        log.error("%s of %s is not published: %s", event.data.event, masked(event.touches[0].id), invalid)
        return False
    return True


def _count(fresh: Iterable[Event]) -> None:
    for event in fresh:
        log.info("%s %s", event.data.event, masked(event.touches[0].id))
        metrics.NOTICES_PUBLISHED.labels(event.data.event, event.id.rpartition("/")[2]).inc()


def main() -> None:
    """Run until told to stop."""
    live("deadlines", run, stalled_after=90)
