"""What was laid down in the transaction of what it tells of, published page by page until the broker has it: the same
bytes each time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, LiteralString

from nats.js import JetStreamContext
from psycopg_pool import AsyncConnectionPool

from services.kit import bus

PAGE = 200


async def send(
    pool: AsyncConnectionPool,
    js: JetStreamContext,
    page: LiteralString,
    values: Sequence[Any],
    delete: LiteralString,
    message: Callable[[Sequence[Any]], bus.Outgoing],
) -> int:
    """Publish the next page, the oldest first; how many there were. `page`: a query of at most `PAGE` rows that begin
    with their id, locked; `delete`: forgets those of a list of ids.

    Raises `Unavailable`, or what `store.OUTAGE` lists, and all of the page stays where the broker has not acknowledged
    all of it.
    """
    async with pool.connection() as conn, conn.transaction():
        rows = await (await conn.execute(page, [*values, PAGE])).fetchall()
        if rows:
            await bus.publish_raw(js, map(message, rows), within=bus.PUBLISH_TIMEOUT)
            await conn.execute(delete, [[row[0] for row in rows]])
    return len(rows)
