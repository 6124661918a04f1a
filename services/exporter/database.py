"""What the database tells besides figures, and looking into it within a time limit, all in one snapshot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TypeVar

import psycopg
from psycopg import Connection, IsolationLevel

from schemas import units
from services.exporter.snapshot import Samples
from services.kit import store
from services.kit.errors import Unavailable
from services.kit.settings import Settings
from services.readings.memo import memoised
from services.readings.sources import Source, sources

T = TypeVar("T")
PATIENCE = 30.0
"""Seconds within which all figures must be read."""
STATEMENT = "SET statement_timeout = '20s'"


class Database:
    """A connection as reader, kept between looks and made anew after an outage."""

    def __init__(self, settings: Settings, patience: float = PATIENCE) -> None:
        self._settings, self._patience = settings, patience
        self._conn: Connection | None = None

    async def look_up(self, ask: Callable[[Connection], T]) -> T:
        """What `ask` finds in one snapshot. `Unavailable` where the database does not answer, or not in time."""
        looking = asyncio.create_task(asyncio.to_thread(self._query, ask))
        done, _ = await asyncio.wait({looking}, timeout=self._patience)
        if not done:
            self.close()  # ends the wait in the thread too
            with suppress(*store.OUTAGE):
                await looking
            raise Unavailable(f"the database has not answered within {self._patience:.0f} s")
        try:
            return looking.result()
        except store.OUTAGE as error:
            self.close()
            raise Unavailable(f"{type(error).__name__}: {error}".strip()) from error

    def _query(self, ask: Callable[[Connection], T]) -> T:
        conn = self._conn = self._conn or self._connect()
        if behind := store.cut_off_since(conn):
            raise psycopg.OperationalError(f"the replica has heard of no change since {behind:%H:%M:%S}")
        with conn.transaction():
            return ask(memoised(conn))

    def _connect(self) -> Connection:
        conn = store.connect(self._settings, "reader")
        conn.autocommit = True
        conn.execute(STATEMENT)
        conn.isolation_level, conn.read_only = IsolationLevel.REPEATABLE_READ, True
        return conn

    def close(self) -> None:
        """End the connection, also while it is in use."""
        conn, self._conn = self._conn, None
        if conn:
            conn.close()


def platform(conn: Connection, now: datetime) -> Samples:
    """Sources with their freshness, origins, units, backups and checks."""
    return {**_sources(sources(conn, now)), **_units(), **_single(conn)}


def _sources(found: list[Source]) -> Samples:
    by_origin = {(s.system, s.source, s.origin): s for s in found}
    return {
        "ioc_system_origin": {(s.system, s.origin): 1.0 for s in found},
        "ioc_events_total": {(s.system, s.source): float(s.events) for s in found},
        "ioc_source_last_event_timestamp_seconds": {key: s.last_time.timestamp() for key, s in by_origin.items()},
        "ioc_source_last_recorded_timestamp_seconds": {
            key: s.last_recorded.timestamp() for key, s in by_origin.items()
        },
        "ioc_source_stale": {key: float(s.stale) for key, s in by_origin.items()},
        "ioc_source_awaited": {key: float(s.allowed is not None) for key, s in by_origin.items()},
    }


def _units() -> Samples:
    rows = ((unit.code, unit.name_vi, unit.name_en, unit.level, unit.parent or "") for unit in units.every())
    return {"ioc_unit_info": dict.fromkeys(rows, 1.0)}


def _single(conn: Connection) -> Samples:
    ((backup,),) = conn.execute("SELECT extract(epoch FROM max(finished_at)) FROM backup").fetchall()
    checks = conn.execute(_LAST_CHECK).fetchall()
    ((outside,),) = conn.execute("SELECT count(*) FROM refused").fetchall()
    values = {"ioc_backup_last_success_timestamp_seconds": backup, "ioc_quarantine_outside_messages": outside}
    for checked, differences in checks:
        values |= {"ioc_rebuild_check_timestamp_seconds": checked, "ioc_rebuild_check_differences": differences}
    return {name: {(): float(value)} for name, value in values.items() if value is not None}


_LAST_CHECK = """
SELECT extract(epoch FROM finished_at), differences FROM rebuild_check ORDER BY finished_at DESC LIMIT 1
"""
