"""Readings: indicators evaluated, grouped, printed as published, and held against their targets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from psycopg import Connection

from schemas import units
from schemas.indicators import Indicator
from services.readings.evaluate import evaluate_all, evaluate_periods
from services.readings.leaves import BUCKETS, Bucket, Scope, Value
from services.readings.period import Period
from services.readings.reasons import Reason
from services.readings.targets import in_force


@dataclass(frozen=True)
class Reading:
    """One figure: of an indicator, in a group (unit, hour, day, month or label value; ``""`` if not grouped).

    `base`: of a share or a mean the number that it rests on.
    """

    indicator: Indicator
    group: str
    value: Decimal | None
    reason: Reason | None
    origins: frozenset[str]
    base: Decimal | None = None
    set_target: Decimal | None = None

    @property
    def target(self) -> Decimal | None:
        """What is to be reached: as it was set for the unit and days, else the catalogue's own."""
        return self.indicator.target if self.set_target is None else self.set_target

    @property
    def printed(self) -> Decimal | None:
        """The value rounded half up to the indicator's decimals."""
        return None if self.value is None else round_half_up(self.value, self.indicator.decimals)

    @property
    def met(self) -> bool | None:
        """Whether the printed value reaches the target; None without a target or a value, or where that cannot be."""
        if self.printed is None or self.target is None or not self.indicator.is_possible(self.printed):
            return None
        if self.indicator.better == "lower":
            return self.printed <= self.target
        return self.printed >= self.target


def round_half_up(value: Decimal, decimals: int) -> Decimal:
    """As clerks round: 0.5 goes up."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def read(
    conn: Connection, indicator: Indicator, unit: str | None, period: Period, by: str | None = None
) -> list[Reading]:
    """The readings of an indicator for a unit (None: the whole locality).

    `by`: None for one reading; `unit`, `hour`, `day`, `month` or a label of the measure for one per group.
    Raises `evaluate.NotBrokenDown` where the formula has no such breakdown.
    """
    return sheet(conn, [indicator], unit, period, by)[0]


def sheet(
    conn: Connection,
    indicators: Iterable[Indicator],
    unit: str | None,
    period: Period,
    by: str | None = None,
    aligned: bool = False,
) -> list[list[Reading]]:
    """The readings of several indicators, each as `read` gives it, all of them asked at once. `aligned`: as columns of
    one table, each with every group that any of them has."""
    some = list(indicators)
    grouped, days = _grouped(conn, some, unit, period, by, aligned)
    places = {group for values in grouped for group, _ in values} if by == "unit" else {unit}
    codes, ends = {one.code for one in some if one.settable}, {*days.values()} or {period.last}
    aims = in_force(conn, sorted(codes), sorted(places, key=str), sorted(ends), period.as_of) if codes else {}

    def reading(indicator: Indicator, group: str, value: Value) -> Reading:
        aim = aims.get((indicator.code, group if by == "unit" else unit, days.get(group, period.last)))
        return Reading(indicator, group, value.value, value.reason, value.origins, value.base, aim)

    return [[reading(one, *value) for value in values] for one, values in zip(some, grouped, strict=True)]


Grouped = list[list[tuple[str, Value]]]


def _grouped(
    conn: Connection, indicators: Sequence[Indicator], unit: str | None, period: Period, by: str | None, aligned: bool
) -> tuple[Grouped, dict[str, date]]:
    """The values of each indicator with their groups, in order; of groups that are times their last days."""
    formulas, whole = [indicator.formula for indicator in indicators], Scope.of(unit, period)
    if bucket := BUCKETS.get(by or ""):
        parts = dict(_parts(period, bucket))
        found = evaluate_periods(conn, formulas, whole, bucket, list(parts.values()))
        days = {name: part.last for name, part in parts.items()}
        return [list(zip(parts, values, strict=True)) for values in found], days
    place = (lambda of: units.order(of[0])) if by == "unit" else None
    values = evaluate_all(conn, formulas, replace(whole, by=by))
    every = set().union(*values) if aligned else ()
    return [sorted((dict.fromkeys(every, some.rest) | some).items(), key=place) for some in values], {}


def _parts(period: Period, by: Bucket) -> Iterator[tuple[str, Period]]:
    """The period cut up, each part with its name: `2024-11-05T07`, `2024-11-05`, `2024-11`."""
    match by:
        case "hour":
            yield from ((f"{part.first}T{part.hour:02}", part) for part in period.hours())
        case "day":
            yield from ((str(part.first), part) for part in period.days())
        case "month":
            yield from ((part.first.strftime("%Y-%m"), part) for part in period.months())
