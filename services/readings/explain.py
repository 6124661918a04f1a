"""Opening a figure: its formula with the value of every part, the sources and their freshness, the events behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from psycopg import Connection
from psycopg.sql import SQL

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
    keys = _keys(conn, indicator.formula, scope)
    evidence = _evidence(conn, sorted(keys)[:: max(len(keys) // max(sample, 1), 1)][:sample])
    return Explanation(
        reading=read(conn, indicator, unit, period)[0],
        unit=unit,
        period=period,
        formula=describe(indicator.formula),
        parts=list(_parts(conn, indicator.formula, scope)),
        sources=_sources(conn, keys, indicator.system),
        events=len(keys),
        sample=evidence,
    )


def _parts(conn: Connection, formula: Formula, scope: Scope, depth: int = 0, role: str = "") -> Iterator[Part]:
    value = evaluate(conn, formula, scope)[ALL]
    yield Part(depth, role, formula, value.value, value.reason)
    if isinstance(formula, UnitMean):
        return
    roles = ("numerator", "denominator") if isinstance(formula, Ratio) else ("term",) * 99
    for name, part in zip(roles, children(formula), strict=False):
        yield from _parts(conn, part, scope, depth + 1, name)


def _keys(conn: Connection, formula: Formula, scope: Scope) -> set[str]:
    found: set[str] = set()
    for leaf in leaves(formula):
        if isinstance(leaf, Statement):
            found |= {stated.key for stated in statements.current(conn, leaf, scope.units, scope.period).values()}
        elif scope.period.begun:
            found |= _point_keys(conn, leaf, scope)
    return found


def _point_keys(conn: Connection, leaf: Sum | Stock | Last | Distinct, scope: Scope) -> set[str]:
    condition, values = Selection(leaf.measure, scope.units, leaf.where).condition()
    whole = isinstance(leaf, Stock) or (isinstance(leaf, Last) and scope.period.open_start)
    at_start = isinstance(leaf, Stock) and leaf.at == "start"
    values |= {
        "start": BEGINNING if whole else scope.period.start,
        "stop": scope.period.start if at_start else scope.period.stop,
    }
    return {row[0].hex for row in conn.execute(_KEYS.format(condition=condition), values)}


def _evidence(conn: Connection, keys: list[str]) -> list[Evidence]:
    return [Evidence(*row) for row in conn.execute(_EVENTS, (keys,)).fetchall()]


def _sources(conn: Connection, keys: set[str], system: str) -> list[Source]:
    """The sources that sent these events; where there are none, all sources of the system, so that silence shows."""
    rows = conn.execute(_SOURCES, (sorted(keys),)).fetchall() if keys else []
    return [Source(*row) for row in rows or conn.execute(_SYSTEM_SOURCES, (system,)).fetchall()]


_KEYS = SQL("""
SELECT DISTINCT p.key FROM point p JOIN series s ON s.id = p.series
WHERE {condition} AND p.time >= %(start)s AND p.time < %(stop)s
""")
_EVENTS = """
SELECT e.source, e.id, e.type, e.unit, e.time FROM event_key k JOIN event e ON e.key = k.key AND e.time = k.time
WHERE k.key = ANY(%s::uuid[]) ORDER BY e.time, e.id
"""
_SOURCES = """
SELECT s.source, s.system, s.events, s.last_time, s.last_recorded FROM source s
WHERE s.source IN (SELECT e.source FROM event_key k JOIN event e ON e.key = k.key AND e.time = k.time
                   WHERE k.key = ANY(%s::uuid[]))
ORDER BY s.source, s.system
"""
_SYSTEM_SOURCES = (
    "SELECT source, system, events, last_time, last_recorded FROM source WHERE system = %s ORDER BY source"
)
