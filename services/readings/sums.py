"""Reading the series: whole local days from the daily rollup, what is left of a day from the points, so every instant is exact."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.sql import SQL, Composed, Identifier

from schemas.indicators.formula import Where
from services.readings.period import last_midnight, next_midnight

BEGINNING = datetime(1999, 12, 31, 17, tzinfo=UTC)
"""A local midnight before every event."""


@dataclass(frozen=True)
class Selection:
    """Which series: a measure in some units (None: all), whose labels have one of the given values."""

    measure: str
    units: frozenset[str] | None
    where: Where

    def condition(self) -> tuple[Composed, dict[str, Any]]:
        """The condition on table `series` (alias s), and its parameters."""
        parts = [SQL("s.measure = %(measure)s")]
        values: dict[str, Any] = {"measure": self.measure}
        if self.units is not None:
            parts.append(SQL("s.unit = ANY(%(units)s)"))
            values["units"] = sorted(self.units)
        for i, (label, allowed) in enumerate(sorted(self.where.items())):
            parts.append(SQL("s.labels ->> {} = ANY({})").format(_parameter(f"l{i}"), _parameter(f"v{i}")))
            values |= {f"l{i}": label, f"v{i}": list(allowed)}
        return SQL(" AND ").join(parts), values


class Total(NamedTuple):
    """The points of one group: exact sum, number, and the origins they come from."""

    sum: Decimal
    count: int
    origins: frozenset[str]


def totals(conn: Connection, what: Selection, start: datetime, stop: datetime, by: str | None) -> dict[str, Total]:
    """Sums over [start, stop) by `unit`, by a label, or (None) all in the group ``""``. Groups without points are absent."""
    condition, values = what.condition()
    values |= {"start": start, "stop": stop, "by": by}
    first_day, last_day = next_midnight(start), last_midnight(stop)
    if first_day > last_day:
        parts = [_POINTS.format(SQL("%(start)s"), SQL("%(stop)s"))]
    else:
        values |= {"first_day": first_day, "last_day": last_day}
        parts = [_DAYS] if first_day < last_day else []
        parts += [_POINTS.format(SQL("%(start)s"), SQL("%(first_day)s"))] if start < first_day else []
        parts += [_POINTS.format(SQL("%(last_day)s"), SQL("%(stop)s"))] if last_day < stop else []
    if not parts:
        return {}
    query = _TOTALS.format(group=_group(by), condition=condition, parts=SQL(" UNION ALL ").join(parts))
    rows = conn.execute(query, values).fetchall()
    return {group: Total(total, int(count), frozenset(origins)) for group, total, count, origins in rows}


def latest(conn: Connection, what: Selection, start: datetime, stop: datetime, by: str | None) -> dict[str, Total]:
    """Per group, the sum over its series of the points of each series' last local day with points in [start, stop)."""
    condition, values = what.condition()
    values |= {"start": start, "stop": stop, "by": by}
    rows = conn.execute(_LATEST.format(group=_group(by), condition=condition), values).fetchall()
    return {group: Total(total, int(count), frozenset(origins)) for group, total, count, origins in rows}


def distinct(
    conn: Connection, what: Selection, label: str, start: datetime, stop: datetime
) -> dict[str, tuple[int, frozenset[str]]]:
    """unit -> how many values of the label have points in [start, stop) that do not come to 0, and their origins."""
    condition, values = what.condition()
    values |= {"start": start, "stop": stop, "by": label}
    rows = conn.execute(_DISTINCT.format(condition=condition), values).fetchall()
    return {unit: (int(number), frozenset(origins)) for unit, number, origins in rows}


def extent(
    conn: Connection, measures: Iterable[str], units: frozenset[str] | None, as_of: datetime
) -> dict[str, tuple[datetime, datetime]]:
    """unit -> the first and last local day (begin, UTC) with a point of any of the measures up to `as_of`."""
    values = {"measures": sorted(measures), "units": None if units is None else sorted(units), "as_of": as_of}
    rows = conn.execute(_EXTENT, values).fetchall()
    return {unit: (last_midnight(first), last_midnight(last)) for unit, first, last in rows if first is not None}


def _parameter(name: str) -> SQL:
    return SQL("%(" + name + ")s")  # type: ignore[arg-type]


def _group(by: str | None) -> Composed | SQL:
    if by is None:
        return SQL("''")
    return SQL("{}.unit").format(Identifier("s")) if by == "unit" else SQL("coalesce(s.labels ->> %(by)s, 'none')")


_DAYS = SQL("""
    SELECT r.series, r.sum, r.count FROM rollup_day r
    WHERE r.series IN (SELECT id FROM chosen) AND r.bucket >= %(first_day)s AND r.bucket < %(last_day)s""")
_POINTS = SQL("""
    SELECT p.series, p.value, 1 FROM point p
    WHERE p.series IN (SELECT id FROM chosen) AND p.time >= {} AND p.time < {}""")
_TOTALS = SQL("""
WITH chosen AS (SELECT * FROM series s WHERE {condition})
SELECT {group}, sum(x.sum), sum(x.count), array_agg(DISTINCT s.origin)
FROM ({parts}) AS x(series, sum, count) JOIN chosen s ON s.id = x.series GROUP BY 1
""")
_LATEST = SQL("""
WITH chosen AS (SELECT * FROM series s WHERE {condition})
SELECT {group}, sum(x.sum), sum(x.count), array_agg(DISTINCT s.origin) FROM chosen s, LATERAL (
    SELECT time FROM point WHERE series = s.id AND time >= %(start)s AND time < %(stop)s
    ORDER BY time DESC LIMIT 1) last, LATERAL (
    SELECT sum(value), count(*) FROM point WHERE series = s.id AND time < %(stop)s
    AND time >= greatest(%(start)s, date_bin('1 day', last.time, '1999-12-31 17:00+00'))) AS x(sum, count)
GROUP BY 1
""")
_DISTINCT = SQL("""
WITH chosen AS (SELECT * FROM series s WHERE {condition})
SELECT unit, count(DISTINCT label), array_agg(DISTINCT origin) FROM (
    SELECT s.unit, s.origin, coalesce(s.labels ->> %(by)s, 'none') AS label FROM chosen s JOIN point p ON p.series = s.id
    WHERE p.time >= %(start)s AND p.time < %(stop)s GROUP BY 1, 2, 3 HAVING sum(p.value) <> 0) x
GROUP BY 1
""")
_EXTENT = """
SELECT s.unit, min(x.first), max(x.last) FROM series s, LATERAL (
    SELECT (SELECT time FROM point WHERE series = s.id AND time <= %(as_of)s ORDER BY time LIMIT 1) AS first,
           (SELECT time FROM point WHERE series = s.id AND time <= %(as_of)s ORDER BY time DESC LIMIT 1) AS last) x
WHERE s.measure = ANY(%(measures)s) AND (%(units)s::text[] IS NULL OR s.unit = ANY(%(units)s))
GROUP BY s.unit
"""
