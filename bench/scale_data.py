"""Many stored events from some: rows that the real folds made, copied by SQL over weeks and units, rollups summed anew.

Folding five million events would take the benchmark an hour and make the same kinds of rows. Copied are keys, log,
entities and points, each with a key, id and time of its own; what stands inside a JSON document stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import NamedTuple

import psycopg

from infra.local.servers import Instance
from services.centre.prepare import settings_of
from services.kit import store

BASES = ("event_key", "event", "entity", "point", "series")
SIZED = ("event", "event_key", "entity", "point", "rollup_day", "rollup_month", "rollup_unit_month", "series")


class Copy(NamedTuple):
    """One copy: its number (1 and up), how many days later it lies, and which unit stands for which."""

    number: int
    days: int
    units: dict[str, str]


def keep_base(conn: psycopg.Connection) -> None:
    """Remember what is stored now as what will be copied."""
    for table in BASES:
        conn.execute(f"CREATE UNLOGGED TABLE base_{table} AS SELECT * FROM {table}")


def scale(conn: psycopg.Connection, copies: Sequence[Copy]) -> None:
    """Add copies of the base to what is stored, and sum the rollups anew."""
    conn.execute("CREATE TEMP TABLE copy (number int, shift interval)")
    conn.execute("CREATE TEMP TABLE heir (number int, unit text, heir text)")
    with conn.cursor().copy("COPY copy FROM STDIN") as rows:
        for one in copies:
            rows.write_row((one.number, f"{one.days} days"))
    with conn.cursor().copy("COPY heir FROM STDIN") as rows:
        for one in copies:
            for unit, heir in one.units.items():
                rows.write_row((one.number, unit, heir))
    conn.execute("ANALYZE copy, heir")
    for statement in _STATEMENTS:
        conn.execute(statement)
    conn.execute("DROP TABLE copy, heir")


def stretch(conn: psycopg.Connection, times: int, first: date) -> None:
    """Spread the base from its `first` day on over so many times the days, each moment at its hour; what lies before
    stays where it is. What is stored itself goes away."""
    conn.execute(f"TRUNCATE {', '.join(SIZED)}, source, position")
    for table in ("event_key", "event", "point"):
        conn.execute(_STRETCH.format(table=table), (times - 1, first))


def settle(conn: psycopg.Connection) -> None:
    """What autovacuum would have done by the time that so many events had come one by one."""
    for table in SIZED:
        conn.execute(f"VACUUM (ANALYZE) {table}")


def sizes(conn: psycopg.Connection) -> dict[str, int]:
    """Bytes on disk of each table with its indexes and chunks."""
    return {table: row[0] for table in SIZED if (row := conn.execute(_SIZE, (table, table)).fetchone())}


@contextmanager
def hurried(instance: Instance) -> Iterator[psycopg.Connection]:
    """A connection for filling, on a database that meanwhile does not wait for its disk; then as configured."""
    with psycopg.connect(instance.superuser_conninfo, autocommit=True) as server:
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            server.execute(f"ALTER SYSTEM SET {setting} = off")
        server.execute("SELECT pg_reload_conf()")
        with store.connect(settings_of(instance, "cli"), "owner") as conn:
            conn.autocommit = True
            yield conn
            settle(conn)
        server.execute("ALTER SYSTEM RESET ALL")
        server.execute("SELECT pg_reload_conf()")
        server.execute("CHECKPOINT")


_STRETCH = """
UPDATE base_{table} SET time = time
    + make_interval(days => %s * greatest(time::date - %s, 0))
"""
_KEY = "md5({column}::text || c.number)::uuid"
_STATEMENTS = (
    f"""
    INSERT INTO event_key (key, digest, time)
    SELECT {_KEY.format(column="b.key")}, {_KEY.format(column="b.digest")}, b.time + c.shift
    FROM base_event_key b, copy c ORDER BY c.shift
    """,
    f"""
    INSERT INTO event (time, key, type, unit, origin, shiftdays, source, id, recorded, data)
    SELECT b.time + c.shift, {_KEY.format(column="b.key")}, b.type, h.heir, b.origin, b.shiftdays, b.source,
           b.id || '-' || c.number, b.recorded, b.data
    FROM base_event b JOIN heir h USING (unit) JOIN copy c ON c.number = h.number ORDER BY 1
    """,
    """
    INSERT INTO entity (kind, id, version, unit, origin, status, opened_at, due_at, ended_at, notice_at, state, facts)
    SELECT b.kind, b.id || lpad(c.number::text, 4, '0'), b.version, h.heir, b.origin, b.status, b.opened_at + c.shift,
           b.due_at + c.shift, b.ended_at + c.shift, b.notice_at + c.shift, b.state, b.facts
    FROM base_entity b JOIN heir h USING (unit) JOIN copy c ON c.number = h.number
    WHERE b.kind NOT IN ('statistic', 'target', 'calendar') ORDER BY c.shift
    """,
    """
    INSERT INTO series (measure, unit, origin, labels)
    SELECT DISTINCT b.measure, h.heir, b.origin, b.labels FROM base_series b JOIN heir h USING (unit)
    ON CONFLICT DO NOTHING
    """,
    "ANALYZE series",
    """
    CREATE TEMP TABLE heir_series AS
    SELECT h.number, b.id, s.id AS heir
    FROM base_series b JOIN heir h USING (unit)
    JOIN series s ON (s.measure, s.unit, s.origin, s.labels) = (b.measure, h.heir, b.origin, b.labels)
    """,
    "ANALYZE heir_series",
    f"""
    INSERT INTO point (series, time, key, value)
    SELECT h.heir, b.time + c.shift, {_KEY.format(column="b.key")}, b.value
    FROM base_point b JOIN heir_series h ON h.id = b.series JOIN copy c ON c.number = h.number ORDER BY 2
    """,
    "DROP TABLE heir_series",
    "TRUNCATE rollup_day, rollup_month, rollup_unit_month",
    """
    INSERT INTO rollup_day SELECT series, date_bin('1 day', time, '1999-12-31 17:00+00'), count(*), sum(value)
    FROM point GROUP BY 1, 2 ORDER BY 2, 1
    """,
    """
    INSERT INTO rollup_month
    SELECT series, date_trunc('month', bucket + interval '7 hours', 'GMT') - interval '7 hours', sum(count), sum(sum)
    FROM rollup_day GROUP BY 1, 2 ORDER BY 2, 1
    """,
    """
    INSERT INTO rollup_unit_month SELECT s.summed_as, r.bucket, sum(r.count), sum(r.sum)
    FROM rollup_month r JOIN series s ON s.id = r.series WHERE s.summed_as IS NOT NULL GROUP BY 1, 2 ORDER BY 2, 1
    """,
    "ANALYZE series, point, rollup_day, rollup_month, rollup_unit_month",
)
_SIZE = """
SELECT coalesce(hypertable_size(to_regclass(%s)), pg_total_relation_size(to_regclass(%s)))
"""
