"""Opening a figure: its formula with the value of every part, the sources and their freshness, the events behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.sql import SQL, Composable, Placeholder

from schemas.indicators import Indicator
from schemas.indicators.formula import (
    Distinct,
    Formula,
    Last,
    Ratio,
    Statement,
    Stock,
    Sum,
    UnitMean,
    children,
    describe,
    leaves,
)
from services.readings import statements
from services.readings.evaluate import ALL, Scope, evaluate
from services.readings.period import Period
from services.readings.read import Reading, read
from services.readings.reasons import Reason
from services.readings.sums import BEGINNING, Selection

SAMPLE = 5
MOST = 100_000
"""So many events are looked at for their sources. Keys are hashes, so of more the smallest are a fair sample; a source
that sent fewer than one in thousands may then be missing."""


@dataclass(frozen=True)
class Part:
    """One part of the formula, `depth` levels down, with its value or the reason why it has none."""

    depth: int
    role: str
    of: Formula
    value: Decimal | None
    reason: Reason | None

    @property
    def formula(self) -> str:
        """The part in one line."""
        return describe(self.of)


@dataclass(frozen=True)
class Source:
    """A source and its freshness: what it sent, when its last event happened and when that was recorded."""

    source: str
    system: str
    events: int
    last_time: datetime
    last_recorded: datetime


@dataclass(frozen=True)
class Evidence:
    """An event behind a figure."""

    source: str
    id: str
    type: str
    unit: str
    time: datetime


@dataclass(frozen=True)
class Explanation:
    """All that a leader may ask of a figure."""

    reading: Reading
    unit: str | None
    period: Period
    formula: str
    parts: list[Part]
    sources: list[Source]
    events: int
    sample: list[Evidence]


def explain(
    conn: Connection, indicator: Indicator, unit: str | None, period: Period, sample: int = SAMPLE
) -> Explanation:
    """Open one figure. The number of events counts every event once, however many parts rest on it."""
    scope = Scope.of(unit, period)
    number, keys = _behind(conn, indicator.formula, scope)
    picked = keys[:: max(len(keys) // max(sample, 1), 1)][:sample]
    return Explanation(
        reading=read(conn, indicator, unit, period)[0],
        unit=unit,
        period=period,
        formula=describe(indicator.formula),
        parts=list(_parts(conn, indicator.formula, scope)),
        sources=_sources(conn, keys, indicator.system),
        events=number,
        sample=[Evidence(*row) for row in conn.execute(_EVENTS, (picked,)).fetchall()],
    )


def _parts(conn: Connection, formula: Formula, scope: Scope, depth: int = 0, role: str = "") -> Iterator[Part]:
    value = evaluate(conn, formula, scope)[ALL]
    yield Part(depth, role, formula, value.value, value.reason)
    if isinstance(formula, UnitMean):
        return
    roles = ("numerator", "denominator") if isinstance(formula, Ratio) else ("term",) * 99
    for name, part in zip(roles, children(formula), strict=False):
        yield from _parts(conn, part, scope, depth + 1, name)


def _behind(conn: Connection, formula: Formula, scope: Scope) -> tuple[int, list[UUID]]:
    """How many events are behind a figure, and the keys of at most `MOST` of them."""
    stated: list[str] = []
    values: dict[str, Any] = {"most": MOST, "stated": stated}
    selects: list[Composable] = [SQL("SELECT unnest(%(stated)s::uuid[])")]
    for number, leaf in enumerate(leaves(formula)):
        if isinstance(leaf, Statement):
            stated += (s.key for s in statements.current(conn, leaf, scope.units, scope.period).values())
        elif scope.period.begun:
            select, its_values = _keys(leaf, scope, f"p{number}_")
            selects.append(select)
            values |= its_values
    ((number, keys),) = conn.execute(_BEHIND.format(SQL(" UNION ").join(selects)), values).fetchall()
    return number, keys


def _keys(leaf: Sum | Stock | Last | Distinct, scope: Scope, prefix: str) -> tuple[Composable, dict[str, Any]]:
    """The query for the keys of a part's points, and its parameters."""
    condition, values = Selection(leaf.measure, scope.units, leaf.where).condition(prefix)
    whole = isinstance(leaf, Stock) or (isinstance(leaf, Last) and scope.period.open_start)
    at_start = isinstance(leaf, Stock) and leaf.at == "start"
    values |= {
        f"{prefix}start": BEGINNING if whole else scope.period.start,
        f"{prefix}stop": scope.period.start if at_start else scope.period.stop,
    }
    return _KEYS.format(condition, Placeholder(f"{prefix}start"), Placeholder(f"{prefix}stop")), values


def _sources(conn: Connection, keys: list[UUID], system: str) -> list[Source]:
    """The sources that sent these events; where there are none, all sources of the system, so that silence shows."""
    rows = conn.execute(_SOURCES, (keys,)).fetchall() if keys else []
    return [Source(*row) for row in rows or conn.execute(_SYSTEM_SOURCES, (system,)).fetchall()]


_KEYS = SQL("""
SELECT key FROM point WHERE series = ANY(ARRAY(SELECT id FROM series s WHERE {})) AND time >= {} AND time < {}
""")
_BEHIND = SQL("""
WITH behind(key) AS MATERIALIZED ({})
SELECT (SELECT count(*) FROM behind), ARRAY(SELECT key FROM behind ORDER BY key LIMIT %(most)s)
""")
_EVENTS = """
SELECT e.source, e.id, e.type, e.unit, e.time FROM event_key k JOIN event e ON e.key = k.key AND e.time = k.time
WHERE k.key = ANY(%s::uuid[]) ORDER BY e.time, e.id
"""
_SOURCES = """
SELECT source, system, events, last_time, last_recorded FROM source
WHERE source IN (SELECT e.source FROM event_key k JOIN event e ON e.key = k.key AND e.time = k.time
                 WHERE k.key = ANY(%s::uuid[]))
ORDER BY source, system
"""
_SYSTEM_SOURCES = (
    "SELECT source, system, events, last_time, last_recorded FROM source WHERE system = %s ORDER BY source"
)
