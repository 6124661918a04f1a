"""What became of dossiers and reports since a moment, case by case, and which sources have fallen silent since."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from schemas.envelope import TYPE_PREFIX
from schemas.freshness import is_stale
from services.kit.facts import stored_calendars
from services.readings.sources import Source, sources

What = Literal["overdue", "new", "ended"]
CHANGES: tuple[What, ...] = ("overdue", "new", "ended")
"""What happens to a case, the gravest first."""
MOST = 50_000
"""So many changes are listed at most, the latest."""


class ChangedCase(NamedTuple):
    """A case of which something has changed, `at` a moment; a case may be both new and ended. `due_at` of a report is
    empty, as is `ended_at` of what is open."""

    what: What
    at: datetime
    kind: str
    id: str
    unit: str
    status: str
    origin: str
    opened_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    procedure: str
    group: str


def changed_cases(conn: Connection, since: datetime, now: datetime) -> list[ChangedCase]:
    """All that changed after `since`, the latest first: what came, what ended, what is open and late since."""
    values = {
        "since": since, "now": now, "most": MOST,
        "dossier": f"{TYPE_PREFIX}dossier.%", "report": f"{TYPE_PREFIX}report.%",
    }  # fmt: skip
    with conn.cursor(row_factory=class_row(ChangedCase)) as cursor:
        return cursor.execute(_CHANGED, values).fetchall()


def newly_silent(conn: Connection, since: datetime, now: datetime) -> list[Source]:
    """The sources that are silent now, and were not yet at `since`."""
    calendars = stored_calendars(conn)
    return [
        one
        for one in sources(conn, now)
        if one.stale and not is_stale(one.source, one.system, min(one.last_recorded, since), since, calendars)
    ]


_CHANGED = """
WITH told AS (
    SELECT DISTINCT CASE WHEN e.type LIKE %(report)s THEN 'report' ELSE 'dossier' END AS kind,
        coalesce(e.data ->> 'dossier', e.data ->> 'code') AS code, e.unit
    FROM event e
    WHERE e.time > %(since)s AND e.time <= %(now)s AND (e.type LIKE %(dossier)s OR e.type LIKE %(report)s)
), touched AS (
    SELECT DISTINCT ON (c.kind, c.id) c.kind, c.id, c.unit, c.status, c.origin, c.opened_at, c.due_at, c.ended_at,
        c.state ->> 'procedure' AS procedure, coalesce(c.state ->> 'field', c.state ->> 'category') AS "group"
    FROM told t CROSS JOIN LATERAL case_row(t.kind, concat_ws('@', t.code, t.unit)) c
), changed AS (
    SELECT 'new' AS what, opened_at AS at, t.* FROM touched t WHERE opened_at > %(since)s AND opened_at <= %(now)s
    UNION ALL
    SELECT 'ended', ended_at, t.* FROM touched t WHERE ended_at > %(since)s AND ended_at <= %(now)s
    UNION ALL
    SELECT 'overdue', (stage ->> 1)::timestamptz, e.kind, e.id, e.unit, e.status, e.origin, e.opened_at, e.due_at,
        e.ended_at, e.state ->> 'procedure', coalesce(e.state ->> 'field', e.state ->> 'category')
    FROM entity e CROSS JOIN LATERAL jsonb_array_elements(e.state -> 'stages') stage
    WHERE e.kind IN ('dossier', 'report') AND e.ended_at IS NULL AND stage ->> 0 IN ('overdue', 'resolve')
        AND (stage ->> 1)::timestamptz > %(since)s AND (stage ->> 1)::timestamptz <= %(now)s
)
SELECT what, at, kind, id, unit, status, origin, opened_at, due_at, ended_at,
    coalesce(procedure, '') AS procedure, coalesce("group", 'none') AS "group"
FROM changed WHERE opened_at IS NOT NULL ORDER BY at DESC, kind, id LIMIT %(most)s
"""
