"""What changed since a moment, read once for all who look: cases, silent sources, alarms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from schemas.calendar import local_day
from schemas.text import moments
from services.board.access import Account
from services.board.live.cache import SharedCache
from services.board.live.query_pool import QueryPool
from services.board.ui.periods import BadPeriod
from services.kit import clock
from services.readings.changes import ChangedCase, changed_cases, newly_silent
from services.readings.period import midnight
from services.readings.sources import Source

KEPT_SECONDS = 30.0
DAYS = {"today": 0, "yesterday": 1, "week": 7}
"""What one may say instead of a moment: the midnight so many days before this day."""
USUAL = "yesterday"
LONGEST = timedelta(days=31)
"""Further back is a matter of figures and periods, and too much to list."""


class RaisedAlarm(NamedTuple):
    """Alike alarms of a unit: how many were raised, how many of them still stand, and the last."""

    severity: str
    unit: str
    type: str
    vi: str
    en: str
    of_case: bool
    number: int
    standing: int
    at: datetime
    id: int


@dataclass(frozen=True)
class Changes:
    """All that changed between two moments, the latest first."""

    since: datetime
    now: datetime
    cases: tuple[ChangedCase, ...]
    silent: tuple[Source, ...]
    alarms: tuple[RaisedAlarm, ...]

    def seen_by(self, account: Account) -> Changes:
        """The part that is an account's to see."""
        cases = tuple(c for c in self.cases if account.sees(c.unit))
        return replace(self, cases=cases, alarms=tuple(a for a in self.alarms if account.hears(a.unit, a.of_case)))


def since_of(text: str, now: datetime) -> datetime:
    """The moment that an address names, one of `DAYS` or any written moment. Raises `BadPeriod`."""
    if (back := DAYS.get(text or USUAL)) is not None:
        return midnight(local_day(now) - timedelta(days=back))
    try:
        moment = moments.read(text).first
    except moments.NoMoment as wrong:
        raise BadPeriod(text) from wrong
    if not now - LONGEST <= moment <= now:
        raise BadPeriod(text)
    return moment


class SharedChanges:
    """The changes since a moment, shared by the wall and the page."""

    def __init__(self, reading: QueryPool) -> None:
        self._reading, self._kept = reading, SharedCache[Changes](KEPT_SECONDS)

    async def since(self, moment: datetime) -> Changes:
        """All of every unit."""
        return await self._kept.get(moment, lambda: self._reading(lambda conn: read(conn, moment, clock.now())))

    async def at_hand(self, moment: datetime) -> Changes | None:
        """What was read of it last, without delay."""
        return self._kept.at_hand(moment)


def read(conn: Connection, since: datetime, now: datetime) -> Changes:
    """All that changed."""
    with conn.cursor(row_factory=class_row(RaisedAlarm)) as cursor:
        alarms = cursor.execute(_RAISED, {"since": since, "now": now}).fetchall()
    cases, silent = changed_cases(conn, since, now), newly_silent(conn, since, now)
    return Changes(since, now, tuple(cases), tuple(silent), tuple(alarms))


_RAISED = """
SELECT severity, unit, type, vi, en, entity IS NOT NULL AS of_case, count(*) AS number,
    count(*) FILTER (WHERE cleared_at IS NULL) AS standing, max(raised_at) AS at, max(id) AS id
FROM alarm WHERE raised_at > %(since)s AND raised_at <= %(now)s AND severity <> 'info'
GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY severity, at DESC, id DESC LIMIT 2000
"""  # 'critical' < 'warning'
