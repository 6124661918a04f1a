"""Wiring of the simulator: send what is due, remember how far, wait for what comes next. Outages are waited out."""

from __future__ import annotations

import asyncio
import heapq
import logging
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from nats.aio.client import Client

from schemas.calendar import VN, WorkCalendar, local_day
from services.kit import bus, clock, metrics
from services.kit.errors import Unavailable, fatal
from services.kit.health import Health
from services.kit.service import live
from services.kit.settings import Settings
from services.simulator import november_2024, progress
from services.simulator.district import Plan, Sending
from services.simulator.progress import Progress

log = logging.getLogger("simulator")
BATCH = 2000
PAUSE_SECONDS = 1.0
FOR_EVER = datetime(2099, 1, 1, tzinfo=UTC)


class Feed:
    """All that is left to be sent, as it comes due."""

    def __init__(self, state: Progress) -> None:
        parts = [state.plan.sendings(FOR_EVER, state.until)]
        if state.weeks is not None:
            parts.append(_continued(state.weeks, state.until))
        self._sendings = heapq.merge(*parts, key=lambda sending: sending.at)
        self._head = next(self._sendings, None)
        self.next_at = self._head.at if self._head else FOR_EVER

    def take(self, now: datetime) -> list[Sending]:
        """What is due by `now`, at most about a batch; then nothing before `next_at` is left of it."""
        due: list[Sending] = []
        while self._head and self._head.at < now and (len(due) < BATCH or self._head.at == due[-1].at):
            due.append(self._head)
            self._head = next(self._sendings, None)
        self.next_at = self._head.at if self._head else FOR_EVER
        return due


async def run(settings: Settings, health: Health, folder: Path, stop: asyncio.Event) -> None:
    """Live until told to stop. What is sent but not yet remembered is sent again: with the same ids it counts once."""
    state = progress.load(folder) or begun(settings, clock.now(), progress.loaded_weeks(folder))
    state.save(folder)
    log.info(
        "seed %s, %s events/s since %s, sent until %s",
        state.seed,
        state.rate,
        state.start,
        state.sent_until,
    )
    feed = Feed(state)
    async with bus.attached(settings, "simulator") as client:
        while not stop.is_set():
            now = clock.now()
            if not await _deliver(client, feed.take(now), health, stop):
                return
            state = state.reached(max(state.until, min(now, feed.next_at)))
            state.save(folder)
            metrics.SIMULATOR_LAG.set((clock.now() - state.until).total_seconds())
            await _pause(stop, min(PAUSE_SECONDS, (feed.next_at - clock.now()).total_seconds()))


async def _deliver(client: Client, due: list[Sending], health: Health, stop: asyncio.Event) -> bool:
    """Send until the broker has all of it on disk; False if told to stop before that."""
    js = client.jetstream()
    while not stop.is_set():
        health.progress()
        try:
            bus.require(client)
            await bus.publish_raw(js, (bus.Outgoing(sending.subject, sending.raw) for sending in due))
        except Unavailable as error:
            log.warning("waiting: %s", error)
            health.not_ready(f"waiting: {error}")
            await _pause(stop, PAUSE_SECONDS)
        else:
            health.ready()
            for kind, number in Counter(sending.kind for sending in due).items():
                metrics.SIMULATED.labels(kind).inc(number)
            return True
    return False


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    """So long, or until told to stop."""
    if seconds > 0:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)


def _continued(weeks: int, since: datetime) -> Iterator[Sending]:
    """What the scenario's units do after its end, each event sent as it happens."""
    for event in november_2024.continued(weeks, since):
        yield Sending(event.time, event, event.to_json(), event.subject, "meant")


def begun(settings: Settings, now: datetime, weeks: int | None) -> Progress:
    """The plan as the settings name it, with nothing sent. ValueError where there is no such plan."""
    plan = Plan(settings.simulator_seed, settings.simulator_start or last_week_begun(now), settings.simulator_rate)
    ends = [] if weeks is None else [november_2024.CLOSE + timedelta(weeks=weeks)]
    return Progress.of(plan, min((plan.start, *ends)), weeks)


def last_week_begun(now: datetime) -> datetime:
    """The Monday (its local midnight) of the last working day before today, so that what is told once a week or on
    school days has been told, on whatever day a centre is started."""
    day = WorkCalendar.base().add_working_days(local_day(now), -1)
    return datetime.combine(day - timedelta(days=day.weekday()), time(), VN)


async def _until_told(settings: Settings, health: Health) -> None:
    if settings.data is None:
        fatal(log, "IOC_DATA names no folder to remember in")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(settings, health, settings.data, stop)


def main() -> None:
    """Run until told to stop; what is being sent then is finished and remembered."""
    live("simulator", _until_told, stalled_after=90)
