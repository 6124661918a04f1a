"""Columns instead of rows for old chunks of the log, where the edition of TimescaleDB can.

Written by the documentation of TimescaleDB 2.19's community edition and tested on the Apache edition alone: that it
passes by, and that the statement's options are known. A late event is still stored: an insert into a compressed chunk
lands in rows beside the columns, after a look into the columns of its type and time for the same key. While a chunk is
being compressed (seconds to a minute, once a month) late events into it wait.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from psycopg import AsyncConnection

AFTER = timedelta(days=90)
"""Late events are rare by then."""


async def compress(conn: AsyncConnection, now: datetime) -> int:
    """Compress the log's chunks that ended before `now` - AFTER, each in a transaction of its own; how many it was."""
    done = 0
    while await _oldest_compressed(conn, now - AFTER):
        done += 1
    return done


async def _oldest_compressed(conn: AsyncConnection, until: datetime) -> bool:
    row = await (await conn.execute("SELECT compress_log(%s)", (until,))).fetchone()
    return bool(row and row[0])
