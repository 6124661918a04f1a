"""When an alarm of a rule is over. Alertmanager calls over whatever a dead Prometheus does not repeat, and itself never
repeats what is silenced or inhibited: neither such an end nor silence is believed before Alertmanager was asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import httpx
from psycopg_pool import AsyncConnectionPool
from pydantic import ValidationError

from services.kit.errors import Unavailable
from services.notifier import alarm_repository
from services.notifier.alarm import OURSELVES, RANKS, Key
from services.notifier.watchdog import Watchdog
from services.notifier.webhook import active

UNHEARD = timedelta(minutes=15)
"""Alertmanager repeats what it tells of every few minutes; the end of what was not heard for so long may be lost."""
WITHIN_SECONDS = 5.0


class Ends:
    """Clears what is over: said to be so, not come back for `settling` on an open road, not held by Alertmanager."""

    def __init__(
        self, pool: AsyncConnectionPool, watchdog: Watchdog, alertmanager: httpx.AsyncClient, settling: timedelta
    ) -> None:
        self._pool, self._watchdog, self._alertmanager, self._settling = pool, watchdog, alertmanager, settling

    async def run_once(self, now: datetime) -> None:
        """Ask, if any alarm is doubtful; raises `Unavailable` if there is no answer, and what `store.OUTAGE` lists."""
        believed = self._watchdog.believed(self._settling)
        if believed is None:
            return
        async with self._pool.connection() as conn:
            if not await alarm_repository.doubtful(conn, believed, now - UNHEARD):
                return
        active = await self._active()  # nobody who would write waits for this answer
        async with alarm_repository.writing(self._pool) as conn:
            found = await alarm_repository.doubtful(conn, believed, now - UNHEARD)
            on = {d.id for d in found if active.get(Key(d.originator, d.type), -1) >= RANKS[d.severity]}
            gone = [d for d in found if d.id not in on]
            await alarm_repository.go_on(conn, on, now)
            # What nobody called over is so from now on: an Alertmanager that has just started knows of nothing yet.
            await alarm_repository.mark_ended(conn, [d.id for d in gone if not d.ended_at], now)
            await alarm_repository.clear(conn, [d.id for d in gone if d.ended_at], now, OURSELVES, "resolved")

    async def _active(self) -> Mapping[Key, int]:
        try:
            answer = await self._alertmanager.get("/api/v2/alerts", timeout=WITHIN_SECONDS)
            return active(answer.raise_for_status().content)
        except (httpx.HTTPError, ValidationError) as error:
            raise Unavailable(f"Alertmanager cannot be asked what goes on: {type(error).__name__}: {error}") from error
