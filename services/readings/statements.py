"""Statistics as reported: the vintage known at a moment, of the latest period it was stated for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from psycopg import Connection

from schemas.economy import Stated
from schemas.indicators.formula import Statement
from services.readings.period import Period


def stated_up_to(
    conn: Connection, indicator: str, kind: str, units: frozenset[str] | None, as_of: datetime
) -> Iterator[Stated]:
    """Every statement of a statistic (kind `statistic` or `target`) in the latest vintage in force at `as_of`."""
    values = {"kind": kind, "indicator": indicator, "units": None if units is None else sorted(units)}
    for unit, origin, state in conn.execute(_STATEMENTS, values).fetchall():
        if stated := _stated(unit, origin, state, as_of):
            yield stated


def all_stated(conn: Connection, kind: str, as_of: datetime) -> Iterator[tuple[str, Stated]]:
    """(indicator, statement) of every statement of a kind in the latest vintage in force at `as_of`."""
    for unit, origin, state in conn.execute(_ALL, {"kind": kind}).fetchall():
        if stated := _stated(unit, origin, state, as_of):
            yield state["indicator"], stated


def _stated(unit: str, origin: str, state: dict[str, Any], as_of: datetime) -> Stated | None:
    published = [v for v in state["vintages"] if _is_known(v, as_of)]
    if not published:
        return None
    first, last = date.fromisoformat(state["period_start"]), date.fromisoformat(state["period_end"])
    return Stated(unit, first, last, state.get("basis", "table"), origin, published[-1]["key"], published[-1])


def _is_known(vintage: dict[str, Any], as_of: datetime) -> bool:
    """Whether it was stated by a moment, and not taken back by then."""
    until = vintage.get("until")
    return datetime.fromisoformat(vintage["time"]) <= as_of and not (until and datetime.fromisoformat(until) <= as_of)


def current(
    conn: Connection, formula: Statement, units: frozenset[str] | None, period: Period, since_first: bool = False
) -> dict[str, Stated]:
    """unit -> its statement in force: of the latest period which ends in (with no first day named: before) `period`.

    A target holds for its whole period, so one that begins by the period's last day is in force. `since_first`: only
    what is stated of days from the period's first day on, so that nothing of it is left out or of another one.
    """
    kind = "target" if formula.part == "target" else "statistic"
    chosen: dict[str, Stated] = {}
    for stated in stated_up_to(conn, formula.indicator, kind, units, period.as_of):
        if stated.basis != "table" or stated.part(formula.part) is None or not _in_force(stated, kind, period):
            continue
        if since_first and stated.first != period.first:
            continue
        current = chosen.get(stated.unit)
        if current is None or (stated.last, stated.first) > (current.last, current.first):
            chosen[stated.unit] = stated
    return chosen


def _in_force(stated: Stated, kind: str, period: Period) -> bool:
    if kind == "target":
        return stated.first <= period.last and (period.open_start or stated.last >= period.first)
    return stated.last <= period.last and (period.open_start or stated.last >= period.first)


_ALL = "SELECT unit, origin, state FROM entity WHERE kind = %(kind)s AND state ? 'vintages' ORDER BY id"
_STATEMENTS = """
SELECT unit, origin, state FROM entity
WHERE kind = %(kind)s AND kind IN ('statistic', 'target') AND state ->> 'indicator' = %(indicator)s
  AND (%(units)s::text[] IS NULL OR unit = ANY(%(units)s))
ORDER BY id
"""
