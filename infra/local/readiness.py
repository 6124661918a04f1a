"""Whether a process really serves: it is asked in its own protocol, not merely found running."""

import urllib.error
import urllib.request

import psycopg

# Loopback must not go through a proxy that the operator's environment names.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def answers(address: str, seconds: float = 2.0) -> bool:
    """Whether an HTTP address answers 200."""
    try:
        with DIRECT.open(address, timeout=seconds) as response:
            return bool(response.status == 200)
    except (OSError, ValueError, urllib.error.URLError):
        return False


def serves_queries(conninfo: str, seconds: int = 2) -> bool:
    """Whether the database behind `conninfo` answers a query."""
    try:
        with psycopg.connect(conninfo, connect_timeout=seconds) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.Error:
        return False
