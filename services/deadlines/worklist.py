"""The entities whose notice is owed, page by page in the order of the partial index."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool

from services.deadlines.notices import Owed

PAGE = 500
OWED = """
SELECT kind, id, unit, origin, notice_at, due_at, state, nullif(time, '-infinity') AS horizon FROM entity, horizon
WHERE notice_at <= %(now)s AND (notice_at, kind, id) > (%(notice_at)s, %(kind)s, %(id)s)
ORDER BY notice_at, kind, id LIMIT %(page)s
"""
START: dict[str, Any] = {"notice_at": "-infinity", "kind": "", "id": "", "page": PAGE}


async def pages(pool: AsyncConnectionPool, now: datetime) -> AsyncIterator[list[Owed]]:
    """All that is owed at `now`, up to `PAGE` at a time; no connection is held while the caller works on a page."""
    after = START | {"now": now}
    while True:
        async with pool.connection() as conn, conn.cursor(row_factory=class_row(Owed)) as cursor:
            rows = await (await cursor.execute(OWED, after)).fetchall()
        if rows:
            yield rows
        if len(rows) < PAGE:
            return
        last = rows[-1]
        after |= {"notice_at": last.notice_at, "kind": last.kind, "id": last.id}
