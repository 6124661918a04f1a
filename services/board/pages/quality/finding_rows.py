"""Findings as rows: since when each is seen, who took it, how it was resolved. What is found is read by `readings`; a
finding that was resolved and has other numbers, or comes again, is open anew."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Literal, NamedTuple

from psycopg import AsyncConnection, Connection
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool

from services.board.access import Account, Action
from services.board.auth import audit
from services.board.live.query_pool import QueryPool, TooMuch
from services.kit import clock, store
from services.readings import findings
from services.readings.data_checks import data_checks
from services.readings.finding import Finding

log = logging.getLogger("board")
EVERY_SECONDS = 60.0
Deed = Literal["take", "resolve"]
NEEDS: dict[Deed, Action] = {"take": "acknowledge", "resolve": "close"}
"""What one must be allowed for a deed."""


class Row(NamedTuple):
    """What is kept beside a finding."""

    key: str
    unit: str | None
    first_seen: datetime
    taken_by: str | None
    taken_at: datetime | None
    resolved_by: str | None
    resolved_at: datetime | None
    note: str | None


def all_findings(conn: Connection, now: datetime) -> list[Finding]:
    """Everything that is found as of a moment, the gravest first."""
    order = ("critical", "warning", "info")
    return sorted([*findings(conn, now), *data_checks(conn, now)], key=lambda f: order.index(f.severity))


def rows(conn: Connection) -> dict[str, Row]:
    """key -> what is kept beside the findings that were there when all were looked at last."""
    with conn.cursor(row_factory=class_row(Row)) as cursor:
        return {row.key: row for row in cursor.execute(_ROWS).fetchall()}


async def keep(conn: AsyncConnection, found: Sequence[Finding], now: datetime) -> None:
    """Keep what is found now, and note what is found no more."""
    lines = {
        f.key: {"key": f.key, "code": f.code, "severity": f.severity, "unit": f.unit, "vi": f.vi, "en": f.en,
                "sides": f"{f.left} {f.right}"}
        for f in found
    }  # fmt: skip
    values = {"rows": json.dumps([lines[key] for key in sorted(lines)]), "keys": sorted(lines), "now": now}
    async with conn.transaction():
        await conn.execute(_KEEP, values)
        await conn.execute(_GONE, values)


async def follow(pool: AsyncConnectionPool, reading: QueryPool) -> None:
    """For ever: look at all findings once a minute."""
    while True:
        now = clock.now()
        try:
            found = await reading(partial(all_findings, now=now))
            async with pool.connection() as conn:
                await keep(conn, found, now)
        except (*store.OUTAGE, TooMuch) as problem:
            log.warning("findings are kept later: %s: %s", type(problem).__name__, problem)
        await asyncio.sleep(EVERY_SECONDS)


async def act(conn: AsyncConnection, account: Account, key: str, deed: Deed, note: str) -> bool:
    """Take or resolve a finding, with its audit; False where it is not there, or not theirs to see."""
    async with conn.transaction():
        found = await (await conn.execute("SELECT unit FROM finding WHERE key = %s FOR UPDATE", [key])).fetchone()
        if found is None or not (account.sees(found[0]) if found[0] else not account.units):
            return False
        values = {"key": key, "by": account.name, "now": clock.now(), "note": note or None}
        await conn.execute(_TAKE if deed == "take" else _RESOLVE, values)
        of_unit = {"unit": found[0]} if found[0] else {}
        await audit.note(conn, account, f"finding.{deed}", key, {"note": note, **of_unit})
    return True


_ROWS = """
SELECT key, unit, first_seen, taken_by, taken_at, resolved_by, resolved_at, note FROM finding WHERE gone_at IS NULL
"""
_KEEP = """
INSERT INTO finding (key, code, severity, unit, vi, en, sides, first_seen)
SELECT key, code, severity, unit, vi, en, sides, %(now)s FROM jsonb_to_recordset(%(rows)s) AS r (
    key text, code text, severity text, unit text, vi text, en text, sides text)
ON CONFLICT (key) DO UPDATE SET severity = excluded.severity, vi = excluded.vi, en = excluded.en,
    sides = excluded.sides, gone_at = NULL,
    resolved_by = CASE WHEN finding.gone_at IS NULL AND finding.sides = excluded.sides THEN finding.resolved_by END,
    resolved_at = CASE WHEN finding.gone_at IS NULL AND finding.sides = excluded.sides THEN finding.resolved_at END
WHERE (finding.severity, finding.vi, finding.en, finding.sides)
        IS DISTINCT FROM (excluded.severity, excluded.vi, excluded.en, excluded.sides)
    OR finding.gone_at IS NOT NULL
"""
_GONE = "UPDATE finding SET gone_at = %(now)s WHERE gone_at IS NULL AND NOT key = ANY(%(keys)s)"
_TAKE = "UPDATE finding SET taken_by = %(by)s, taken_at = %(now)s, note = coalesce(%(note)s, note) WHERE key = %(key)s"
_RESOLVE = """
UPDATE finding SET resolved_by = %(by)s, resolved_at = %(now)s, note = coalesce(%(note)s, note) WHERE key = %(key)s
"""
