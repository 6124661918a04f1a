"""The tables `unit` and `unit_scope`: the administrative units as SQL sees them, filled from `schemas.units`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import psycopg
from psycopg import sql

from schemas import units

ALL = "all"
"""The root of everything."""
TABLES: dict[str, tuple[str, ...]] = {
    "unit": ("code", "level", "name_vi", "name_en", "parent", "valid_from", "valid_to", "above"),
    "unit_scope": ("root", "unit", "row"),
}


def fill(conninfo: str) -> bool:
    """Bring both tables to the units that this process knows, as their owner; whether anything had to be changed."""
    wanted: dict[str, set[tuple[Any, ...]]] = {"unit": set(_units()), "unit_scope": set(_scopes())}
    with psycopg.connect(conninfo) as conn:
        # One at a time; who reads is not kept waiting.
        conn.execute("LOCK TABLE unit, unit_scope IN SHARE ROW EXCLUSIVE MODE")
        stale = {table: rows for table, rows in wanted.items() if rows != set(_stored(conn, table))}
        for table, rows in stale.items():
            _replace(conn, table, rows)
    return bool(stale)


def _units() -> Iterator[tuple[Any, ...]]:
    for u in units.every():
        above = tuple(one.code for one in units.ancestors(u.code))
        yield (u.code, u.level, u.name_vi, u.name_en, u.parent, u.valid_from, u.valid_to, above)


def _scopes() -> Iterator[tuple[str, str, str]]:
    every = [u.code for u in units.every()]
    yield from ((ALL, code, units.row_unit(code, None)) for code in every)
    yield from ((root, code, units.row_unit(code, root)) for root in every for code in units.scope(root))


def _stored(conn: psycopg.Connection, table: str) -> Iterator[tuple[Any, ...]]:
    """The rows as they are; arrays as tuples, to be told apart by a set."""
    query = sql.SQL("SELECT {} FROM {}").format(_names(TABLES[table]), sql.Identifier(table))
    return (tuple(tuple(v) if isinstance(v, list) else v for v in row) for row in conn.execute(query))


def _replace(conn: psycopg.Connection, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    conn.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
    copy = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), _names(TABLES[table]))
    with conn.cursor() as cursor, cursor.copy(copy) as rowwise:
        for row in sorted(rows, key=lambda row: row[:2]):
            rowwise.write_row([list(v) if isinstance(v, tuple) else v for v in row])


def _names(names: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))
