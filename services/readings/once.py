"""A connection that asks each question once: figures shown together share most of their parts."""

from __future__ import annotations

from typing import Any, cast

from psycopg import Connection


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


def once(conn: Connection) -> Connection:
    """What `conn` answers, as far as readings ask (`execute` and `fetchall`), each answer remembered.

    For one look at many figures within one snapshot; not to be kept.
    """
    return cast(Connection, _Once(conn))
