"""Whether the data of a figure reach back to the beginning of a period, so that it may be held against another."""

from __future__ import annotations

from datetime import date

from psycopg import Connection

from schemas.indicators import Indicator
from schemas.indicators.formula import Statement, leaves
from schemas.registry import covering
from schemas.zone import VN
from services.readings import series_query
from services.readings.evaluate import Scope
from services.readings.period import Period


def data_since(conn: Connection, indicator: Indicator, unit: str | None, period: Period) -> date | None:
    """The local day from which all that the figure counts has data; None where some of it has none up to `as_of`.

    A statement speaks of its own period as a whole, so one alone reaches back to the first day of `period`.
    """
    units = Scope.of(unit, period).units
    since = period.first if any(isinstance(leaf, Statement) for leaf in leaves(indicator.formula)) else date.min
    for measure in {leaf.measure for leaf in leaves(indicator.formula) if not isinstance(leaf, Statement)}:
        spans = series_query.extent(conn, covering(measure), units, period.as_of).values()
        if not spans:
            return None
        since = max(since, min(first for first, _ in spans).astimezone(VN).date())
    return since


def covers(conn: Connection, indicator: Indicator, unit: str | None, period: Period) -> bool:
    """Whether there are data from the period's first day on."""
    since = data_since(conn, indicator, unit, period)
    return since is not None and since <= period.first
