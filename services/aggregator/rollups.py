"""Points into and out of the series, with their rollups kept exact: one pass over the buckets, in sorted order, adds
what came and takes back what went."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from schemas.fold import Labels, Point
from services.aggregator import staging

SeriesName = tuple[str, str, str, Labels]
"""The natural key of a series: measure, unit, origin, labels."""


class SeriesIds:
    """Ids of series by name. New ones are committed at once, on a connection of their own, so that no batch waits for
    another's."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool
        self._ids: dict[SeriesName, int] = {}

    async def of(self, points: Iterable[Point]) -> dict[SeriesName, int]:
        """The ids of all series the points belong to, made where missing."""
        missing = sorted({p[:4] for p in points} - self._ids.keys())
        if missing:
            measures, units, origins, labels = zip(*missing, strict=True)
            columns = [list(measures), list(units), list(origins), [Jsonb(dict(pairs)) for pairs in labels]]
            async with self._pool.connection() as conn:
                await conn.execute(_MAKE_SERIES, columns)
                found = await (await conn.execute(_SERIES, columns)).fetchall()
            self._ids.update(zip(missing, (row[0] for row in found), strict=True))
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


class Disagreement(Exception):
    """State and points do not belong together: only a rebuild from the log mends that."""


async def apply(
    conn: AsyncConnection, ids: dict[SeriesName, int], removed: Sequence[Point], added: Sequence[Point]
) -> None:
    """Delete and insert points and bring the rollups along, within the caller's transaction."""
    lines = (*_lines(removed, ids, -1), *_lines(added, ids, 1))
    await staging.fill(conn, f"COPY new_point ({staging.POINT}, sign) FROM STDIN", lines)
    if removed:
        found = await conn.execute(_DELETE_POINTS)
        if found.rowcount != len(removed):
            raise Disagreement(f"{len(removed)} points to take back, {found.rowcount} found; run `ioc rebuild`")
    await conn.execute(_INSERT_POINTS)
    for table in _MOVE:
        await conn.execute(_MOVE[table])
        if removed:
            await conn.execute(_EMPTIED[table])


def _lines(points: Iterable[Point], ids: dict[SeriesName, int], sign: int) -> Iterator[str]:
    """Points as they move: series id, time, key, value; +1 where one comes, -1 where it goes."""
    spelled: dict[datetime, str] = {}
    for p in points:
        time = spelled.get(p.time) or spelled.setdefault(p.time, p.time.isoformat())
        yield f"{ids[p[:4]]}\t{time}\t{p.key}\t{p.value}\t{sign}\n"


_DELETE_POINTS = """
DELETE FROM point p USING new_point n
WHERE n.sign < 0 AND p.series = n.series AND p.time = n.time AND p.key = n.key
"""
_INSERT_POINTS = f"""
INSERT INTO point ({staging.POINT}) SELECT {staging.POINT} FROM new_point WHERE sign > 0 ORDER BY series, time, key
"""
_BUCKETS = {
    "rollup_day": "date_bin('1 day', n.time, '1999-12-31 17:00+00')",
    "rollup_month": "date_trunc('month', n.time + interval '7 hours', 'GMT') - interval '7 hours'",
}
"""Rollup table -> the start of the bucket that n.time falls into; days and months begin when they do in Viet Nam."""


def _move(table: str) -> str:
    return f"""
INSERT INTO {table} AS r (series, bucket, count, sum)
SELECT n.series, {_BUCKETS[table]}, sum(n.sign), sum(n.sign * n.value) FROM new_point n GROUP BY 1, 2 ORDER BY 1, 2
ON CONFLICT (series, bucket) DO UPDATE SET count = r.count + excluded.count, sum = r.sum + excluded.sum
"""


# One statement locks all buckets of the batch in one order.
_MOVE = {table: _move(table) for table in _BUCKETS}
_LOST = {
    table: f"(SELECT DISTINCT n.series, {bucket} AS bucket FROM new_point n WHERE n.sign < 0) lost"
    for table, bucket in _BUCKETS.items()
}
_EMPTIED = {
    table: f"DELETE FROM {table} r USING {_LOST[table]} "
    "WHERE r.series = lost.series AND r.bucket = lost.bucket AND r.count = 0"
    for table in _BUCKETS
}
_UNIT_MOVES = f"""(
    SELECT s.summed_as AS series, {_BUCKETS["rollup_month"]} AS bucket, sum(n.count) AS count, sum(n.sum) AS sum,
        bool_or(n.lost) AS lost
    FROM (
        SELECT series, min(time) AS time, sum(sign) AS count, sum(sign * value) AS sum, bool_or(sign < 0) AS lost
        FROM new_point n GROUP BY series, {_BUCKETS["rollup_month"]}
    ) n JOIN series s ON s.id = n.series WHERE s.summed_as IS NOT NULL GROUP BY 1, 2
) moved"""
_MOVE["rollup_unit_month"] = f"""
INSERT INTO rollup_unit_month AS r (series, bucket, count, sum) SELECT series, bucket, count, sum FROM {_UNIT_MOVES}
ORDER BY 1, 2 ON CONFLICT (series, bucket) DO UPDATE SET count = r.count + excluded.count, sum = r.sum + excluded.sum
"""
_EMPTIED["rollup_unit_month"] = (
    f"DELETE FROM rollup_unit_month r USING {_UNIT_MOVES} "
    "WHERE moved.lost AND r.series = moved.series AND r.bucket = moved.bucket AND r.count = 0"
)
