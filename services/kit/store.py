"""The database: connections as a role, and telling an outage from a mistake."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from services.kit.settings import Settings

SESSION = "-c timezone=GMT"
"""GMT is built into PostgreSQL; UTC would need the zone files of its machine."""
OUTAGE = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, OSError)
"""Errors that pass: connection lost, server stopped or full, deadlock, lock not available."""


def pool(
    settings: Settings,
    role: str,
    size: int = 2,
    configure: Callable[[AsyncConnection], Awaitable[None]] | None = None,
    give_up: float = 300.0,
) -> AsyncConnectionPool:
    """A pool of connections as a role, in autocommit mode; it is opened by the caller, and heals by itself after an
    outage. `configure` prepares each new connection. `give_up`: seconds for which a lost connection is tried anew, ever
    more rarely; whoever asks afterwards has it tried at once, so where people wait it is short."""
    return AsyncConnectionPool(
        settings.database(role),
        min_size=1,
        max_size=size,
        open=False,
        timeout=10,
        kwargs={"autocommit": True, "application_name": f"ioc {settings.user}", "options": SESSION},
        configure=configure,
        reconnect_timeout=give_up,
        check=AsyncConnectionPool.check_connection,
    )


def connect(settings: Settings, role: str) -> psycopg.Connection:
    """A plain connection for a command."""
    return psycopg.connect(
        settings.database(role), application_name=f"ioc {settings.user}", options=SESSION, connect_timeout=5
    )


def cut_off_since(conn: psycopg.Connection) -> datetime | None:
    """When a replica last heard of a change, if it hears from its primary no more; None: it does, or is no replica."""
    row = conn.execute(_CUT_OFF).fetchone()
    return row[0] if row else None


_CUT_OFF = """
SELECT coalesce(pg_last_xact_replay_timestamp(), pg_postmaster_start_time())
WHERE pg_is_in_recovery() AND NOT EXISTS (SELECT FROM pg_stat_wal_receiver)
"""
