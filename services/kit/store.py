"""The database: connections as a role, and telling an outage from a mistake."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from services.kit.settings import Settings

SESSION = "-c timezone=GMT"
"""GMT is built into PostgreSQL; UTC would need the zone files of its machine."""
OUTAGE = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, OSError)
"""Errors that pass: connection lost, server stopped or full, deadlock, lock not available."""


def pool(
    settings: Settings, role: str, size: int = 2, configure: Callable[[AsyncConnection], Awaitable[None]] | None = None
) -> AsyncConnectionPool:
    """A pool of connections as a role, in autocommit mode; it is opened by the caller, and heals by itself after an
    outage. `configure` prepares each new connection."""
    return AsyncConnectionPool(
        settings.database(role),
        min_size=1,
        max_size=size,
        open=False,
        timeout=10,
        kwargs={"autocommit": True, "application_name": f"ioc {settings.user}", "options": SESSION},
        configure=configure,
        check=AsyncConnectionPool.check_connection,
    )


def connect(settings: Settings, role: str) -> psycopg.Connection:
    """A plain connection for a command."""
    return psycopg.connect(
        settings.database(role), application_name=f"ioc {settings.user}", options=SESSION, connect_timeout=5
    )
