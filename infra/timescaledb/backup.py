"""The database into files and back: every table of ours as gzipped text of COPY, all of one moment.

The files are plain: `zcat event.gz` reads one, `\\copy` of psql loads it.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg import sql

from infra.backups import BLOCK, BackupWriter, BadBackup, Database, Table
from infra.timescaledb import definitions, migrate

Kind = Literal["TABLE", "VIEW", "FUNCTION", "COLLATION"]
Progress = Callable[[str, int, int], None]
"""(table, rows done in all, rows in all: an estimate while saving)."""


def dump(conninfo: str, draft: BackupWriter, progress: Progress) -> Database:
    """Write all tables as of one moment, while everything goes on working; no table is ever held in memory."""
    with psycopg.connect(conninfo) as conn:
        tables = present(conn)
    with psycopg.connect(conninfo, application_name="ioc backup") as conn:
        conn.isolation_level, conn.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
        _lock(conn, tables)
        total, done = _estimate(conn, tables), 0
        saved: dict[str, Table] = {}
        for table in tables:
            saved[table] = _dump_table(conn, table, draft, lambda rows: progress(table, done + rows, total))  # noqa: B023
            done += saved[table].rows
        return Database(
            migrations=[name for (name,) in conn.execute("SELECT name FROM schema_migration ORDER BY name")],
            fold_version=_one(conn, "SELECT version FROM fold_version"),
            positions=dict(conn.execute("SELECT consumer, seq FROM position").fetchall()),
            tables=saved,
        )


def _lock(conn: psycopg.Connection, tables: list[str]) -> None:
    """Lock the tables against being emptied or dropped; the moment is that of the first query after it.

    TRUNCATE and dropped chunks are seen by every moment at once: a lock taken after it would save empty tables.
    """
    conn.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(_names(tables)))
    if present(conn) != tables:
        raise BadBackup("a migration made tables at this moment; run the backup again")


def _dump_table(conn: psycopg.Connection, table: str, draft: BackupWriter, progress: Callable[[int], None]) -> Table:
    columns = [name for (name,) in conn.execute(_COLUMNS, (table,))]
    # A query, since COPY of a hypertable itself gives nothing: its rows lie in chunks.
    query = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(_names(columns), sql.Identifier(table))
    cursor = conn.cursor()
    with draft.file(f"{table}.gz") as file, cursor.copy(query) as copy:
        for done, row in enumerate(copy):
            file.write(row)
            if not done % 10_000:
                progress(done)
    return Table(file=f"{table}.gz", columns=columns, rows=cursor.rowcount)


def holds_data(conninfo: str, starts: Sequence[str]) -> bool:
    """Whether a centre lives in this database: it has events, state, or what others than `starts` did there."""
    with psycopg.connect(conninfo) as conn:
        tables = present(conn)
        stored = [t for t in ("event_key", "event", "entity", "source_end", "saved_filter") if t in tables]
        acted = [t for t in ("audit", "alarm_step") if t in tables]
        return any(_one(conn, _ANY.format(sql.Identifier(t))) for t in stored) or any(
            _one(conn, _ANY_BY.format(sql.Identifier(t)), (list(starts),)) for t in acted
        )


_ANY = sql.SQL("SELECT EXISTS (SELECT FROM {})")
_ANY_BY = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE by <> ALL (%s))")


def require_known(saved: Database) -> None:
    """`BadBackup` where the backup's tables were made by migrations that this version does not know."""
    if strange := [name for name in saved.migrations if name not in migrate.available()]:
        raise BadBackup(
            f"the backup was made by a newer version: it has {', '.join(strange)}; restore it with that one"
        )


def restore(conninfo: str, saved: Database, folder: Path, progress: Progress) -> None:
    """Replace all our tables by the saved ones, in the schema of the backup; cut short, nothing is changed.

    Migrations newer than the backup are for `migrate` afterwards, rights for `grant_rights`.
    """
    require_known(saved)
    with psycopg.connect(conninfo, autocommit=True, application_name="ioc restore") as conn:
        migrate.ensure_ledger(conn)
        with conn.transaction():
            conn.execute("SELECT pg_advisory_xact_lock(%s)", (migrate.LOCK,))
            conn.execute("SET LOCAL lock_timeout = '10s'")
            _make_schema(conn, saved)
            total, done = sum(table.rows for table in saved.tables.values()), 0
            for name, table in saved.tables.items():
                _load_table(conn, name, table, folder, lambda rows: progress(name, done + rows, total))  # noqa: B023
                done += table.rows
            _continue_sequences(conn, list(saved.tables))
        for name in saved.tables:
            conn.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(name)))


def _make_schema(conn: psycopg.Connection, saved: Database) -> None:
    """The empty tables as they were when the backup was made."""
    conn.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(_names(made("VIEW"))))
    for trigger, table in conn.execute(_TRIGGERS, (made("FUNCTION"), present(conn))).fetchall():
        conn.execute(sql.SQL("DROP TRIGGER {} ON {}").format(sql.Identifier(trigger), sql.Identifier(table)))
    # Before the tables: a function may give rows of one.
    conn.execute(sql.SQL("DROP FUNCTION IF EXISTS {}").format(_names(made("FUNCTION"))))
    for table in reversed(present(conn)):  # a hypertable is dropped alone or not at all; who refers to another first
        conn.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(table)))
    conn.execute(sql.SQL("DROP COLLATION IF EXISTS {}").format(_names(made("COLLATION"))))
    conn.execute("DELETE FROM schema_migration")
    files = migrate.available()
    for name in saved.migrations:
        migrate.apply(conn, name, files[name])
    # Migrations lay first rows into some tables.
    conn.execute(sql.SQL("TRUNCATE {}").format(_names(present(conn))))


def _load_table(
    conn: psycopg.Connection, name: str, table: Table, folder: Path, progress: Callable[[int], None]
) -> None:
    query = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(name), _names(table.columns))
    cursor, rows = conn.cursor(), 0
    with gzip.open(folder / table.file) as file, cursor.copy(query) as copy:
        while block := file.read(BLOCK):
            copy.write(block)
            rows += block.count(b"\n")
            progress(rows)
    if cursor.rowcount != table.rows:
        raise BadBackup(f"{table.file} has {cursor.rowcount:,} rows, the manifest says {table.rows:,}")


def _continue_sequences(conn: psycopg.Connection, tables: list[str]) -> None:
    """Have each numbered column go on after the greatest number loaded."""
    for table, column, sequence in conn.execute(_SEQUENCES, (tables,)).fetchall():
        greatest = sql.SQL("SELECT setval(%s, (SELECT coalesce(max({}), 0) + 1 FROM {}), false)")
        conn.execute(greatest.format(sql.Identifier(column), sql.Identifier(table)), (sequence,))


def made(kind: Kind) -> list[str]:
    """All of a kind that migrations and definitions ever made, each once; a test holds the names against a catalogue.

    The catalogue itself is not asked: an operator's own database may hold what is not ours to save or to drop.
    """
    files = (*migrate.available().values(), definitions.FILE)
    texts = (path.read_text(encoding="utf-8") for path in files)
    making = rf"^ *CREATE (?:OR REPLACE )?{kind} (\w+)"
    found = (name for text in texts for name in re.findall(making, text, re.MULTILINE))
    return list(dict.fromkeys(found))


def present(conn: psycopg.Connection) -> list[str]:
    """Those of our tables that exist, in the order in which they are made."""
    tables = made("TABLE")
    found = {name for (name,) in conn.execute(_PRESENT, (tables,))}
    return [table for table in tables if table in found]


def note(conninfo: str, folder: Path, size: int, seconds: float) -> None:
    """Remember that a backup was completed just now; a database still to be upgraded has no place for it."""
    with psycopg.connect(conninfo) as conn:
        if "backup" in present(conn):
            row = (str(folder), size, round(seconds, 1))
            conn.execute("INSERT INTO backup (finished_at, folder, bytes, seconds) VALUES (now(), %s, %s, %s)", row)


def _estimate(conn: psycopg.Connection, tables: list[str]) -> int:
    return int(sum(max(0, _one(conn, "SELECT approximate_row_count(%s::regclass)", (table,))) for table in tables))


def _names(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _one(conn: psycopg.Connection, query: sql.Composed | str, values: Sequence[object] = ()) -> Any:
    row = conn.execute(query, values).fetchone()
    return row[0] if row else None


_TRIGGERS = """
SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND p.proname = ANY(%s) AND c.relname = ANY(%s)
"""
_PRESENT = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename = ANY(%s)"
_COLUMNS = """
SELECT attname FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
"""
_SEQUENCES = """
SELECT t, attname, pg_get_serial_sequence(t, attname) 
FROM unnest(%s::text[]) t JOIN pg_attribute ON attrelid = t::regclass
WHERE attnum > 0 AND NOT attisdropped AND pg_get_serial_sequence(t, attname) IS NOT NULL
"""
