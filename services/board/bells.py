"""What rings now: the newest alarms that nobody has yet, for the wall and for the head of every page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from services.board.access import Account

CASES, OTHERS = 100, 50


class Bell(NamedTuple):
    """An alarm as the ticker tells it; `about` is masked and empty where it is about no case."""

    id: int
    severity: str
    unit: str
    vi: str
    en: str
    about: str
    origin: str
    raised_at: datetime


@dataclass(frozen=True)
class Bells:
    """`step`: the last thing that happened to any alarm. `critical`: unit -> critical alarms that nobody has."""

    step: int = 0
    newest: tuple[Bell, ...] = ()
    critical: Mapping[str, int] = field(default_factory=dict)

    def seen_by(self, account: Account) -> list[Bell]:
        """Those that this account may hear of: of cases, those of its units; what is about no case, everyone."""
        may = account.may("cases")
        return [bell for bell in self.newest if not bell.about or (may and account.sees(bell.unit))]

    def critical_for(self, account: Account) -> int:
        """How many critical alarms wait for somebody, of those that are this account's to see."""
        return sum(n for unit, n in self.critical.items() if unit == "all" or account.sees(unit))


def last_step(conn: Connection) -> int:
    """What grows with whatever happens to any alarm."""
    row = conn.execute("SELECT coalesce(max(id), 0) FROM alarm_step").fetchone()
    return int(row[0]) if row else 0


def bells(conn: Connection, step: int) -> Bells:
    """What rings now."""
    with conn.cursor(row_factory=class_row(Bell)) as cursor:
        newest = cursor.execute(_NEWEST, {"cases": CASES, "others": OTHERS}).fetchall()
    critical = {unit: int(number) for unit, number in conn.execute(_CRITICAL).fetchall()}
    return Bells(step, tuple(newest), critical)


_NEWEST = """
WITH ringing AS (
    SELECT * FROM alarm WHERE cleared_at IS NULL AND acknowledged_at IS NULL AND severity <> 'info'
), newest AS (
    (SELECT * FROM ringing WHERE entity IS NOT NULL ORDER BY severity, raised_at DESC LIMIT %(cases)s)
    UNION ALL
    (SELECT * FROM ringing WHERE entity IS NULL ORDER BY severity, raised_at DESC LIMIT %(others)s)
)
SELECT n.id, n.severity, n.unit, n.vi, n.en, CASE WHEN n.entity IS NULL THEN '' ELSE l.originator END AS about,
    n.origin, n.raised_at
FROM newest n JOIN alarm_list l USING (id) ORDER BY n.severity, n.raised_at DESC
"""  # 'critical' < 'warning'
_CRITICAL = """
SELECT unit, count(*) FROM alarm WHERE cleared_at IS NULL AND acknowledged_at IS NULL AND severity = 'critical'
GROUP BY unit
"""
