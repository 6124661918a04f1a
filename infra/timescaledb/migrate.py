"""Forward-only migrations: every `migrations/NNNN_*.sql` not yet applied, in order, each in a transaction of its
own; then the functions and views, where their text has changed.

They run while a centre lives. Who waits for a table's lock makes everyone after it wait too, so a migration waits
for a moment only, gives way, and tries again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import psycopg
from psycopg import errors

from infra.timescaledb import definitions

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 7_101_022
"""The advisory lock that keeps two migrations of one database apart."""
LOCK_TIMEOUT = "1s"
PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)
PATIENCE = 120.0
"""Seconds to try again before an operator is told who is in the way."""
IN_THE_WAY = (errors.LockNotAvailable, errors.DeadlockDetected)
Say = Callable[[str], None]


class NoTimescale(Exception):
    """The database lacks the extension timescaledb."""


class Blocked(Exception):
    """A migration could not get its tables; the message names who held them. Nothing of it was done."""


def available(folders: Iterable[Path] = (MIGRATIONS,)) -> Mapping[str, Path]:
    """Name -> file of every migration that this version knows, in their order."""
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.sql"))}


def migrate(
    conninfo: str,
    say: Say = lambda text: None,
    folders: Iterable[Path] = (MIGRATIONS,),
    patience: float = PATIENCE,
) -> list[str]:
    """Bring a database up to date as its owner; returns the names applied. Safe to run from two places at once.

    Raises `NoTimescale` where the extension is neither there nor can be made by this user, `Blocked` when a migration
    found its tables in use for `patience` seconds.
    """
    applied: list[str] = []
    with psycopg.connect(conninfo, autocommit=True, application_name="ioc migrate") as conn:
        conn.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        known = ensure_ledger(conn)
        for name, path in available(folders).items():
            if name not in known:
                _insist(conn, f"migration {name}", partial(apply, conn, name, path), patience)
                applied.append(name)
                say(f"migration {name} applied")
        if not definitions.are_current(conn):
            _insist(conn, definitions.NAME, partial(definitions.apply, conn), patience)
            say("functions and views brought up to date")
    return applied


def ensure_ledger(conn: psycopg.Connection) -> set[str]:
    """Make the extension and the table of applied migrations where missing; the names in it."""
    _require_timescale(conn)
    conn.execute(
        "CREATE TABLE IF NOT EXISTS schema_migration ("
        "name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    return {name for (name,) in conn.execute("SELECT name FROM schema_migration")}


def apply(conn: psycopg.Connection, name: str, path: Path) -> None:
    """Run one migration and note it, within a transaction of the caller."""
    conn.execute(path.read_bytes())
    conn.execute("INSERT INTO schema_migration (name) VALUES (%s)", (name,))


def _insist(conn: psycopg.Connection, what: str, work: Callable[[], None], patience: float) -> None:
    end, tries = time.monotonic() + patience, 0
    while True:
        try:
            with conn.transaction():
                conn.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
                work()
            return
        except IN_THE_WAY as error:
            if time.monotonic() > end:
                raise Blocked(_who_blocks(conn, what, patience, error)) from None
        time.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
        tries += 1


def _who_blocks(conn: psycopg.Connection, what: str, patience: float, error: psycopg.Error) -> str:
    holders = [f"process {pid} ({who}, since {since:%H:%M:%S})" for pid, who, since in conn.execute(_HOLDERS)]
    return (
        f"{what} found its tables in use for {patience:.0f} s ({error.diag.message_primary}); nothing of it "
        f"was done. In transactions now: {', '.join(holders) or 'nobody any more'}. End what takes so long, then start "
        "again"
    )


_HOLDERS = """
SELECT DISTINCT a.pid, a.application_name, a.xact_start FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'relation' AND l.granted AND a.datname = current_database() AND a.pid <> pg_backend_pid()
AND a.xact_start IS NOT NULL ORDER BY a.xact_start
"""


def _require_timescale(conn: psycopg.Connection) -> None:
    if conn.execute("SELECT FROM pg_extension WHERE extname = 'timescaledb'").rowcount:
        return
    try:
        conn.execute("CREATE EXTENSION timescaledb")
    except psycopg.Error as error:
        what_to_do = "have its administrator run CREATE EXTENSION timescaledb"
        raise NoTimescale(f"the database has no TimescaleDB ({error.diag.message_primary}); {what_to_do}") from None
