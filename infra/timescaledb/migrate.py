"""Forward-only migrations: every `migrations/NNNN_*.sql` not yet applied, in order, each in a transaction of its
own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 7_101_022


class NoTimescale(Exception):
    """The database lacks the extension timescaledb."""


def migrate(conninfo: str, say: Callable[[str], None] = lambda text: None) -> list[str]:
    """Bring a database up to date as its owner; returns the names applied. Safe to run from two places at once.

    Raises `NoTimescale` where the extension is neither there nor can be made by this user.
    """
    applied: list[str] = []
    with psycopg.connect(conninfo, autocommit=True) as conn:
        conn.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        _require_timescale(conn)
        conn.execute(
            "CREATE TABLE IF NOT EXISTS schema_migration ("
            "name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        known = {name for (name,) in conn.execute("SELECT name FROM schema_migration")}
        for path in sorted(MIGRATIONS.glob("*.sql")):
            if path.stem in known:
                continue
            with conn.transaction():
                conn.execute(path.read_bytes())
                conn.execute("INSERT INTO schema_migration (name) VALUES (%s)", (path.stem,))
            applied.append(path.stem)
            say(f"migration {path.stem} applied")
    return applied


def _require_timescale(conn: psycopg.Connection) -> None:
    if conn.execute("SELECT FROM pg_extension WHERE extname = 'timescaledb'").rowcount:
        return
    try:
        conn.execute("CREATE EXTENSION timescaledb")
    except psycopg.Error as error:
        what_to_do = "have its administrator run CREATE EXTENSION timescaledb"
        raise NoTimescale(f"the database has no TimescaleDB ({error.diag.message_primary}); {what_to_do}") from None
