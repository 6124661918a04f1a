"""Who sends, how much of late, how fresh that is, and who has been silent for longer than it should."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from schemas.calendar_history import CalendarHistory
from schemas.freshness import Allowed, allowed, is_stale
from schemas.registry import DATA_TYPES
from services.kit.facts import stored_calendars

LATELY = timedelta(minutes=5)
HAPPENED = timedelta(minutes=15)
"""The log lies by what happened when, so of what was recorded lately only what also happened lately is counted."""
MONTHS = timedelta(days=90)
"""Longer than any silence that is allowed."""
REGULAR = 10
"""A source has a rhythm from so many events on: who has only tried out how to send is not waited for."""


@dataclass(frozen=True)
class Ended:
    """Who said when that a source has ended for good, and why."""

    at: datetime
    by: str
    why: str


@dataclass(frozen=True)
class Source:
    """A source within a system: all its events, how many a minute lately, when its last one happened and was recorded,
    the silence that it is `allowed`, and whether it is `stale`. A past that is replayed never is, nor one that has
    hardly begun, nor one that has `ended` and has not been heard of since. `shiftdays`: by how many days its last event
    was moved."""

    system: str
    source: str
    origin: str
    events: int
    per_minute: float
    last_time: datetime
    last_recorded: datetime
    allowed: Allowed
    stale: bool
    ended: Ended | None = None
    shiftdays: int = 0


Row = tuple[str, str, str | None, int, datetime, datetime, datetime | None, str, str, int | None]


def sources(conn: Connection, now: datetime) -> list[Source]:
    """Every source that had ever sent by `now`, by system."""
    recent: Counter[tuple[str, str]] = Counter()
    values = {"recorded": now - LATELY, "happened": now - HAPPENED}
    for source, type, number in conn.execute(_RECENT, values).fetchall():
        recent[source, DATA_TYPES[type].system] += number
    calendars = stored_calendars(conn)
    return [
        _source(row, recent[row[1], row[0]] / (LATELY.total_seconds() / 60), now, calendars) for row in _rows(conn, now)
    ]


def end(conn: Connection, source: str, at: datetime, by: str, why: str) -> bool:
    """Note that a source has ended for good, until something more of it is recorded; False where it never sent."""
    return conn.execute(_END, {"source": source, "at": at, "by": by, "why": why}).rowcount > 0


def resume(conn: Connection, source: str) -> bool:
    """Take back that a source has ended; False where that was not said."""
    return conn.execute("DELETE FROM source_end WHERE source = %s", [source]).rowcount > 0


def values(source: Source) -> dict[str, Any]:
    """A source as JSON values."""
    times = {name: getattr(source, name).isoformat() for name in ("last_time", "last_recorded")}
    ended = source.ended and asdict(source.ended) | {"at": source.ended.at.isoformat()}
    return asdict(source) | times | {"allowed": silence(source.allowed) or None, "ended": ended}


def silence(allowed: Allowed) -> str:
    """`3 working days`, `6 working hours`, `36 h`; empty where silence means nothing."""
    if allowed is None or isinstance(allowed, timedelta):
        return f"{allowed // timedelta(hours=1)} h" if allowed else ""
    parts = ((allowed.days, "working days"), (allowed.hours, "working hours"))
    return " ".join(f"{number} {name}" for number, name in parts if number)


def _rows(conn: Connection, now: datetime) -> list[Row]:
    """As they were at a moment; of one that has just passed, as they are. Of a source that has sent since, what it sent
    in the months before is counted."""
    rows: list[Row] = conn.execute(_SOURCES).fetchall()
    if all(row[5] <= now + LATELY for row in rows):
        return rows
    then: dict[tuple[str, str], tuple[int, datetime, datetime]] = {}
    for source, type, number, last_time, last_recorded in conn.execute(
        _UP_TO, {"since": now - MONTHS, "now": now}
    ).fetchall():
        key = DATA_TYPES[type].system, source
        events, time, recorded = then.get(key, (0, last_time, last_recorded))
        then[key] = events + number, max(time, last_time), max(recorded, last_recorded)
    found = ((row, row[3:6] if row[5] <= now else then.get(row[:2])) for row in rows)
    return [(*row[:3], *known, *row[6:]) for row, known in found if known]


def _source(row: Row, per_minute: float, now: datetime, calendars: CalendarHistory) -> Source:
    system, source, origin, events, last_time, last_recorded, at, by, why, shiftdays = row
    ended = Ended(at, by, why) if at and last_recorded <= at <= now else None
    silence = None if origin == "shifted" or events < REGULAR or ended else allowed(source, system)
    stale = silence is not None and is_stale(source, system, last_recorded, now, calendars)
    rate = round(per_minute, 1)
    return Source(
        system, source, origin or "", events, rate, last_time, last_recorded, silence, stale, ended, shiftdays or 0
    )


_RECENT = """
SELECT source, type, count(*) FROM event WHERE time >= %(happened)s AND recorded >= %(recorded)s GROUP BY source, type
"""
_SOURCES = """
SELECT s.system, s.source, e.origin, s.events, s.last_time, s.last_recorded, x.at, x.by, x.why, e.shiftdays
FROM source s
LEFT JOIN source_end x ON x.source = s.source
LEFT JOIN LATERAL (SELECT origin, shiftdays FROM event WHERE time = s.last_time AND source = s.source LIMIT 1) e ON true
ORDER BY s.system, s.source
"""
_UP_TO = """
SELECT source, type, count(*), max(time), max(recorded) FROM event
WHERE time > %(since)s AND time <= %(now)s AND recorded <= %(now)s GROUP BY source, type
"""
_END = """
INSERT INTO source_end (source, at, by, why)
SELECT DISTINCT source, %(at)s::timestamptz, %(by)s, %(why)s FROM source WHERE source = %(source)s
ON CONFLICT (source) DO UPDATE SET at = excluded.at, by = excluded.by, why = excluded.why
"""
