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
    Median,
    Ratio,
    Score,
    Statement,
    Stock,
    Sum,
    UnitMean,
    children,
    describe,
    leaves,
)
from services.readings import series_query, statements
from services.readings.evaluate import component_counts, evaluate_all
from services.readings.leaves import ALL, Scope
from services.readings.period import Period
from services.readings.read import Reading, read
from services.readings.reasons import Reason
from services.readings.series_query import BEGINNING, Selection
from services.readings.stock_evidence import counted_keys, stocks_of, until

Measured = Sum | Stock | Last | Distinct | Median
SAMPLE = 5
MOST = 100_000
"""The keys of so many events behind a figure are given at most."""
FAIR = 20_000
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
    """An event behind a figure; `erased`: when, by whom and why a person's data was erased of it."""

    source: str
    id: str
    type: str
    unit: str
    time: datetime
    erased: str | None = None


@dataclass(frozen=True)
class Explanation:
    """All that a leader may ask of a figure. `history`: a stock in it is one of which is no more known what it was made
    of, so all events that ever moved it are among `events`."""

    reading: Reading
    unit: str | None
    period: Period
    formula: str
    parts: list[Part]
    sources: list[Source]
    events: int
    sample: list[Evidence]
    history: bool = False


def explain(
    conn: Connection, indicator: Indicator, unit: str | None, period: Period, sample: int = SAMPLE
) -> Explanation:
    """Open one figure. The number of events counts every event once, however many parts rest on it."""
    scope = Scope.of(unit, period)
    number, keys, history = _behind(conn, indicator.formula, scope, FAIR)
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
        history=history,
    )


def keys_behind(conn: Connection, indicator: Indicator, unit: str | None, period: Period) -> list[UUID]:
    """The keys of the events behind a figure, at most `MOST` of them."""
    return _behind(conn, indicator.formula, Scope.of(unit, period), MOST)[1]


def _parts(conn: Connection, formula: Formula, scope: Scope) -> Iterator[Part]:
    """A formula and all that it is made of, each with its value."""
    opened = list(_opened(formula))
    values = evaluate_all(conn, [part for *_, part in opened], scope)
    for (depth, role, part), value in zip(opened, values, strict=True):
        yield Part(depth, role, part, value[ALL].value, value[ALL].reason)
        if isinstance(part, Score):
            yield from _components(conn, part, scope, depth + 1)


def _opened(formula: Formula, depth: int = 0, role: str = "") -> Iterator[tuple[int, str, Formula]]:
    yield depth, role, formula
    roles = ("numerator", "denominator") if isinstance(formula, Ratio) else ("term",) * 99
    parts = () if isinstance(formula, UnitMean | Score) else children(formula)
    for name, part in zip(roles, parts, strict=False):
        yield from _opened(part, depth + 1, name)


def _components(conn: Connection, formula: Score, scope: Scope, depth: int) -> Iterator[Part]:
    """Numerator and denominator of each component, as they were scored."""
    for metric, found in component_counts(conn, formula, scope)[ALL].items():
        pair = (found.count.numerator, found.count.denominator) if found.count else (None, None)
        for role, part, number in zip(("numerator", "denominator"), formula.counts[metric], pair, strict=True):
            yield Part(depth, role, part, number, found.reason)


def _behind(conn: Connection, formula: Formula, scope: Scope, most: int) -> tuple[int, list[UUID], bool]:
    """How many events are behind a figure, the keys of at most so many of them, and `Explanation.history`."""
    known: list[UUID] = []
    measured: list[Measured] = []
    history = False
    if isinstance(formula, Score):
        counts = component_counts(conn, formula, scope)[ALL].values()
        known += (UUID(count.stated.key) for count in counts if count.stated)
    for leaf in {repr(leaf): leaf for leaf in leaves(formula)}.values():
        if isinstance(leaf, Statement) and isinstance(formula, Score):
            continue  # by its own rule, above
        if isinstance(leaf, Statement):
            known += (UUID(s.key) for s in statements.current(conn, leaf, scope.units, scope.period).values())
        elif not isinstance(leaf, Stock):
            measured.append(leaf)
    for together in stocks_of(formula) if scope.period.begun else ():
        if (found := counted_keys(conn, together, scope, MOST)) is None:
            measured += (stock for stock, _ in together)
            history = True
        else:
            known += found
    values: dict[str, Any] = {"most": most, "known": known}
    selects: list[Composable] = [SQL("SELECT unnest(%(known)s::uuid[])")]
    for number, part in enumerate(measured if scope.period.begun else ()):
        select, its_values = _keys(part, scope, f"p{number}_")
        selects.append(select)
        values |= its_values
    ((count, keys),) = conn.execute(_BEHIND.format(SQL(" UNION ").join(selects)), values).fetchall()
    return count, keys, history


def _keys(leaf: Measured, scope: Scope, prefix: str) -> tuple[Composable, dict[str, Any]]:
    """The query for the keys of a part's points, and its parameters."""
    what, period = Selection(leaf.measure, scope.units, leaf.where), scope.period
    if isinstance(leaf, Last):
        return series_query.latest_keys(what, BEGINNING if period.open_start else period.start, period.stop, prefix)
    condition, values = what.condition(prefix)
    values[f"{prefix}start"] = BEGINNING if isinstance(leaf, Stock) else period.start
    values[f"{prefix}stop"] = until(leaf, period) if isinstance(leaf, Stock) else period.stop
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
SELECT e.source, e.id, e.type, e.unit, e.time, CASE WHEN r.id IS NOT NULL THEN format(
    'erased on %%s by %%s because %%s', (r.at AT TIME ZONE interval '7 hours')::date, r.by, r.reason) END
FROM event_key k JOIN event e ON e.key = k.key AND e.time = k.time
LEFT JOIN erasure_event x ON x.key = k.key LEFT JOIN erasure r ON r.id = x.erasure
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
