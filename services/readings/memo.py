"""Figures shown together: of one moment of the database, and each question that they share asked once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from psycopg import Connection
from psycopg.pq import TransactionStatus


class _Answer:
    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self._rows = rows

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows


class _Once:
    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._answers: dict[str, _Answer] = {}

    def execute(self, query: Any, values: Any = None) -> _Answer:
        question = repr((query, values))
        if question not in self._answers:
            self._answers[question] = _Answer(self._conn.execute(query, values).fetchall())
        return self._answers[question]


def memoised(conn: Connection) -> Connection:
    """What `conn` answers, as far as readings ask (`execute` and `fetchall`), each answer remembered.

    For one look at many figures within one snapshot; not to be kept.
    """
    return conn if isinstance(conn, _Once) else cast(Connection, _Once(conn))


@contextmanager
def snapshot(conn: Connection) -> Iterator[None]:
    """All that is asked within is of one moment, whatever is stored meanwhile; inside a transaction, of that one's."""
    if isinstance(conn, _Once):  # it is within one already
        yield
        return
    idle = conn.info.transaction_status == TransactionStatus.IDLE
    with conn.transaction():
        if idle:
            conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
