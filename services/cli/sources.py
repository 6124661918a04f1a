"""Who sends, how much of late, and how fresh that is: the part of `ioc status` that comes from the log."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg import Connection
    from rich.table import Table

LATELY = timedelta(minutes=5)
HAPPENED = timedelta(minutes=15)
"""The log lies by what happened when, so of what was recorded lately only what also happened lately is counted."""


@dataclass(frozen=True)
class Source:
    """A source within a system: all its events, how many a minute lately, and when its last one happened and was
    recorded."""

    system: str
    source: str
    origin: str
    events: int
    per_minute: float
    last_time: datetime
    last_recorded: datetime


def sources(conn: Connection, now: datetime) -> list[Source]:
    """Every source that ever sent, by system."""
    from schemas.registry import DATA_TYPES

    recent: Counter[tuple[str, str]] = Counter()
    values = {"recorded": now - LATELY, "happened": now - HAPPENED}
    for source, type, number in conn.execute(_RECENT, values).fetchall():
        recent[source, DATA_TYPES[type].system] += number
    minutes = LATELY.total_seconds() / 60
    return [
        Source(system, source, origin or "", events, round(recent[source, system] / minutes, 1), last_time, recorded)
        for system, source, origin, events, last_time, recorded in conn.execute(_SOURCES).fetchall()
    ]


def table(found: list[Source], now: datetime) -> Table:
    """The sources for people, marked where they are not real."""
    from rich.table import Table

    from services.cli.show import ORIGINS

    shown = Table("system", "source", "", "events", "per minute", "last event", box=None, pad_edge=False)
    for number in (3, 4, 5):
        shown.columns[number].justify = "right"
    for s in found:
        age = _age(now - s.last_time)
        shown.add_row(s.system, s.source, ORIGINS.get(s.origin, ""), f"{s.events:,}", f"{s.per_minute:,.1f}", age)
    return shown


def _age(passed: timedelta) -> str:
    seconds = max(int(passed.total_seconds()), 0)
    for name, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {name} ago"
    return f"{seconds} s ago"


_RECENT = """
SELECT source, type, count(*) FROM event WHERE time >= %(happened)s AND recorded >= %(recorded)s GROUP BY source, type
"""
_SOURCES = """
SELECT s.system, s.source, e.origin, s.events, s.last_time, s.last_recorded FROM source s
LEFT JOIN LATERAL (SELECT origin FROM event WHERE time = s.last_time AND source = s.source LIMIT 1) e ON true
ORDER BY s.system, s.source
"""
