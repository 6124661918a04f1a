"""Looking again and again: at the database and at the broker, each on its own, so that the outage of one leaves the
other shown; and for how long what was seen may be shown."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

from nats.aio.client import Client
from psycopg import Connection

from services.exporter import broker
from services.exporter.database import PATIENCE, Database, platform
from services.exporter.figures import disagreements, figures
from services.exporter.snapshot import Samples, Snapshot
from services.kit import clock
from services.kit.errors import Unavailable
from services.kit.health import Health
from services.kit.settings import Settings

log = logging.getLogger(__name__)
LAST_SUCCESS = "ioc_exporter_last_success_timestamp_seconds"
RETRY_SECONDS = 1.0
ROUND = "ioc_exporter_round_seconds"


class Rounds:
    """The rounds of one exporter, which fill a `snapshot`."""

    def __init__(self, settings: Settings, client: Client, health: Health, patience: float = PATIENCE) -> None:
        self.snapshot = Snapshot()
        self._settings, self._client, self._health = settings, client, health
        self._every = settings.exporter_seconds
        # Two rounds missed, and the time that a look takes before the next can be shown.
        self._keep = 2 * self._every + min(self._every, patience)
        self._database = Database(settings, patience)
        self._problems = {"database": "not asked yet", "nats": "not asked yet"}
        self._state: tuple[float, datetime | None] = (-1, None)
        self._figures: Samples = {}
        self._findings: Samples = {}
        self.snapshot.put("success", _one(LAST_SUCCESS, 0))

    async def go(self) -> None:
        """For ever."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._again("database", self.look_at_database))
            both.create_task(self._again("nats", self.look_at_broker))

    async def _again(self, part: str, poll: Callable[[], Awaitable[None]]) -> None:
        while True:
            started = time.monotonic()
            problem = await _outage_of(poll)
            if problem and problem != self._problems.get(part):
                log.warning("%s: %s", part, problem)
            self._problems[part] = problem
            self.snapshot.put(part, _one(f"ioc_{part}_up", not problem))
            self._tell()
            pause = RETRY_SECONDS if problem else self._every
            await asyncio.sleep(max(pause - (time.monotonic() - started), 0))

    def _tell(self) -> None:
        self._health.progress()
        if problems := [f"{part}: {problem}" for part, problem in self._problems.items() if problem]:
            self._health.not_ready("; ".join(problems))
        else:
            self._health.ready()

    async def look_at_database(self) -> None:
        """One snapshot of it: sources, and figures where they can have changed."""
        now = clock.now()
        samples = await self._database.look_up(lambda conn: self._read(conn, now))
        self.snapshot.put("figures", samples, self._keep)
        self.snapshot.put("success", _one(LAST_SUCCESS, now.timestamp()))

    def _read(self, conn: Connection, now: datetime) -> Samples:
        samples = platform(conn, now)
        # Figures move with events and with time: deadlines pass, days begin. Findings look back over weeks of events.
        minute = now.replace(second=0, microsecond=0)
        if (state := (sum(samples["ioc_events_total"].values()), minute)) != self._state:
            started = time.monotonic()
            self._figures = figures(conn, now)
            if minute != self._state[1]:
                self._findings = disagreements(conn, now)
            self._figures |= _one(ROUND, time.monotonic() - started)
            self._state = state
        return {**samples, **self._figures, **self._findings}

    async def look_at_broker(self) -> None:
        """Its disk, its health check, its streams and their readers."""
        if self._settings.data:
            self.snapshot.put("disk", disk(self._settings.data), self._keep)
        if self._settings.nats_monitor_url:
            writes = await asyncio.to_thread(broker.writable, self._settings.nats_monitor_url)
            users = await asyncio.to_thread(broker.users, self._settings.nats_monitor_url)
            self.snapshot.put("users", users, self._keep)
            self.snapshot.put("health", _one("ioc_nats_writable", writes), self._keep)
        self.snapshot.put("broker", await broker.measure(self._client, clock.now()), self._keep)

    def close(self) -> None:
        """End the connection to the database."""
        self._database.close()


async def _outage_of(poll: Callable[[], Awaitable[None]]) -> str:
    """Look; why it could not be done, or an empty text."""
    try:
        await poll()
    except Unavailable as error:
        return str(error)
    return ""


def disk(folder: Path) -> Samples:
    """Size of the disk that a folder lies on, and what is free of it."""
    usage, labels = shutil.disk_usage(folder), (str(folder),)
    return {"ioc_disk_free_bytes": {labels: usage.free}, "ioc_disk_size_bytes": {labels: usage.total}}


def _one(name: str, value: float | None) -> Samples:
    return {} if value is None else {name: {(): float(value)}}
