"""Where a batch lies while it is stored: tables of the connection's own, filled by COPY and joined from there.

They are made once per connection and emptied by every commit, so a batch costs no catalogue entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import AsyncConnection
from psycopg.types.json import set_json_loads
from pydantic_core import from_json

# Every statement of a batch is a look-up by key. A plan that was made while the tables were small must not be a scan.
_TABLES = """
SET enable_hashjoin = off;
SET enable_mergejoin = off;
CREATE TEMP TABLE new_event (LIKE event, digest uuid NOT NULL) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE new_entity (LIKE entity) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE new_point (LIKE point, sign integer NOT NULL) ON COMMIT DELETE ROWS;
"""


async def make(conn: AsyncConnection) -> None:
    """Prepare a new connection of the aggregator's pool."""
    set_json_loads(from_json, conn)
    await conn.execute(_TABLES)


async def fill(conn: AsyncConnection, copy_statement: str, rows: Iterable[Sequence[Any]]) -> None:
    """Send rows in one stream."""
    async with conn.cursor().copy(copy_statement) as copy:
        for row in rows:
            await copy.write_row(row)
