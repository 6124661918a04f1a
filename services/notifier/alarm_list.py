"""Alarms as they lie in the database, for who lists them: this works while the notifier is down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row


def alarms(
    conn: Connection,
    limit: int,
    cleared: bool = False,
    units: Sequence[str] | None = None,
    system: str | None = None,
    severity: str | None = None,
) -> tuple[list[dict[str, Any]], int]:
    """Alarms of some units, a system, a severity, and how many there are: the gravest first, of these the newest; those
    that are over, if `cleared`, after all others."""
    values = {"all": cleared, "units": units, "system": system, "severity": severity, "limit": limit}
    rows = _read(conn, _LIST, values)
    total = max((row.pop("total") for row in rows), default=0)
    return rows, total


def alarm(conn: Connection, id: int) -> dict[str, Any] | None:
    """One alarm; None where there is none of that number."""
    return next(iter(_read(conn, "SELECT * FROM alarm WHERE id = %(id)s", {"id": id})), None)


def steps(conn: Connection, id: int) -> list[dict[str, Any]]:
    """What was done about an alarm, the first first: `at`, `step`, `by`, `note`."""
    return _read(conn, "SELECT at, step, by, note FROM alarm_step WHERE alarm = %(id)s ORDER BY id", {"id": id})


def _read(conn: Connection, sql: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql.encode(), values).fetchall()


_LIST = """
SELECT *, id IN (SELECT alarm FROM alarm_orphan) AS orphan, count(*) OVER () AS total FROM alarm_list
WHERE (%(all)s OR status <> 'cleared')
AND (%(units)s::text[] IS NULL OR unit = ANY(%(units)s)) AND (%(system)s::text IS NULL OR system = %(system)s)
AND (%(severity)s::text IS NULL OR severity = %(severity)s)
ORDER BY status = 'cleared', array_position('{critical,warning,info}', severity), raised_at DESC, id DESC
LIMIT %(limit)s
"""
