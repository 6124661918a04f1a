"""The month's report at its time: on a day and hour of the month after, of each unit that is named, once."""

from __future__ import annotations

import asyncio
import logging
import re
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from psycopg_pool import AsyncConnectionPool

from schemas import units
from schemas.calendar import VN, local_day
from services.board.access import Account
from services.board.pages.reports.maker import Maker, NotMade, keep
from services.kit import clock, store
from services.kit.settings import Settings
from services.reports import issues

log = logging.getLogger("board")
LOOK_SECONDS, AGAIN_SECONDS = 20.0, 600.0
OURSELVES = Account("schedule", "", "admin")
"""Who keeps what nobody asked for by hand."""


class BadSchedule(ValueError):
    """A setting of the schedule cannot be read; the message says which, and what to write."""


class Schedule(NamedTuple):
    """The day of the month and the local time at which the month before is reported, of which units (None: the whole
    locality)."""

    day: int
    time: time
    units: tuple[str | None, ...]

    def due(self, now: datetime) -> tuple[date, date] | None:
        """The month that is to be reported by now, as its first and last day; None before its time."""
        today = local_day(now)
        if now < datetime.combine(today.replace(day=self.day), self.time, VN):
            return None
        last = today.replace(day=1) - timedelta(days=1)
        return last.replace(day=1), last


def read(settings: Settings) -> Schedule | None:
    """What the settings say; None: no report is made by itself. Raises `BadSchedule`."""
    if not settings.report_schedule:
        return None
    found = re.fullmatch(r"([1-9]|1\d|2[0-8]) ([01]\d|2[0-3]):([0-5]\d)", settings.report_schedule)
    if not found:
        raise BadSchedule(
            f"IOC_REPORT_SCHEDULE={settings.report_schedule!r}: write a day from 1 to 28 and a time, 3 07:00"
        )
    try:
        named = [units.find(name.strip()).code for name in settings.report_units.split(",") if name.strip()]
    except (units.UnknownUnit, units.AmbiguousUnit) as wrong:
        raise BadSchedule(f"IOC_REPORT_UNITS: {wrong}") from None
    return Schedule(int(found[1]), time(int(found[2]), int(found[3])), tuple(named) or (None,))


async def keep_time(schedule: Schedule, pool: AsyncConnectionPool, maker: Maker) -> None:
    """For ever: keep what is due and not kept yet. What is made by hand before is not made again."""
    while True:
        pause = LOOK_SECONDS
        try:
            for unit in schedule.units:
                await keep_due(schedule, unit, pool, maker)
        except (*store.OUTAGE, NotMade) as problem:
            log.warning("the month's report is made later: %s: %s", type(problem).__name__, problem)
            pause = AGAIN_SECONDS if isinstance(problem, NotMade) else LOOK_SECONDS
        await asyncio.sleep(pause)


async def keep_due(schedule: Schedule, unit: str | None, pool: AsyncConnectionPool, maker: Maker) -> None:
    """Keep the report of a unit if it is due and there is none yet. Raises `NotMade`, or an outage."""
    if (month := schedule.due(clock.now())) is None:
        return
    async with pool.connection() as conn:
        if await issues.of_days(conn, unit, *month):
            return
    made = await maker.make(unit, *month)
    async with pool.connection() as conn:
        kept = await keep(conn, OURSELVES, made)
    log.info("the report of %s of %s is issue %d", month[0].strftime("%m/%Y"), unit or "all", kept.issue.id)
