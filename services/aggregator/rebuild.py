"""Folding the whole log anew, entity by entity, and holding the result against what lives: the proof that rollups are
folds of events.

This is another road than a batch takes: every entity is folded once from all its facts, and rollups are grouped sums
of points. Behind the horizon the log is forgotten: what entities kept of it stands for it, points there are ignored,
and the days there are taken as they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import blake2b
from importlib.metadata import version as installed
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.types.json import set_json_loads
from pydantic_core import from_json, to_json

import schemas
from schemas.calendar_history import CalendarHistory
from schemas.envelope import EntityRef
from schemas.fold import Fact
from schemas.procedures import office_rules
from schemas.registry import DATA_TYPES
from services.aggregator import staging
from services.aggregator.entity_folds import MANY, Entity, folded
from services.kit.facts import calendars_of, pack, unpack

CHUNK = 5000
PAUSE = 0.2
"""Seconds between two tries to have the tables alone."""
Progress = Callable[[str, int, int], None]
"""(what is being done, done so far, of how many)."""


@dataclass(frozen=True)
class Difference:
    """A table in which the live rows are not what the log gives: rows only there, rows only in the fold, and some of
    them."""

    table: str
    only_live: int
    only_folded: int
    examples: tuple[str, ...]


def check(conninfo: str, progress: Progress) -> list[Difference]:
    """Compare, in one snapshot, while everything goes on working. An empty list is agreement."""
    with _connected(conninfo) as conn:
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        conn.execute(_HOLD_HORIZON)
        _fold_log(conn, progress)
        found = [_compare(conn, table) for table in TABLES]
        conn.rollback()
    return [difference for difference in found if difference]


def note(conninfo: str, differences: Sequence[Difference]) -> None:
    """Keep the result, so that it can be seen when and how the last comparison ended."""
    rows = sum(difference.only_live + difference.only_folded for difference in differences)
    with psycopg.connect(conninfo) as conn:
        conn.execute("INSERT INTO rebuild_check VALUES (clock_timestamp(), %s)", (rows,))


def rebuild(conninfo: str, progress: Progress) -> None:
    """Replace state, series and rollups by the fold of the log. Aggregators wait meanwhile; nothing is lost if this
    is stopped."""
    with _connected(conninfo) as conn:
        conn.execute(_HOLD_HORIZON)
        conn.execute("SELECT FROM calendar_version FOR UPDATE")
        _fold_log(conn, progress)
        _hold(conn)
        conn.execute(_REPLACE)
        conn.execute(_NOTE_VERSION, (fold_version(),))


def _hold(conn: Connection) -> None:
    """All tables at once, from those who read: what one of them holds is waited for a moment, and all given back then,
    since it may ask for another table before it lets go."""
    while True:
        try:
            with conn.transaction():
                conn.execute(_HOLD_TABLES)
        except psycopg.errors.LockNotAvailable:
            time.sleep(PAUSE)
        else:
            return


@contextmanager
def _connected(conninfo: str) -> Iterator[Connection]:
    with psycopg.connect(conninfo) as conn:
        set_json_loads(from_json, conn)
        yield conn


def bring_up_to_date(conninfo: str, before: Callable[[], None], progress: Progress) -> bool:
    """Rebuild if state and series were made by other folds than today's; True if that was so. For a start after an
    upgrade; what must happen before a rebuild is done by `before`."""
    with psycopg.connect(conninfo) as conn:
        row = conn.execute("SELECT version, EXISTS (SELECT FROM event) FROM fold_version").fetchone()
        version, any_events = row or ("", False)
        if version == fold_version():
            return False
        if not any_events:
            conn.execute(_NOTE_VERSION, (fold_version(),))
            return False
    before()
    rebuild(conninfo, progress)
    return True


@cache
def fold_version() -> str:
    """A digest of all that a fold rests on, the code and tables of `schemas`, the office's rules, the holidays; and of
    the tables that are kept of it."""
    digest = blake2b(installed("holidays").encode(), digest_size=16)
    digest.update(" ".join(TABLES).encode())
    folder = Path(schemas.__file__).parent
    for file in sorted(f for f in folder.rglob("*") if f.suffix in (".py", ".csv")):
        if file.relative_to(folder).parts[0] not in ("contracts", "indicators"):
            digest.update(file.read_bytes())
    digest.update(office_rules())
    return digest.hexdigest()


def _fold_log(conn: Connection, progress: Progress) -> None:
    conn.execute(_SCRATCH)
    _copy_facts(conn, progress)
    conn.execute(_REMAINS)
    conn.execute("ANALYZE folded_fact")
    _fold_entities(conn, _calendars(conn), progress)
    conn.execute(f"DELETE FROM folded_point WHERE time < {_HORIZON}")
    conn.execute("ANALYZE folded_point, folded_series")
    conn.execute(_ROLLUPS)


def _copy_facts(conn: Connection, progress: Progress) -> None:
    row = conn.execute(f"SELECT count(*) FROM event WHERE time >= {_HORIZON}").fetchone()
    total, done = (row[0] if row else 0), 0
    for rows in _chunks(conn, _LOG):
        with conn.cursor().copy("COPY folded_fact (kind, id, fact) FROM STDIN") as copy:
            copy.write("".join(line for row in rows for line in _fact_lines(*row)))
        done += len(rows)
        progress("reading the log", done, total)


def _fact_lines(
    time: datetime, key: str, type_: str, unit: str, origin: str, shiftdays: int, data: dict[str, Any]
) -> Iterator[str]:
    fact = to_json(pack(Fact(time, key, DATA_TYPES[type_].event, unit, origin, data, shiftdays))).decode()
    for kind, id in DATA_TYPES[type_].touched(unit, data):
        yield f"{kind}\t{staging.escaped(id)}\t{staging.escaped(fact)}\n"


def _calendars(conn: Connection) -> CalendarHistory:
    return calendars_of(
        unpack(from_json(fact)) for (fact,) in conn.execute("SELECT fact FROM folded_fact WHERE kind = 'calendar'")
    )


def _fold_entities(conn: Connection, calendars: CalendarHistory, progress: Progress) -> None:
    row = conn.execute("SELECT count(*) FROM folded_fact").fetchone()
    total, done = (row[0] if row else 0), 0
    for lines in folded(_chunks_of_entities(conn), calendars, many=total >= MANY):
        for copied, text in ((_COPY_SERIES, lines.series), (_COPY_ENTITY, lines.entities), (_COPY_POINT, lines.points)):
            with conn.cursor().copy(copied) as copy:
                copy.write(text)
        done += lines.facts
        progress("folding", done, total)
    progress("folding", total, total)


def _chunks_of_entities(conn: Connection) -> Iterator[list[Entity]]:
    query = 'SELECT kind, id, fact FROM folded_fact ORDER BY kind COLLATE "C", id COLLATE "C"'
    rows = (row for chunk in _chunks(conn, query) for row in chunk)
    groups = groupby(rows, key=lambda row: EntityRef(row[0], row[1]))
    entities = (Entity(ref, [fact for _, _, fact in group]) for ref, group in groups)
    while chunk := list(islice(entities, CHUNK // 4)):
        yield chunk


def _chunks(conn: Connection, query: str) -> Iterator[list[tuple[Any, ...]]]:
    with conn.cursor(name="log") as cursor:
        cursor.execute(query)
        while rows := cursor.fetchmany(CHUNK):
            yield rows


def _compare(conn: Connection, table: str) -> Difference | None:
    live, folded = TABLES[table]
    described = conn.execute(f"SELECT * FROM ({live}) live LIMIT 0").description or ()
    columns = ", ".join(f'"{column.name}"' for column in described)
    rows = conn.execute(_DIFFERENT.format(live=live, folded=folded, columns=columns)).fetchall()
    number = {where: count for where, count, _ in rows}
    examples = tuple(f"only {where}: {row[:300]}" for where, _, row in rows)
    return Difference(table, number.get("live", 0), number.get("folded", 0), examples) if rows else None


# Rows that are not there as often on both sides, in one pass: how many there are, and three of each side.
_DIFFERENT = """
WITH different AS (
    SELECT {columns}, sum(times) AS times
    FROM (SELECT *, 1 AS times FROM ({live}) live UNION ALL SELECT *, -1 FROM ({folded}) folded) each
    GROUP BY {columns} HAVING sum(times) <> 0
), placed AS (
    SELECT CASE WHEN times > 0 THEN 'live' ELSE 'folded' END AS where_, sum(abs(times)) OVER side AS number,
        row_number() OVER side AS place, ROW({columns})::text AS shown
    FROM different WINDOW side AS (PARTITION BY times > 0)
)
SELECT where_, number::bigint, shown FROM placed WHERE place <= 3 ORDER BY where_ DESC
"""


# The lock before the snapshot, so that no chunk goes while the log is read. Aggregators do not mind it.
_HOLD_HORIZON = "LOCK TABLE horizon IN SHARE MODE"
_HORIZON = "(SELECT time FROM horizon)"
_LOG = f"""
SELECT time, encode(uuid_send(key), 'hex'), type, unit, origin, shiftdays, data FROM event WHERE time >= {_HORIZON}
"""
_REMAINS = f"""
INSERT INTO folded_fact SELECT kind, split_part(id, '@', 1), fact::text FROM entity, jsonb_array_elements(facts) fact
WHERE (facts -> 0 ->> 0)::timestamptz < {_HORIZON} AND (fact ->> 0)::timestamptz < {_HORIZON}
"""
_NOTE_VERSION = "UPDATE fold_version SET version = %s"
_ENTITY = "kind, id, unit, origin, status, opened_at, due_at, ended_at, notice_at, state, facts, notes, cases"
_COPY_ENTITY = f"COPY folded_entity ({staging.ENTITY}) FROM STDIN"
_COPY_POINT = "COPY folded_point FROM STDIN"
_COPY_SERIES = "COPY folded_series FROM STDIN"
_SCRATCH = """
CREATE TEMP TABLE folded_fact (kind text, id text, fact text) ON COMMIT DROP;
CREATE TEMP TABLE folded_entity (LIKE entity INCLUDING DEFAULTS) ON COMMIT DROP;
CREATE TEMP TABLE folded_series (
    number bigint, measure text, unit text, origin text, labels jsonb
) ON COMMIT DROP;
CREATE TEMP TABLE folded_point (number bigint, time timestamptz, key uuid, value numeric) ON COMMIT DROP;
"""
_NAMED = "s.measure, s.unit, s.origin, s.labels"
_ROLLUPS = f"""
CREATE TEMP TABLE folded_rollup_day ON COMMIT DROP AS
SELECT measure, unit, origin, labels, bucket, sum(count)::bigint AS count, sum(sum) AS sum
FROM folded_series JOIN (
    SELECT number, date_bin('1 day', time, '1999-12-31 17:00+00') AS bucket, count(*) AS count, sum(value) AS sum
    FROM folded_point GROUP BY 1, 2
) AS p USING (number) GROUP BY 1, 2, 3, 4, 5;
INSERT INTO folded_rollup_day SELECT {_NAMED}, bucket, count, sum
FROM rollup_day r JOIN series s ON s.id = r.series WHERE bucket < {_HORIZON};
CREATE TEMP TABLE folded_rollup_month ON COMMIT DROP AS
SELECT measure, unit, origin, labels,
       date_trunc('month', bucket + interval '7 hours', 'GMT') - interval '7 hours' AS bucket,
       sum(count)::bigint AS count, sum(sum) AS sum FROM folded_rollup_day GROUP BY 1, 2, 3, 4, 5;
"""
_UNIT_MONTHS = (
    "SELECT {0}.measure, {0}.unit, {0}.origin, asked_labels({0}.labels, l.labels) AS labels, bucket, "
    "sum(count)::bigint AS count, sum(sum) AS sum FROM {1} JOIN summed_labels l ON l.measure = {0}.measure "
    "GROUP BY 1, 2, 3, 4, 5"
)
_SYSTEM_OF = (
    "CASE type " + " ".join(f"WHEN '{name}' THEN '{data.system}'" for name, data in DATA_TYPES.items()) + " END"
)
_SOURCES = f"""
SELECT source, {_SYSTEM_OF} AS system, sum(events)::bigint AS events,
       max(last_time) AS last_time, max(last_recorded) AS last_recorded
FROM (
    SELECT source, type, count(*), max(time), max(recorded) FROM event GROUP BY 1, 2
    UNION ALL SELECT * FROM source_base
) AS x(source, type, events, last_time, last_recorded) GROUP BY 1, 2
"""
TABLES: dict[str, tuple[str, str]] = {
    "event_key": ("SELECT key, time FROM event_key", "SELECT key, time FROM event"),
    "entity": (f"SELECT {_ENTITY} FROM entity", f"SELECT {_ENTITY} FROM folded_entity"),
    "point": (
        f"SELECT {_NAMED}, time, key, value FROM point p JOIN series s ON s.id = p.series WHERE time >= {_HORIZON}",
        "SELECT measure, unit, origin, labels, time, key, value FROM folded_point JOIN folded_series USING (number)",
    ),
    **{
        table: (
            f"SELECT {_NAMED}, bucket, count, sum FROM {table} r JOIN series s ON s.id = r.series",
            f"SELECT measure, unit, origin, labels, bucket, count, sum FROM folded_{table}",
        )
        for table in ("rollup_day", "rollup_month")
    },
    "rollup_unit_month": (
        _UNIT_MONTHS.format("s", "rollup_unit_month r JOIN series s ON s.id = r.series"),
        _UNIT_MONTHS.format("m", "folded_rollup_month m"),
    ),
    "source": ("SELECT source, system, events, last_time, last_recorded FROM source", _SOURCES),
}
"""table -> (the live rows by natural key, the rows that the log gives)."""

_SERIES_OF = "JOIN series s USING (measure, unit, origin, labels)"
_HOLD_TABLES = """
SET LOCAL lock_timeout = '300ms';
LOCK TABLE entity, point, rollup_day, rollup_month, rollup_unit_month, source IN ACCESS EXCLUSIVE MODE;
SET LOCAL lock_timeout = 0;
"""
"""Below the second after which the database looks for who waits in a circle."""
_REPLACE = f"""
INSERT INTO series (measure, unit, origin, labels)
SELECT DISTINCT measure, unit, origin, labels FROM folded_series
WHERE number IN (SELECT number FROM folded_point) ON CONFLICT DO NOTHING;
TRUNCATE entity, point, rollup_day, rollup_month, rollup_unit_month, source;
INSERT INTO entity ({staging.ENTITY}) SELECT {staging.ENTITY} FROM folded_entity;
INSERT INTO point SELECT n.id, p.time, p.key, p.value FROM folded_point p
JOIN (SELECT r.number, s.id FROM folded_series r {_SERIES_OF}) n USING (number);
INSERT INTO rollup_day SELECT s.id, r.bucket, r.count, r.sum FROM folded_rollup_day r {_SERIES_OF};
INSERT INTO rollup_month SELECT s.id, r.bucket, r.count, r.sum FROM folded_rollup_month r {_SERIES_OF};
INSERT INTO rollup_unit_month (series, bucket, count, sum)
SELECT s.summed_as, r.bucket, sum(r.count), sum(r.sum) FROM folded_rollup_month r {_SERIES_OF}
WHERE s.summed_as IS NOT NULL GROUP BY 1, 2;
INSERT INTO source {_SOURCES};
UPDATE calendar_version SET version = version + 1;
"""
