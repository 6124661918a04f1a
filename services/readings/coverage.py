"""Whether the data of a figure reach back to the beginning of a period, so that it may be held against another."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from psycopg import Connection

from schemas.indicators import Indicator
from schemas.indicators.formula import Statement, leaves
from schemas.registry import covering
from services.readings.period import Period


def span(conn: Connection, measures: Iterable[str], unit: str | None, as_of: datetime) -> tuple[date, date] | None:
    """The first and last local day with a point of any of the measures in a unit (None: in any) up to `as_of`."""
    found = conn.execute(_SPAN, (unit or "all", sorted(measures), as_of)).fetchall()
    return found[0] if found else None


def data_since(conn: Connection, indicator: Indicator, unit: str | None, period: Period) -> date | None:
    """The local day from which all that the figure counts has data; None where some of it has none up to `as_of`.

    A statement speaks of its own period as a whole, so one alone reaches back to the first day of `period`.
    """
    since = period.first if any(isinstance(leaf, Statement) for leaf in leaves(indicator.formula)) else date.min
    for measure in {leaf.measure for leaf in leaves(indicator.formula) if not isinstance(leaf, Statement)}:
        if (reported := span(conn, covering(measure), unit, period.as_of)) is None:
            return None
        since = max(since, reported[0])
    return since


def covers(conn: Connection, indicator: Indicator, unit: str | None, period: Period) -> bool:
    """Whether there are data from the period's first day on."""
    since = data_since(conn, indicator, unit, period)
    return since is not None and since <= period.first


_SPAN = "SELECT local_day(first), local_day(last) FROM figure_reported(%s, '', %s, %s, '{}', NULL, NULL)"
