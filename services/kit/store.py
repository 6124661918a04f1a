"""The database: connections as a role, and telling an outage from a mistake."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from services.kit.settings import Settings

if TYPE_CHECKING:
    from psycopg_pool import AsyncConnectionPool

SESSION = "-c timezone=GMT"
"""GMT is built into PostgreSQL; UTC would need the zone files of its machine."""
TIMEOUTS = {
    "connect_timeout": 5,
    "keepalives_idle": 2,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 4000,
}
"""A host that vanishes says no goodbye: with these (s, the last ms) it is missed after seconds, not a quarter of an
hour. They count while its kernel acknowledges nothing, so a statement may take as long as it likes."""
OUTAGE = (psycopg.OperationalError, psycopg.InterfaceError, OSError)
"""Errors that pass: connection lost, server stopped or full, deadlock, lock not available, no connection free."""


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
    from psycopg_pool import AsyncConnectionPool  # commands need none

    return AsyncConnectionPool(
        conninfo(settings, role),
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
    return psycopg.connect(conninfo(settings, role), application_name=f"ioc {settings.user}", options=SESSION)


def conninfo(settings: Settings, role: str) -> str:
    """Where and how a service connects as a role. What the operator's URL says of `TIMEOUTS` wins."""
    url = settings.database(role)
    said = conninfo_to_dict(url)
    return make_conninfo(url, **{name: value for name, value in TIMEOUTS.items() if name not in said})


def cut_off_since(conn: psycopg.Connection) -> datetime | None:
    """When a replica last heard of a change, if it hears from its primary no more; None: it does, or is no replica."""
    row = conn.execute(_CUT_OFF).fetchone()
    return row[0] if row else None


_CUT_OFF = """
SELECT coalesce(pg_last_xact_replay_timestamp(), pg_postmaster_start_time())
WHERE pg_is_in_recovery() AND NOT EXISTS (SELECT FROM pg_stat_wal_receiver)
"""
