"""Facts as they lie in the database, and the calendar history that the stored ones tell."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from psycopg import AsyncConnection, Connection

from schemas.calendar import DayChange
from schemas.calendar_history import CalendarHistory
from schemas.fold import Fact

BEGINNING = datetime.min.replace(tzinfo=UTC)
"""The horizon of a centre that keeps everything."""


def pack(fact: Fact) -> list[Any]:
    """A fact as it lies in the database."""
    return [fact.time.isoformat(), *fact[1:]]


def unpack(packed: list[Any]) -> Fact:
    """A fact from the database."""
    return Fact(datetime.fromisoformat(packed[0]), *packed[1:])


def calendars_of(facts: Iterable[Fact]) -> CalendarHistory:
    """The calendar history told by `calendar.changed` facts."""
    return CalendarHistory(
        DayChange(date.fromisoformat(f.data["day"]), f.data["working"], f.data["name"], f.time) for f in facts
    )


async def read_calendars(conn: AsyncConnection) -> CalendarHistory:
    """The history told by the stored `calendar.changed` events."""
    return _told(await (await conn.execute(_CALENDAR)).fetchall())


def stored_calendars(conn: Connection) -> CalendarHistory:
    """The same, on a connection that waits."""
    return _told(conn.execute(_CALENDAR).fetchall())


def _told(rows: Iterable[tuple[Any, ...]]) -> CalendarHistory:
    return calendars_of(unpack(packed) for (facts,) in rows for packed in facts)


_CALENDAR = "SELECT facts FROM entity WHERE kind = 'calendar'"


async def read_horizon(conn: AsyncConnection) -> datetime:
    """The local midnight before which nothing is accepted or changed."""
    row = await (await conn.execute("SELECT nullif(time, '-infinity') FROM horizon")).fetchone()
    return row[0] if row and row[0] else BEGINNING
