"""Columns instead of rows for old chunks of the log, where the edition of TimescaleDB can.

Run by hand on TimescaleDB 2.19.3's community edition: the log shrank 6.6 times with every figure equal. The tests
have the Apache edition alone: that it passes by, which chunk is taken, and that the statement's options are known. A
late event is still stored, in rows beside the columns of its chunk, which is taken again within the hour. While a chunk
is being compressed (seconds to a minute) late events into it wait.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from psycopg import AsyncConnection

AFTER = timedelta(days=90)
"""Late events are rare by then."""
BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


async def compress(conn: AsyncConnection, now: datetime) -> int:
    """Compress what lies in rows of the log's chunks that ended before `now` - AFTER, each chunk once and in a
    transaction of its own; how many it was."""
    chunks = 0
    since: datetime | None = BEGINNING
    while since := await _compress_next(conn, now - AFTER, since):
        chunks += 1
    return chunks


async def _compress_next(conn: AsyncConnection, until: datetime, since: datetime | None) -> datetime | None:
    row = await (await conn.execute("SELECT compress_log(%s, %s)", (until, since))).fetchone()
    return row[0] if row else None
