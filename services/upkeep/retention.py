"""Retention: the horizon moves on by whole chunks of the log, and what lies before it is forgotten.

Every step is a transaction of its own that can be repeated, so a job that was killed is simply done again. The horizon
moves first; from then on nothing before it comes or changes, and what is there can be taken away without hurry.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from services.readings.period import next_midnight
from services.upkeep.retention_rules import LEAST_DAYS, STATE_KINDS


class Forgotten(NamedTuple):
    """What one step forgot, and before when."""

    horizon: datetime
    events: int
    entities: int


def kept_days(days: int) -> timedelta:
    """The setting as a duration. ValueError where the broker could still send what lies behind it."""
    if days < LEAST_DAYS:
        raise ValueError(
            f"IOC_RETENTION_DAYS is {days}; set it to {LEAST_DAYS} or more: the broker keeps events for "
            f"{LEAST_DAYS - 30} days, and what it sends again must not lie before the horizon"
        )
    return timedelta(days=days)


async def retain(conn: AsyncConnection, cutoff: datetime) -> AsyncIterator[Forgotten]:
    """Forget what is older than `cutoff`, but for the chunk it lies in; `conn` is in autocommit mode.

    One row per chunk that went. Raises `psycopg.OperationalError` where something else needs the tables; do it again.
    """
    left_by_a_killed_job = await forget(conn)
    if any(left_by_a_killed_job[1:]):
        yield left_by_a_killed_job
    while edge := await next_horizon(conn, cutoff):
        await conn.execute("SELECT move_horizon(%s)", (edge,))
        yield await forget(conn)


async def next_horizon(conn: AsyncConnection, cutoff: datetime) -> datetime | None:
    """The first local midnight after the oldest chunk of the log has ended, if that is not after `cutoff`."""
    row = await (await conn.execute(_OLDEST)).fetchone()
    if row is None or row[0] is None:
        return None
    edge = next_midnight(row[0])
    return edge if edge <= cutoff else None


async def forget(conn: AsyncConnection) -> Forgotten:
    """Take away what lies before the horizon as it stands."""
    horizon = await _one(conn, "SELECT nullif(time, '-infinity') FROM horizon")
    if horizon is None:
        return Forgotten(datetime.min.replace(tzinfo=UTC), 0, 0)
    events = await _one(conn, "SELECT forget_log()")
    entities = await _one(conn, "SELECT forget_entities(%s)", list(STATE_KINDS))
    await conn.execute("SELECT forget_series()")
    await conn.execute("SELECT forget_photos()")
    return Forgotten(horizon, events, entities)


async def _one(conn: AsyncConnection, query: str, *values: object) -> Any:
    row = await (await conn.execute(query, values)).fetchone()
    assert row is not None
    return row[0]


_OLDEST = """
SELECT min(range_end) FROM timescaledb_information.chunks
WHERE hypertable_name = 'event' AND range_end > (SELECT time FROM horizon)
"""
