"""The briefs of the morning: made once a day at their time, and sent as alarms are told: claim and commit, send,
commit. What is found claimed after a crash is sent once more under the same number, marked as a repeat."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool

from schemas.calendar import VN, local_day
from services.kit import clock, store
from services.notifier import queue
from services.notifier.delivery import Post, sole
from services.notifier.routes import BriefOf, Routes
from services.notifier.templates import Message, repeated
from services.reports.brief import Brief

log = logging.getLogger("notifier")
SENDING = 7_101_026
TICK_SECONDS = 1.0
LATEST = timedelta(hours=6)
"""So long after its time a brief is still made: in the afternoon nobody wants the morning's."""
AGAIN = timedelta(minutes=1)
"""After so long a brief that could not be made is tried again."""
TRIED = timedelta(days=1)
"""So long a brief that nobody takes is tried again."""
Make = Callable[[BriefOf, datetime], Brief]


class Row(NamedTuple):
    """A brief that is to be sent to a person."""

    id: int
    person: str
    title: str
    body: str
    made_at: datetime
    tries: int
    repeat: bool

    def message(self) -> Message:
        """What is sent; the same each time but for the mark of a repeat."""
        title, lines = repeated(self.title, [self.body]) if self.repeat else (self.title, [self.body])
        return Message(title, "\n".join([*lines, "", f"Bản tin số / Brief: {self.id}"]), "info")


def due(briefs: tuple[BriefOf, ...], now: datetime) -> list[tuple[BriefOf, datetime]]:
    """The briefs whose time of today has come not long ago, each with that moment."""
    times = [(one, datetime.combine(local_day(now), one.at, VN)) for one in briefs]
    return [(one, at) for one, at in times if at <= now < at + LATEST]


class Result(NamedTuple):
    """A brief whose fate is known and not yet committed."""

    id: int
    sent: bool
    lost: bool
    at: datetime
    again: datetime


class Briefs:
    """Makes and sends what the table of routes says. `make` reads a brief as of a moment; it is called in a thread."""

    def __init__(self, pool: AsyncConnectionPool, routes: Routes, post: Post, make: Make) -> None:
        self._pool, self._routes, self._post, self._make = pool, routes, post, make
        self._results: list[Result] = []
        self._tried: dict[str, datetime] = {}

    async def run(self) -> None:
        """For ever; an outage of the database is waited out, and what was sent meanwhile is not forgotten. One process
        at a time does it."""
        while self._routes.briefs:
            try:
                async with sole(self._pool, SENDING) as conn:
                    await self._commit(conn)
                    await conn.execute(_RECOVER)
                    while True:
                        await self._round(conn, clock.now())
                        await asyncio.sleep(TICK_SECONDS)
            except store.OUTAGE as error:
                log.warning("briefs wait: %s: %s", type(error).__name__, error)
                await asyncio.sleep(TICK_SECONDS)

    async def _round(self, conn: AsyncConnection, now: datetime) -> None:
        for one, at in due(self._routes.briefs, now):
            if not await _is_made(conn, one, at) and now - self._tried.get(one.name, at - LATEST) > AGAIN:
                self._tried[one.name] = now
                await self._plan(conn, one, at)
        await conn.execute(_DROP, {"people": list(self._routes.people), "since": now - TRIED})
        async with conn.cursor(row_factory=class_row(Row)) as cursor:
            rows = await (await cursor.execute(_WAITING, {"now": now})).fetchall()
        await conn.execute(_CLAIM, [[row.id for row in rows]])
        self._results += await asyncio.gather(*map(self._send, rows))
        await self._commit(conn)

    async def _plan(self, conn: AsyncConnection, one: BriefOf, at: datetime) -> None:
        """All its rows in one statement: a brief is made whole or not at all."""
        try:
            made = await asyncio.to_thread(self._make, one, at)
        except store.OUTAGE:
            raise
        except Exception:  # alarms go on, whatever a figure or an office's words have in them
            log.exception("the brief %s cannot be made; it is tried again", one.name)
            return
        values = {
            "name": one.name, "day": local_day(at), "people": self._routes.persons(one.to, at), "now": clock.now(),
            "title": made.title, "body": made.body,
        }  # fmt: skip
        await conn.execute(_PLAN, values)
        log.info("the brief %s of %s is made", one.name, local_day(at))

    async def _send(self, row: Row) -> Result:
        channels, pauses = self._routes.people[row.person].channels, self._routes.sending.pauses
        channel = channels[queue.attempt(row.tries, len(channels), pauses).channel]
        by, outcome = await self._post.by(channel, lambda inside: row.message())
        if outcome.sent:
            log.info("the brief %d was taken by %s", row.id, by)
        now = clock.now()
        pause = queue.attempt(row.tries + 1, len(channels), pauses).pause
        return Result(row.id, outcome.sent, outcome.lost, now, now + pause)

    async def _commit(self, conn: AsyncConnection) -> None:
        while self._results:
            await conn.execute(_DONE, self._results[0]._asdict())
            self._results.pop(0)


async def _is_made(conn: AsyncConnection, one: BriefOf, at: datetime) -> bool:
    found = await conn.execute("SELECT FROM brief WHERE name = %s AND day = %s LIMIT 1", (one.name, local_day(at)))
    return bool(await found.fetchall())


_PLAN = """
INSERT INTO brief (name, day, person, made_at, title, body, try_at)
SELECT %(name)s, %(day)s, person, %(now)s, %(title)s, %(body)s, %(now)s FROM unnest(%(people)s::text[]) person
ON CONFLICT DO NOTHING
"""
_WAITING = """
SELECT DISTINCT ON (person) id, person, title, body, made_at, tries, repeat FROM brief
WHERE state = 'planned' AND try_at <= %(now)s ORDER BY person, tries, id
"""
_CLAIM = "UPDATE brief SET state = 'sending', tries = tries + 1 WHERE id = ANY(%s)"
_DONE = """
UPDATE brief SET state = CASE WHEN %(sent)s THEN 'sent' ELSE 'planned' END, try_at = %(again)s,
    sent_at = CASE WHEN %(sent)s THEN %(at)s::timestamptz END, repeat = repeat OR %(lost)s
WHERE id = %(id)s
"""
_RECOVER = "UPDATE brief SET state = 'planned', try_at = now(), repeat = true WHERE state = 'sending'"
_DROP = """
UPDATE brief SET state = 'dropped'
WHERE state = 'planned' AND (made_at < %(since)s OR NOT person = ANY(%(people)s))
"""
