"""The entities whose notice is owed, page by page in the order of the partial index, with the calendar of then."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool

from schemas.calendar_history import CalendarHistory
from services.deadlines.notices import Owed
from services.kit.facts import read_calendars

PAGE = 500
OWED = """
SELECT kind, id, unit, origin, notice_at, due_at, state FROM entity
WHERE notice_at <= %(now)s AND (notice_at, kind, id) > (%(notice_at)s, %(kind)s, %(id)s)
ORDER BY notice_at, kind, id LIMIT %(page)s
"""
START: dict[str, Any] = {"notice_at": "-infinity", "kind": "", "id": "", "page": PAGE}


async def pages(pool: AsyncConnectionPool, now: datetime) -> AsyncIterator[tuple[list[Owed], CalendarHistory]]:
    """All that is owed at `now`, up to `PAGE` at a time; no connection is held while the caller works on a page."""
    after = START | {"now": now}
    while True:
        async with pool.connection() as conn:
            rows, calendars = await _page(conn, after)
        if rows:
            yield rows, calendars
        if len(rows) < PAGE:
            return
        last = rows[-1]
        after |= {"notice_at": last.notice_at, "kind": last.kind, "id": last.id}


async def _page(conn: AsyncConnection, after: dict[str, Any]) -> tuple[list[Owed], CalendarHistory]:
    async with conn.transaction(), conn.cursor(row_factory=class_row(Owed)) as cursor:
        # One snapshot: the due dates belong to the calendar that they were folded with.
        await conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        rows = await (await cursor.execute(OWED, after)).fetchall()
        return rows, await read_calendars(conn) if rows else CalendarHistory()
