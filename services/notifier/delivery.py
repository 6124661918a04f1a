"""Sending: claim a message and commit, send it, commit that it was sent. Found claimed after a crash, it is sent once
more under the same number and marked as a repeat. Only one process sends at a time, and asks for the right to write
while it has the right to send, never the other way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from schemas.text.files import Unreadable
from services.kit import clock, metrics, store
from services.notifier import alarm_repository, channels, queue
from services.notifier.alarm import OURSELVES, Happened
from services.notifier.channels import Outcome
from services.notifier.queue import Row
from services.notifier.routes import Channel, Routes
from services.notifier.templates import Links, Message, message

log = logging.getLogger("notifier")
SENDING = 7_101_025
TICK = 0.2
PAUSE = 1.0
HANG_SECONDS = 60.0
"""When apprise itself does not come back: its thread is given up."""


class Result(NamedTuple):
    """A message whose fate is known and not yet committed."""

    rows: list[Row]
    by: str
    outcome: Outcome
    at: datetime


@asynccontextmanager
async def sole(pool: AsyncConnectionPool, right: int) -> AsyncIterator[AsyncConnection]:
    """A connection whose life is the right to send; another process waits for its end."""
    async with pool.connection() as conn:
        try:
            await conn.execute("SELECT pg_advisory_lock(%s)", (right,))
            yield conn
        finally:
            await conn.close()  # back in the pool it would keep the right and not use it


class Post:
    """Sends what is planned, as `routes` says. At most one message to a person is on its way at a time."""

    def __init__(self, pool: AsyncConnectionPool, routes: Routes, links: Links, files: Path | None) -> None:
        self._pool, self._routes, self._links, self._files = pool, routes, links, files
        self._in_flight: dict[str, tuple[list[Row], asyncio.Task[Result]]] = {}
        self._results: list[Result] = []
        self._unsent: list[int] = []
        self._last: dict[str, datetime] = {}
        # One for each person's alarms, one for their brief and one for tests: what hangs keeps nothing else waiting.
        self._threads = ThreadPoolExecutor(2 * len(routes.people) + 1, "channel")

    async def run(self) -> None:
        """For ever; an outage of the database is waited out, and what was sent meanwhile is not forgotten."""
        while True:
            try:
                async with sole(self._pool, SENDING) as conn:
                    await self._commit_results()
                    await self._recover(conn)
                    while True:
                        await self._round(conn)
            except store.OUTAGE as error:
                log.warning("sending waits: %s: %s", type(error).__name__, error)
                await asyncio.sleep(PAUSE)

    async def test(self, person: str, text: Message) -> list[tuple[str, Outcome]]:
        """Send a person a message by one channel after another until one takes it: (kind of channel, outcome)."""
        tried: list[tuple[str, Outcome]] = []
        for channel in self._routes.people[person].channels:
            tried.append(await self.by(channel, lambda inside: text))
            if tried[-1][1].sent:
                break
        return tried

    async def _recover(self, conn: AsyncConnection) -> None:
        in_hand = [row.id for rows, _ in self._in_flight.values() for row in rows]
        if found := await queue.recover(conn, in_hand, self._unsent):
            log.warning("%d notifications were on their way when something stopped; they are sent again", found)
        self._unsent.clear()

    async def _round(self, conn: AsyncConnection) -> None:
        await self._wait()
        await self._commit_results()
        await queue.drop_moot(conn)
        now = clock.now()
        rows = await queue.waiting(conn, now, [person for person in self._last if not self._is_free(person, now)])
        strangers = [row for row in rows if row.person not in self._routes.people]
        if strangers:
            await self._drop(strangers, now)
        known = [row for row in rows if row.person in self._routes.people]
        for chosen in queue.choose(known, now, self._given_up):
            await self._begin(conn, chosen)

    async def _wait(self) -> None:
        """Until a message's fate is known, or for a moment."""
        tasks = [task for _, task in self._in_flight.values()]
        if not tasks:
            await asyncio.sleep(TICK)
            return
        await asyncio.wait(tasks, timeout=TICK, return_when=asyncio.FIRST_COMPLETED)
        for person, (_, task) in list(self._in_flight.items()):
            if task.done():
                self._results.append(task.result())
                del self._in_flight[person]

    async def _commit_results(self) -> None:
        while self._results:
            async with alarm_repository.writing(self._pool) as conn:
                await self._commit(conn, self._results[0])
            self._results.pop(0)

    async def _commit(self, conn: AsyncConnection, result: Result) -> None:
        rows, by, outcome, at = result
        name = self._routes.people[rows[0].person].name
        if outcome.sent:
            await queue.sent(conn, rows, f"{name}, {by}" + (" (repeat)" if rows[0].repeat else ""), at)
            return
        after = rows[0]._replace(tries=rows[0].tries + 1)
        pause = queue.attempt(after.tries, *self._channels(after)).pause
        await queue.failed(conn, rows, at + pause, outcome.lost, at)
        if not self._given_up(rows[0]):  # later tries would fill the history with the same
            why = f"{name}, {by}: {outcome.why}"
            await alarm_repository.note(conn, at, [Happened(row.alarm.id, "failed", OURSELVES, why) for row in rows])

    async def _drop(self, strangers: list[Row], now: datetime) -> None:
        async with alarm_repository.writing(self._pool) as conn:
            await queue.drop(conn, strangers)
            why = "{} is not in the table of routes any more"
            steps = [Happened(row.alarm.id, "failed", OURSELVES, why.format(row.person)) for row in strangers]
            await alarm_repository.note(conn, now, steps)

    async def _begin(self, conn: AsyncConnection, rows: list[Row]) -> None:
        ids = [row.id for row in rows]
        self._unsent += ids  # the answer to the commit may be lost, too
        claimed = await queue.claim(conn, rows)
        self._unsent = [id for id in self._unsent if id not in ids]
        if not claimed:
            return
        person = claimed[0].person
        self._last[person] = clock.now()
        self._in_flight[person] = (claimed, asyncio.create_task(self._deliver(claimed)))

    async def _deliver(self, rows: list[Row]) -> Result:
        number = rows[0].number
        channel = self._channel(rows[0])
        abouts = list({row.alarm.id: row.about for row in rows}.values())
        repeat = any(row.repeat for row in rows)
        by, outcome = await self.by(channel, lambda inside: message(number, abouts, self._links, repeat, inside))
        return Result(rows, by, outcome, clock.now())

    async def by(self, channel: Channel, text: Callable[[bool], Message]) -> tuple[str, Outcome]:
        """Send by one channel: its kind, and how it went."""
        try:
            address = channel.address(self._files)
        except (OSError, Unreadable) as error:
            return "file", Outcome(False, why=str(error))
        by = channels.kind(address)
        try:
            loop = asyncio.get_running_loop()
            sending = loop.run_in_executor(self._threads, channels.send, address, text(channel.inside))
            outcome = await asyncio.wait_for(sending, HANG_SECONDS)
        except TimeoutError:
            outcome = Outcome(False, lost=True, why=f"no end within {HANG_SECONDS:.0f} s")
        except Exception as error:
            log.exception("a channel failed in a way of its own")
            outcome = Outcome(False, lost=True, why=type(error).__name__)
        metrics.NOTIFICATIONS.labels(by, "sent" if outcome.sent else "failed").inc()
        if not outcome.sent:
            log.warning("not sent by %s: %s", by, outcome.why)
        return by, outcome

    def _channel(self, row: Row) -> Channel:
        number = queue.attempt(row.tries, *self._channels(row)).channel
        return self._routes.people[row.person].channels[number]

    def _channels(self, row: Row) -> tuple[int, tuple[timedelta, ...]]:
        return len(self._routes.people[row.person].channels), self._routes.sending.pauses

    def _given_up(self, row: Row) -> bool:
        return queue.all_failed(row.tries, *self._channels(row))

    def _is_free(self, person: str, now: datetime) -> bool:
        """Nothing is on its way to the person, and the last message was not just now."""
        gap = timedelta(seconds=60 / self._routes.sending.per_minute)
        last = self._last.get(person)
        return person not in self._in_flight and (last is None or now - last >= gap)
