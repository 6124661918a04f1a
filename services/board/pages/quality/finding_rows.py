"""Findings as rows, and the steps that each has taken: seen, taken, resolved, gone. What is found, and what became of
it, is read by `readings`."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Literal

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from services.board.access import Account, Action
from services.board.auth import audit
from services.board.live.query_pool import QueryPool, TooMuch
from services.kit import clock, store
from services.readings import findings
from services.readings.finding import Finding

log = logging.getLogger("board")
EVERY_SECONDS = 60.0
Deed = Literal["take", "resolve"]
NEEDS: dict[Deed, Action] = {"take": "acknowledge", "resolve": "close"}
"""What one must be allowed for a deed."""
STEPS: dict[Deed, str] = {"take": "taken", "resolve": "resolved"}


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
            found = await reading(partial(findings, as_of=now))
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
        await conn.execute(_STEP, values | {"step": STEPS[deed]})
        if deed == "resolve":
            await conn.execute("UPDATE finding SET resolved_at = %(now)s WHERE key = %(key)s", values)
        of_unit = {"unit": found[0]} if found[0] else {}
        await audit.note(conn, account, f"finding.{deed}", key, {"note": note, **of_unit})
    return True


_KEEP = """
WITH found AS (
    SELECT * FROM jsonb_to_recordset(%(rows)s) AS r (
        key text, code text, severity text, unit text, vi text, en text, sides text)
), opened AS (
    SELECT n.key FROM found n LEFT JOIN finding o USING (key)
    WHERE o.key IS NULL OR o.gone_at IS NOT NULL OR (o.resolved_at IS NOT NULL AND o.sides <> n.sides)
), stored AS (
    INSERT INTO finding (key, code, severity, unit, vi, en, sides)
    SELECT key, code, severity, unit, vi, en, sides FROM found
    ON CONFLICT (key) DO UPDATE SET severity = excluded.severity, vi = excluded.vi, en = excluded.en,
        sides = excluded.sides, gone_at = NULL,
        resolved_at = CASE WHEN finding.gone_at IS NULL AND finding.sides = excluded.sides THEN finding.resolved_at END
    WHERE (finding.severity, finding.vi, finding.en, finding.sides)
            IS DISTINCT FROM (excluded.severity, excluded.vi, excluded.en, excluded.sides)
        OR finding.gone_at IS NOT NULL
)
INSERT INTO finding_step (finding, at, step) SELECT key, %(now)s, 'seen' FROM opened ORDER BY key
"""
_GONE = """
WITH gone AS (
    UPDATE finding SET gone_at = %(now)s WHERE gone_at IS NULL AND NOT key = ANY(%(keys)s) RETURNING key
)
INSERT INTO finding_step (finding, at, step) SELECT key, %(now)s, 'gone' FROM gone ORDER BY key
"""
_STEP = """
INSERT INTO finding_step (finding, at, step, by, note) VALUES (%(key)s, %(now)s, %(step)s, %(by)s, %(note)s)
"""
