"""Where the index of a unit will stand at the month's end: how earlier months went on from as far before their end.

The counted components alone are forecast; reported ones stand as they are. The expected change is the median of what
the earlier months still gained or lost, the interval their least and greatest. The same method put to the earlier
months tells how wrong it was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from statistics import median

from psycopg import Connection

from schemas.calendar import local_day
from schemas.index766 import scoring
from schemas.index766.rules import NoRules, RuleSet, rule_set
from services.readings.evaluate import UnitCounts
from services.readings.index766 import unit_index
from services.readings.memo import memoised
from services.readings.period import TICK, Period, midnight

MONTHS = 6
"""So many earlier months are looked at."""
LEAST = 3
"""So many of them are needed for an interval."""
HUNDREDTH = Decimal("0.01")
METHOD = (
    "points of now and the median of what the months below still gained from as far before their end; the range is "
    "their least and greatest, from three months on"
)


@dataclass(frozen=True)
class PastMonth:
    """An earlier month: its points as far before its end as now, at its end, and what would have been forecast then
    (None: nothing was known before it)."""

    month: date
    so_far: Decimal
    final: Decimal
    forecast: Decimal | None

    @property
    def error(self) -> Decimal | None:
        """Actual less forecast."""
        return None if self.forecast is None else self.final - self.forecast


@dataclass(frozen=True)
class Forecast:
    """The month's end: `now` and `expected` are points of the known components, of at most `maximum`; `low` and `high`
    are None with less than `LEAST` months to learn from, `expected` without any."""

    period: Period
    now: Decimal
    maximum: Decimal
    expected: Decimal | None
    low: Decimal | None
    high: Decimal | None
    past: tuple[PastMonth, ...]


def forecast(conn: Connection, rules: str, unit: str | None, as_of: datetime) -> Forecast:
    """The forecast of a unit (None: the whole locality) for the end of the local month of a moment."""
    conn = memoised(conn)
    month = local_day(as_of).replace(day=1)
    end, valid = _next(month), rule_set(rules, month)
    period = Period(month, end - timedelta(days=1), as_of)
    now = unit_index(conn, rules, unit, period)
    counted = [metric for metric in now.counts if now.basis(metric) == "counted"]
    past = list(_past(conn, valid, unit, month, midnight(end) - as_of, counted))
    changes = [m.final - m.so_far for m in past]
    points, maximum = points_of(valid, now.counts, counted), _most(valid, counted)
    low, high = (min(changes), max(changes)) if len(past) >= LEAST else (None, None)
    expected, low, high = (_at_end(points, change, maximum) for change in (_middle(changes), low, high))
    return Forecast(period, points, maximum, expected, low, high, tuple(past))


def _at_end(points: Decimal, change: Decimal | None, maximum: Decimal) -> Decimal | None:
    return None if change is None else min(max(points + change, Decimal("0.00")), maximum)


def _most(rules: RuleSet, metrics: Collection[str]) -> Decimal:
    return sum((rules.components[metric].maximum for metric in metrics), Decimal(0))


def _past(
    conn: Connection, rules: RuleSet, unit: str | None, month: date, ahead: timedelta, counted: Collection[str]
) -> Iterator[PastMonth]:
    """Earlier months under the same rules of which all these components are known at both moments, the first first."""
    changes: list[Decimal] = []
    for first in reversed(list(_before(month))):
        end = _next(first)
        try:
            if rule_set(rules.code, first) != rules:
                continue
        except NoRules:
            continue
        moments = (midnight(end) - max(ahead, TICK), midnight(end) - TICK)
        found = [unit_index(conn, rules.code, unit, Period(first, end - timedelta(days=1), at)) for at in moments]
        if not counted or any(index.basis(metric) != "counted" for index in found for metric in counted):
            continue
        so_far, final = (points_of(rules, index.counts, counted) for index in found)
        yield PastMonth(first, so_far, final, _at_end(so_far, _middle(changes), _most(rules, counted)))
        changes.append(final - so_far)


def points_of(rules: RuleSet, counts: UnitCounts, metrics: Collection[str]) -> Decimal:
    """The points of some components of which all counts are known."""
    pairs = ((rules.components[metric], counts[metric].count) for metric in metrics)
    return sum((scoring.points(component, count) for component, count in pairs if count), Decimal("0.00"))


def _middle(changes: Sequence[Decimal]) -> Decimal | None:
    return Decimal(median(changes)).quantize(HUNDREDTH, ROUND_HALF_UP) if changes else None


def _before(month: date) -> Iterator[date]:
    for _ in range(MONTHS):
        month = (month - timedelta(days=1)).replace(day=1)
        yield month


def _next(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)
