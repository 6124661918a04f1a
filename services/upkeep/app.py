"""Wiring of the upkeep service: measure every minute, forget and compress every hour. Outages are waited out."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import timedelta

from psycopg import AsyncConnection

from services.kit import clock, metrics, store
from services.kit.health import Health
from services.kit.service import live
from services.kit.settings import Settings
from services.upkeep.compression import compress
from services.upkeep.measure import measure
from services.upkeep.retention import kept_days, retain

log = logging.getLogger("upkeep")
PAUSE_SECONDS = 60.0
KEEP_UP_SECONDS = 3600.0
POLITE = "SET lock_timeout = '3s'"
"""Who waits for a lock on a table makes all others queue behind; it is let go and tried again later."""


async def run(settings: Settings, health: Health) -> None:
    """Keep up for ever; what could not be done is tried again a minute later."""
    keep, due = kept_days(settings.retention_days), time.monotonic()
    async with store.pool(settings, "upkeep", size=1) as pool:
        while True:
            try:
                async with pool.connection() as conn:
                    await measure(conn)
                    health.ready()
                    if time.monotonic() >= due:
                        await keep_up(conn, keep)
                        due = time.monotonic() + KEEP_UP_SECONDS
            except store.OUTAGE as error:
                log.warning("again in a minute: %s: %s", type(error).__name__, error)
                health.not_ready(f"waiting: {type(error).__name__}: {error}")
            health.progress()
            await asyncio.sleep(PAUSE_SECONDS)


async def keep_up(conn: AsyncConnection, keep: timedelta) -> None:
    """One round: forget what is older than `keep`, compress what is old."""
    now = clock.now()
    await conn.execute(POLITE)
    async for gone in retain(conn, now - keep):
        metrics.FORGOTTEN_EVENTS.inc(gone.events)
        log.info("before %s: %d events and %d entities forgotten", gone.horizon, gone.events, gone.entities)
    if chunks := await compress(conn, now):
        log.info("%d chunks of the log compressed", chunks)


def main() -> None:
    """Run until told to stop."""
    # The first round over years of data takes its time.
    live("upkeep", run, stalled_after=1800)
