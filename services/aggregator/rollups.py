"""Points into and out of the series, with their rollups kept exact: added points are summed in, and a bucket that loses
a point is computed anew from the points that remain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from schemas.calendar import VN
from schemas.fold import Labels, Point


class SeriesName(NamedTuple):
    """The natural key of a series."""

    measure: str
    unit: str
    origin: str
    labels: Labels


class SeriesIds:
    """Ids of series by name. New ones are committed at once, on a connection of their own, so that no batch waits for
    another's."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool
        self._ids: dict[SeriesName, int] = {}

    async def of(self, points: Iterable[Point]) -> dict[SeriesName, int]:
        """The ids of all series the points belong to, made where missing."""
        missing = sorted({SeriesName(*p[:4]) for p in points} - self._ids.keys())
        if missing:
            columns = [[n.measure for n in missing], [n.unit for n in missing], [n.origin for n in missing]]
            labels = [Jsonb(dict(n.labels)) for n in missing]
            async with self._pool.connection() as conn:
                await conn.execute(_MAKE_SERIES, (*columns, labels))
                rows = await (await conn.execute(_SERIES, (*columns, labels))).fetchall()
            self._ids.update(zip(missing, (row[0] for row in rows), strict=True))
        return self._ids


_WANTED = (
    "unnest(%b::text[], %b::text[], %b::text[], %b::jsonb[]) WITH ORDINALITY AS t(measure, unit, origin, labels, n)"
)
_MAKE_SERIES = f"""
INSERT INTO series (measure, unit, origin, labels) SELECT measure, unit, origin, labels FROM {_WANTED}
WHERE NOT EXISTS (
    SELECT FROM series s WHERE (s.measure, s.unit, s.origin, s.labels) = (t.measure, t.unit, t.origin, t.labels)
)
ORDER BY n ON CONFLICT DO NOTHING
"""
_SERIES = f"SELECT s.id FROM {_WANTED} JOIN series s USING (measure, unit, origin, labels) ORDER BY n"


@dataclass(frozen=True)
class Rollup:
    """One rollup table: the width of its buckets, and how far a bucket's start is shifted from UTC."""

    table: str
    width: timedelta
    offset: timedelta

    def bucket(self, t: datetime) -> datetime:
        """The start of the bucket that `t` falls into (UTC)."""
        since = t - _EPOCH + self.offset
        return t - since % self.width


_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
ROLLUPS = (
    Rollup("rollup_hour", timedelta(hours=1), timedelta(0)),
    Rollup("rollup_day", timedelta(days=1), VN.utcoffset(None)),
)

Row = tuple[int, datetime, str, Decimal | int]
"""A point as stored: series id, time, key, value."""


def rows(points: Iterable[Point], ids: dict[SeriesName, int]) -> list[Row]:
    """Points as rows, sorted as the tables are."""
    return sorted((ids[SeriesName(*p[:4])], p.time, p.key, p.value) for p in points)


async def apply(conn: AsyncConnection, removed: list[Row], added: list[Row]) -> None:
    """Delete and insert points and bring both rollups along, within the caller's transaction."""
    if removed:
        await _delete_points(conn, removed)
    if added:
        async with conn.cursor().copy("COPY point (series, time, key, value) FROM STDIN") as copy:
            for row in added:
                await copy.write_row(row)
    for rollup in ROLLUPS:
        lost = sorted({(series, rollup.bucket(time)) for series, time, *_ in removed})
        await _recompute(conn, rollup, lost)
        await _add(conn, rollup, added, set(lost))


async def _delete_points(conn: AsyncConnection, removed: list[Row]) -> None:
    found = await conn.execute(
        _DELETE_POINTS, ([r[0] for r in removed], [r[1] for r in removed], [r[2] for r in removed])
    )
    if found.rowcount != len(removed):
        raise Disagreement(f"{len(removed)} points to take back, {found.rowcount} found; run `ioc rebuild`")


class Disagreement(Exception):
    """State and points do not belong together: only a rebuild from the log mends that."""


_DELETE_POINTS = """
DELETE FROM point p USING unnest(%b::int[], %b::timestamptz[], %b::uuid[]) AS t(series, time, key)
WHERE p.series = t.series AND p.time = t.time AND p.key = t.key
"""


async def _add(conn: AsyncConnection, rollup: Rollup, added: list[Row], anew: set[tuple[int, datetime]]) -> None:
    sums: dict[tuple[int, datetime], list[Any]] = {}
    for series, time, _, value in added:
        place = (series, rollup.bucket(time))
        if place in anew:
            continue
        if (held := sums.get(place)) is None:
            sums[place] = [1, value, value, value]
        else:
            held[0], held[1] = held[0] + 1, held[1] + value
            held[2], held[3] = min(held[2], value), max(held[3], value)
    if sums:
        ordered = sorted(sums.items())
        columns = [[place[0] for place, _ in ordered], [place[1] for place, _ in ordered]]
        columns += [[str(values[i]) for _, values in ordered] for i in range(4)]
        await conn.execute(_ADD.format(table=rollup.table), columns)


_ADD = """
INSERT INTO {table} AS r
SELECT * FROM unnest(%b::int[], %b::timestamptz[], %b::bigint[], %b::numeric[], %b::numeric[], %b::numeric[])
ON CONFLICT (series, bucket) DO UPDATE SET count = r.count + excluded.count, sum = r.sum + excluded.sum,
    min = least(r.min, excluded.min), max = greatest(r.max, excluded.max)
"""


async def _recompute(conn: AsyncConnection, rollup: Rollup, places: list[tuple[int, datetime]]) -> None:
    if not places:
        return
    columns = ([series for series, _ in places], [bucket for _, bucket in places])
    # The rows are locked first: whoever adds to them concurrently either is seen below, or adds after us.
    await conn.execute(_LOCK.format(table=rollup.table), columns)
    await conn.execute(_DELETE.format(table=rollup.table), columns)
    await conn.execute(_ANEW.format(table=rollup.table), (*columns, rollup.width))


_LOCK = """
SELECT 1 FROM {table} JOIN unnest(%b::int[], %b::timestamptz[]) AS t(series, bucket) USING (series, bucket)
ORDER BY series, bucket FOR UPDATE OF {table}
"""
_DELETE = """
DELETE FROM {table} r USING unnest(%b::int[], %b::timestamptz[]) AS t(series, bucket)
WHERE r.series = t.series AND r.bucket = t.bucket
"""
_ANEW = """
INSERT INTO {table} SELECT t.series, t.bucket, s.count, s.sum, s.min, s.max
FROM unnest(%b::int[], %b::timestamptz[]) AS t(series, bucket), LATERAL (
    SELECT count(*), sum(value), min(value), max(value) FROM point p
    WHERE p.series = t.series AND p.time >= t.bucket AND p.time < t.bucket + %s) s
WHERE s.count > 0
"""
