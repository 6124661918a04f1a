"""The dossiers and reports behind a figure: what the events that moved it are about, each once, the latest first."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from schemas.envelope import TYPE_PREFIX
from schemas.indicators import Indicator
from schemas.indicators.formula import Statement, leaves
from services.readings.explain import keys_behind
from services.readings.period import Period

MOST = 20_000
"""So many cases are listed at most, and taken away as a file."""


class CaseBehind(NamedTuple):
    """A case behind a figure as it stands now; moments are aware, `due_at` and `ended_at` may be missing. `number`: of
    how many cases it is one."""

    kind: str
    id: str
    unit: str
    status: str
    opened_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    procedure: str | None
    group: str
    channel: str
    number: int


def has_cases(indicator: Indicator) -> bool:
    """Whether the figure is counted of dossiers or reports."""
    counted = any(not isinstance(leaf, Statement) for leaf in leaves(indicator.formula))
    return counted and indicator.system in ("procedures", "field")


def cases_behind(
    conn: Connection,
    indicator: Indicator,
    unit: str | None,
    period: Period,
    seen: Collection[str] | None = None,
    most: int = MOST,
    after: int = 0,
) -> list[CaseBehind]:
    """The cases of the units `seen` (None: of all), at most `most` `after` so many."""
    values = {
        "keys": keys_behind(conn, indicator, unit, period),
        "seen": None if seen is None else sorted(seen), "most": min(most, MOST), "after": after,
        "dossier": f"{TYPE_PREFIX}dossier.%", "report": f"{TYPE_PREFIX}report.%", "payment": f"{TYPE_PREFIX}payment.%",
    }  # fmt: skip
    with conn.cursor(row_factory=class_row(CaseBehind)) as cursor:
        return cursor.execute(_CASES, values).fetchall()


_CASES = """
WITH about AS (
    SELECT CASE WHEN e.type LIKE %(report)s THEN 'report' ELSE 'dossier' END AS kind,
        coalesce(e.data ->> 'dossier', e.data ->> 'code') AS code, e.unit, max(e.time) AS time
    FROM event_key k JOIN event e ON e.key = k.key AND e.time = k.time
    WHERE k.key = ANY (%(keys)s::uuid[])
        AND (e.type LIKE %(dossier)s OR e.type LIKE %(report)s OR e.type LIKE %(payment)s)
        AND (%(seen)s::text[] IS NULL OR e.unit = ANY (%(seen)s))
    GROUP BY 1, 2, 3
), page AS (
    SELECT *, count(*) OVER () AS number FROM about ORDER BY time DESC, kind, code LIMIT %(most)s OFFSET %(after)s
)
SELECT c.kind, c.id, c.unit, c.status, c.opened_at, c.due_at, c.ended_at, c.state ->> 'procedure' AS procedure,
    coalesce(c.state ->> 'field', c.state ->> 'category', 'none') AS "group",
    coalesce(c.state ->> 'channel', 'counter') AS channel, p.number
FROM page p CROSS JOIN LATERAL case_row(p.kind, concat_ws('@', p.code, p.unit)) c
WHERE c.opened_at IS NOT NULL AND (%(seen)s::text[] IS NULL OR c.unit = ANY (%(seen)s))
ORDER BY p.time DESC, p.kind, p.code
"""
