"""What changed since a moment, read once for all who look: cases, silent sources, alarms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import dict_row

from schemas.calendar import local_day
from schemas.text import moments
from services.board.access import Account
from services.board.live.active_alarms import shared_words
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
    """Alike alarms of a unit, as grave as the gravest: about how many cases, or how many were raised where they are
    about none, how many of them still stand, and the last."""

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
    reports: tuple[tuple[str | None, datetime], ...] = ()
    """(unit, None: the whole locality; as of which moment) of the last report of each."""

    def seen_by(self, account: Account) -> Changes:
        """The part that is an account's to see."""
        cases = tuple(c for c in self.cases if account.sees(c.unit))
        alarms = tuple(a for a in self.alarms if account.hears(a.unit, a.of_case))
        reports = tuple((unit, at) for unit, at in self.reports if (account.sees(unit) if unit else not account.units))
        return replace(self, cases=cases, alarms=alarms, reports=reports)

    @property
    def last_report(self) -> datetime | None:
        """As of which moment the last report is."""
        return max((at for _, at in self.reports), default=None)


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
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_RAISED, {"since": since, "now": now}).fetchall()
    alarms = (RaisedAlarm(vi=shared_words(r.pop("all_vi")), en=shared_words(r.pop("all_en")), **r) for r in rows)
    cases, silent = changed_cases(conn, since, now), newly_silent(conn, since, now)
    reports = conn.execute(_REPORTS, {"oldest": now - LONGEST + timedelta(days=1), "now": now}).fetchall()
    return Changes(since, now, tuple(cases), tuple(silent), tuple(alarms), tuple((unit, at) for unit, at in reports))


_RAISED = """
WITH raised AS (
    SELECT *, kind IN ('dossier', 'report') IS TRUE AS together, CASE WHEN kind IN ('dossier', 'report')
        THEN concat_ws('/', kind, entity, office) ELSE id::text END AS about
    FROM alarm WHERE raised_at > %(since)s AND raised_at <= %(now)s AND severity <> 'info'
)
SELECT min(severity) AS severity, unit, type, entity IS NOT NULL AS of_case, count(DISTINCT about) AS number,
    ARRAY[min(vi COLLATE "C"), max(vi COLLATE "C")] AS all_vi,
    ARRAY[min(en COLLATE "C"), max(en COLLATE "C")] AS all_en,
    count(DISTINCT about) FILTER (WHERE cleared_at IS NULL) AS standing, max(raised_at) AS at, max(id) AS id
FROM raised GROUP BY unit, type, origin, entity IS NOT NULL, CASE WHEN NOT together THEN vi || en END
ORDER BY severity, at DESC, id DESC LIMIT 2000
"""  # 'critical' < 'warning'; what the first and the last of texts in order begin with, all do
_REPORTS = """
SELECT unit, max(as_of) FROM report_issue WHERE as_of > %(oldest)s AND as_of <= %(now)s GROUP BY unit
"""
