"""Where a batch lies while it is stored: tables of the connection's own, filled by COPY and joined from there.

They are made once per connection and emptied by every commit, so a batch costs no catalogue entries.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.types.json import set_json_loads
from pydantic_core import from_json

EVENT = "time, key, type, unit, origin, shiftdays, source, id, recorded, data"
ENTITY = "kind, id, version, unit, origin, status, opened_at, due_at, ended_at, notice_at, state, facts, notes, cases"
POINT = "series, time, key, value"

# Columns are named, not taken over: one that a later migration adds is none of this version's business.
# Every statement of a batch is a look-up by key. A plan that was made while the tables were small must not be a scan.
_TABLES = f"""
SET enable_hashjoin = off;
SET enable_mergejoin = off;
CREATE TEMP TABLE new_event ON COMMIT DELETE ROWS AS SELECT {EVENT}, key AS digest FROM event WITH NO DATA;
CREATE TEMP TABLE new_entity ON COMMIT DELETE ROWS AS SELECT {ENTITY} FROM entity WITH NO DATA;
CREATE TEMP TABLE new_point ON COMMIT DELETE ROWS AS SELECT {POINT}, 1 AS sign FROM point WITH NO DATA;
"""


async def make(conn: AsyncConnection) -> None:
    """Prepare a new connection of the aggregator's pool."""
    set_json_loads(from_json, conn)
    await conn.execute(_TABLES)


async def fill(conn: AsyncConnection, copy_statement: str, lines: Iterable[str]) -> None:
    """Send rows as lines of COPY's text format: values between tabs, `escaped` where there may be something to escape,
    `NULL` for none."""
    async with conn.cursor().copy(copy_statement) as copy:
        await copy.write("".join(lines))


NULL = "\\N"


def escaped(text: str) -> str:
    """A text as a value of COPY's text format."""
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    return text if text.isprintable() else text.translate(_ESCAPES)


_ESCAPES = str.maketrans({"\t": "\\t", "\n": "\\n", "\r": "\\r"})


def moment(time: datetime | None) -> str:
    """A moment, or none, as a value of COPY's text format."""
    return time.isoformat() if time else NULL


def array(texts: Iterable[str]) -> str:
    """A list of texts as a value of COPY's text format."""
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return escaped("{" + ",".join(f'"{text}"' for text in quoted) + "}")
