"""Reading the series: whole local months and days from their rollups, what is left of a day from the points, so that
every instant is exact and a long period costs no more than a short one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from psycopg import Connection
from psycopg.sql import SQL, Composable, Composed, Placeholder

from schemas.indicators.formula import Where
from services.readings.period import last_midnight, last_month, next_midnight, next_month

BEGINNING = datetime(1999, 12, 31, 17, tzinfo=UTC)
"""A local midnight before every event."""


@dataclass(frozen=True)
class Selection:
    """Which series: a measure in some units (None: all), whose labels have one of the given values."""

    measure: str
    units: frozenset[str] | None
    where: Where

    def condition(self, prefix: str = "") -> tuple[Composed, dict[str, Any]]:
        """The condition on table `series` (alias s), and its parameters; `prefix` tells those of several apart."""
        parts: list[Composable] = [SQL("s.measure = {}").format(Placeholder(f"{prefix}measure"))]
        values: dict[str, Any] = {"measure": self.measure}
        if self.units is not None:
            parts.append(SQL("s.unit = ANY({})").format(Placeholder(f"{prefix}units")))
            values["units"] = sorted(self.units)
        for i, (label, allowed) in enumerate(sorted(self.where.items())):
            names = (Placeholder(f"{prefix}{kind}{i}") for kind in "lv")
            parts.append(SQL("s.labels ->> {} = ANY({})").format(*names))
            values |= {f"l{i}": label, f"v{i}": list(allowed)}
        return SQL(" AND ").join(parts), {prefix + name: value for name, value in values.items()}


class Total(NamedTuple):
    """The points of one group: exact sum, number, and the origins they come from."""

    sum: Decimal
    number: int
    origins: frozenset[str]


def totals(conn: Connection, what: Selection, start: datetime, stop: datetime, by: str | None) -> dict[str, Total]:
    """Sums over [start, stop) by `unit`, by a label, or (None) all in the group ``""``.

    Groups without points are absent.
    """
    return dict(_totals(conn, what, start, stop, _group(by), by))


def distinct(
    conn: Connection, what: Selection, label: str, start: datetime, stop: datetime
) -> Iterator[tuple[str, Total]]:
    """(unit, its total) for every value of a label with which the unit has points in [start, stop)."""
    both = SQL("ARRAY[{}, {}]").format(_group("unit"), _group(label))
    return ((unit, total) for (unit, _), total in _totals(conn, what, start, stop, both, label))


def _totals(
    conn: Connection, what: Selection, start: datetime, stop: datetime, group: Composable, by: str | None
) -> Iterator[tuple[Any, Total]]:
    condition, values = what.condition()
    values |= {"by": by}
    parts: list[Composable] = []
    for i, (table, since, until, sign) in enumerate(stretches(start, stop)):
        values |= {f"since{i}": since, f"until{i}": until}
        parts.append(_PARTS[table].format(SQL(sign), SQL(sign), Placeholder(f"since{i}"), Placeholder(f"until{i}")))
    if parts:
        query = _TOTALS.format(group=group, condition=condition, parts=SQL(" UNION ALL ").join(parts))
        for found, total, number, origins in conn.execute(query, values).fetchall():
            yield found, Total(total, int(number), frozenset(origins))


class Stretch(NamedTuple):
    """A part of a period: the table it is read from, [since, until), and `+` or `-` for how it counts."""

    table: str
    since: datetime
    until: datetime
    sign: Literal["+", "-"] = "+"


def stretches(start: datetime, stop: datetime) -> list[Stretch]:
    """[start, stop) cut at midnights and firsts of months, none of it empty.

    Of the last month the shorter side is read: the days until `stop`, or the month less what comes after.
    """
    first_month, final_month, end = next_month(start), last_month(stop), next_month(stop)
    if first_month >= final_month:
        return _days(start, stop)
    whole = [*_days(start, first_month), Stretch("rollup_month", first_month, final_month)]
    if stop - final_month <= end - stop:
        return [*whole, *_days(final_month, stop)]
    after = [part._replace(sign="-") for part in _days(stop, end)]
    return [*whole, Stretch("rollup_month", final_month, end), *after]


def _days(start: datetime, stop: datetime) -> list[Stretch]:
    first, last = next_midnight(start), last_midnight(stop)
    if first > last:  # within one day
        first = last = stop
    cut = (Stretch("point", start, first), Stretch("rollup_day", first, last), Stretch("point", last, stop))
    return [part for part in cut if part.since < part.until]


def latest(conn: Connection, what: Selection, start: datetime, stop: datetime, by: str | None) -> dict[str, Total]:
    """Per group, the sum over its series of the points of each series' last local day with points in [start, stop)."""
    parts, values = _last_days(what, start, stop)
    rows = conn.execute(_LATEST.format(group=_group(by), **parts), values | {"by": by}).fetchall()
    return {group: Total(total, int(number), frozenset(origins)) for group, total, number, origins in rows}


def latest_keys(what: Selection, start: datetime, stop: datetime, prefix: str) -> tuple[Composable, dict[str, Any]]:
    """The query for the keys of the points that `latest` sums, and its parameters; `prefix` as in `condition`."""
    parts, values = _last_days(what, start, stop, prefix)
    return _LATEST_KEYS.format(stop=Placeholder(f"{prefix}stop"), **parts), values


def _last_days(
    what: Selection, start: datetime, stop: datetime, prefix: str = ""
) -> tuple[dict[str, Composable], dict[str, Any]]:
    """The condition on the series and their last days, as parts of a query, and its parameters."""
    condition, values = what.condition(prefix)
    bounds = {"start": start, "stop": stop, "today": max(start, last_midnight(stop))}
    last_day = _LAST_DAY.format(**{name: Placeholder(prefix + name) for name in bounds})
    return {"condition": condition, "last_day": last_day}, values | {prefix + name: at for name, at in bounds.items()}


def medians(
    conn: Connection, what: Selection, start: datetime, stop: datetime, by: str | None, rows: Mapping[str, str]
) -> dict[str, Total]:
    """Per group, the middle value of the points in [start, stop), as `sum`; by unit groups are those of `rows`.

    Points that were taken back by their opposite do not count. Groups without any other are absent.
    """
    condition, values = what.condition()
    group = SQL("%(rows)s::jsonb ->> s.unit") if by == "unit" else _group(by)
    values |= {"by": by, "rows": json.dumps(rows), "start": start, "stop": stop}
    found = conn.execute(_MEDIANS.format(group=group, condition=condition), values).fetchall()
    return {name: Total(middle, int(number), frozenset(origins)) for name, middle, number, origins in found}


def is_forgotten(conn: Connection, start: datetime) -> bool:
    """Whether retention has left rollups alone of a period that begins then."""
    return bool(conn.execute("SELECT FROM horizon WHERE time > %s", (start,)).fetchall())


def extent(
    conn: Connection,
    measures: Iterable[str],
    units: frozenset[str] | None,
    as_of: datetime,
    besides: Iterable[str] = (),
) -> dict[str, tuple[datetime, datetime]]:
    """unit -> the first and last local day (begin, UTC) with a point of any of the measures up to `as_of`.

    The units `besides` are left out.
    """
    values = {
        "measures": sorted(measures),
        "units": None if units is None else sorted(units),
        "besides": sorted(besides),
    }
    rows = conn.execute(_EXTENT, values | {"as_of": as_of, "today": last_midnight(as_of)}).fetchall()
    return {unit: (first, last) for unit, first, last in rows}


def cuts_a_forgotten_day(conn: Connection, stop: datetime) -> bool:
    """Whether an instant lies within a day of which retention left the rollup alone."""
    return stop != last_midnight(stop) and is_forgotten(conn, stop)


def _group(by: str | None) -> SQL:
    if by is None:
        return SQL("''")
    return SQL("s.unit") if by == "unit" else SQL("coalesce(s.labels ->> %(by)s, 'none')")


# The chosen as an array, so that the index is used however stale the statistics are.
_PARTS = {
    "point": SQL("""
    SELECT series, {}value, {}1 FROM point
    WHERE series = ANY(ARRAY(SELECT id FROM chosen)) AND time >= {} AND time < {}"""),
    "rollup_day": SQL("""
    SELECT series, {}sum, {}count FROM rollup_day
    WHERE series = ANY(ARRAY(SELECT id FROM chosen)) AND bucket >= {} AND bucket < {}"""),
    "rollup_month": SQL("""
    SELECT series, {}sum, {}count FROM rollup_month
    WHERE series = ANY(ARRAY(SELECT id FROM chosen)) AND bucket >= {} AND bucket < {}"""),
}
_TOTALS = SQL("""
WITH chosen AS (SELECT * FROM series s WHERE {condition})
SELECT {group}, sum(x.sum), sum(x.count), array_agg(DISTINCT s.origin)
FROM (
    SELECT series, sum(sum), sum(count) FROM ({parts}) AS parts(series, sum, count)
    GROUP BY series HAVING sum(count) > 0
) AS x(series, sum, count) JOIN chosen s ON s.id = x.series GROUP BY 1
""")
# Of each series s the last day with points, with their sum and number.
_LAST_DAY = SQL("""LATERAL (
    (SELECT r.bucket AS day, r.sum, r.count FROM rollup_day r
     WHERE r.series = s.id AND r.bucket >= {start} AND r.bucket < {today} ORDER BY r.bucket DESC LIMIT 1)
    UNION ALL (SELECT {today}, sum(p.value), count(*) FROM point p
     WHERE p.series = s.id AND p.time >= {today} AND p.time < {stop} HAVING count(*) > 0)
    ORDER BY day DESC LIMIT 1) x""")
_LATEST = SQL("""
WITH chosen AS (SELECT * FROM series s WHERE {condition})
SELECT {group}, sum(x.sum), sum(x.count), array_agg(DISTINCT s.origin) FROM chosen s, {last_day} GROUP BY 1
""")
# Series by series, whatever the statistics say of all points.
_LATEST_KEYS = SQL("""
SELECT found.key FROM series s, {last_day}, LATERAL (
    SELECT p.key FROM point p WHERE p.series = s.id
        AND p.time >= x.day AND p.time < least(x.day + interval '1 day', {stop}) OFFSET 0) found
WHERE {condition}
""")
_EXTENT = """
SELECT s.unit, min(x.day), max(x.day) FROM series s, LATERAL (
    (SELECT bucket AS day FROM rollup_day WHERE series = s.id AND bucket < %(today)s ORDER BY bucket LIMIT 1)
    UNION ALL
    (SELECT bucket FROM rollup_day WHERE series = s.id AND bucket < %(today)s ORDER BY bucket DESC LIMIT 1)
    UNION ALL
    (SELECT %(today)s FROM point WHERE series = s.id AND time >= %(today)s AND time <= %(as_of)s LIMIT 1)) x
WHERE s.measure = ANY(%(measures)s) AND (%(units)s::text[] IS NULL OR s.unit = ANY(%(units)s))
    AND s.unit <> ALL(%(besides)s)
GROUP BY s.unit
"""
_MEDIANS = SQL("""
WITH each AS (
    SELECT {group} AS grp, abs(p.value) AS value, sum(CASE WHEN p.value < 0 THEN -1 ELSE 1 END) AS number,
        array_agg(DISTINCT s.origin) AS origins
    FROM series s JOIN point p ON p.series = s.id
    WHERE {condition} AND p.time >= %(start)s AND p.time < %(stop)s
    GROUP BY 1, 2 HAVING sum(CASE WHEN p.value < 0 THEN -1 ELSE 1 END) > 0
), placed AS (
    SELECT grp, value, sum(number) OVER (PARTITION BY grp ORDER BY value) AS upto,
        sum(number) OVER (PARTITION BY grp) AS total FROM each
)
SELECT grp, (min(value) FILTER (WHERE 2 * upto >= total) + min(value) FILTER (WHERE 2 * upto > total)) / 2, max(total),
    (SELECT array_agg(DISTINCT o) FROM each e, unnest(e.origins) o WHERE e.grp = placed.grp)
FROM placed GROUP BY grp
""")
