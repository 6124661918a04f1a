"""Evaluating a formula over groups. A value is a number or a reason; a missing part makes the whole missing, not 0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from psycopg import Connection

from schemas import units as administrative
from schemas.economy import Stated
from schemas.fold import Measure
from schemas.index766 import scoring
from schemas.index766.rules import NoRules, rule_set
from schemas.index766.scoring import CountPair
from schemas.indicators.formula import (
    Combine,
    Distinct,
    Formula,
    Last,
    Median,
    Ratio,
    Score,
    Statement,
    Stock,
    Sum,
    UnitMean,
)
from schemas.registry import MEASURES, covering
from schemas.text.dates import day
from schemas.units import row_unit
from services.readings import series_query, statements
from services.readings.memo import memoised
from services.readings.period import Period
from services.readings.reasons import Named, Reason
from services.readings.series_query import BEGINNING, Selection, Total

ALL = ""
"""The name of the only group where nothing is grouped."""


@dataclass(frozen=True)
class Value:
    """A figure of one group: `value`, or None with the `reason`; the origins of its data; of a ratio its `base`, the
    denominator."""

    value: Decimal | None
    reason: Reason | None = None
    origins: frozenset[str] = frozenset()
    base: Decimal | None = None


Measured = Sum | Stock | Last | Distinct | Median
NO_DATA = Value(None, Reason("no_data"))


@dataclass(frozen=True)
class Scope:
    """What a formula is evaluated over. `by`: None, `unit` or a label; `root`: the unit asked for (None: all)."""

    root: str | None
    units: frozenset[str] | None
    period: Period
    by: str | None = None

    @classmethod
    def of(cls, root: str | None, period: Period, by: str | None = None) -> Scope:
        """The scope of a unit, followed across mergers."""
        return cls(root, None if root is None else administrative.scope(root), period, by)


class NotBrokenDown(ValueError):
    """The formula has no such label, or its form allows no such breakdown."""


Values = dict[str, Value]


def evaluate(conn: Connection, formula: Formula, scope: Scope) -> Values:
    """group -> value; the group is `ALL` unless the scope groups."""
    match formula:
        case Sum() | Stock() | Last() | Distinct() | Median():
            return _measured(conn, formula, scope)
        case Statement():
            return _stated(conn, formula, scope)
        case Ratio(numerator, denominator, scale):
            return _ratios(evaluate(conn, numerator, scope), evaluate(conn, denominator, scope), scale, scope)
        case Combine(plus, minus):
            return _combine(conn, plus, minus, scope)
        case UnitMean(of):
            return _unit_mean(conn, of, scope)
        case Score():
            return _scores(conn, formula, scope)
    raise TypeError(formula)


def _measured(conn: Connection, formula: Measured, scope: Scope) -> Values:
    measure = MEASURES[formula.measure]
    if scope.by not in (None, "unit") and scope.by not in measure.labels:
        known = ", ".join(("unit", "hour", "day", "month", *measure.labels))
        raise NotBrokenDown(f"{measure.name} has no label {scope.by!r}; it has: {known}")
    if not scope.period.begun:
        return {} if scope.by else {ALL: Value(None, Reason("ahead"))}
    if series_query.cuts_a_forgotten_day(conn, scope.period.stop):
        return {} if scope.by else {ALL: Value(None, Reason("whole_days"))}
    if isinstance(formula, Median) and series_query.is_forgotten(conn, scope.period.start):
        return {} if scope.by else {ALL: Value(None, Reason("forgotten"))}
    found = _leaf_values(conn, formula, scope)
    if scope.by == "unit":
        return _with_rows(found, _coverage(conn, measure, formula, scope, found), scope)
    if found or scope.by:
        return {group: Value(number, None, origins) for group, (number, origins) in found.items()}
    periods = series_query.extent(conn, covering(measure.name), scope.units, scope.period.as_of).values()
    return {ALL: _empty(formula, list(periods), scope.period)}


Found = dict[str, tuple[Decimal, frozenset[str]]]


def _leaf_values(conn: Connection, formula: Measured, scope: Scope) -> Found:
    what, period = Selection(formula.measure, scope.units, formula.where), scope.period
    match formula:
        case Sum(of=of):
            totals = _by_row(series_query.totals(conn, what, period.start, period.stop, scope.by), scope)
            return {g: (t.sum if of == "sum" else Decimal(t.number), t.origins) for g, t in totals.items()}
        case Stock(at=at):
            until = period.stop if at == "end" else period.start
            return {
                g: (t.sum, t.origins)
                for g, t in _by_row(series_query.totals(conn, what, BEGINNING, until, scope.by), scope).items()
            }
        case Last():
            since = BEGINNING if period.open_start else period.start
            return {
                g: (t.sum, t.origins)
                for g, t in _by_row(series_query.latest(conn, what, since, period.stop, scope.by), scope).items()
            }
        case Distinct(label=label):
            return _distinct(conn, what, label, scope)
        case Median():
            rows = {unit.code: row_unit(unit.code, scope.root) for unit in administrative.every()}
            middles = series_query.medians(
                conn, what, period.start, period.stop, scope.by, rows if scope.by == "unit" else {}
            )
            return {g: (t.sum, t.origins) for g, t in middles.items()}
    raise TypeError(formula)


def _distinct(conn: Connection, what: Selection, label: str, scope: Scope) -> Found:
    """Different label values per group. A value counts once for every unit that has it: each offers a procedure."""
    if scope.by not in (None, "unit"):
        raise NotBrokenDown(f"a number of different {label} cannot be broken down by {scope.by}")
    found: Found = {}
    for unit, total in series_query.distinct(conn, what, label, scope.period.start, scope.period.stop):
        group = row_unit(unit, scope.root) if scope.by == "unit" else ALL
        number, origins = found.get(group, (Decimal(0), frozenset()))
        found[group] = (number + (total.sum != 0), origins | total.origins)
    return found


def _by_row(totals: dict[str, Total], scope: Scope) -> dict[str, Total]:
    if scope.by != "unit":
        return totals
    rows: dict[str, Total] = {}
    for unit, total in totals.items():
        row = row_unit(unit, scope.root)
        current = rows.get(row)
        rows[row] = (
            total
            if current is None
            else Total(current.sum + total.sum, current.number + total.number, current.origins | total.origins)
        )
    return rows


# --- what is missing, and why ---

Spans = list[tuple[datetime, datetime]]


def _coverage(
    conn: Connection, measure: Measure, formula: Formula, scope: Scope, found: Iterable[str]
) -> dict[str, Value]:
    """row -> what it shows, for the rows without any point."""
    periods: dict[str, Spans] = {}
    measures, as_of = covering(measure.name), scope.period.as_of
    for unit, span in series_query.extent(conn, measures, scope.units, as_of, besides=found).items():
        periods.setdefault(row_unit(unit, scope.root), []).append(span)
    return {row: _empty(formula, some, scope.period) for row, some in periods.items()}


def _empty(formula: Formula, periods: Spans, period: Period) -> Value:
    """No point was found: 0 where the source reported around that time, else unknown."""
    if not periods:
        return Value(None, Reason("never"))
    first, last = min(s[0] for s in periods), max(s[1] for s in periods) + timedelta(days=1)
    if first >= period.stop:
        return Value(None, Reason("before", day(first)))
    if isinstance(formula, Last | Median):
        return Value(None, Reason("not_in_period"))
    if not isinstance(formula, Stock) and last <= period.start:
        return Value(None, Reason("after", day(last - timedelta(days=1))))
    return Value(Decimal(0))


def _with_rows(found: Found, coverage: dict[str, Value], scope: Scope) -> Values:
    rows = dict(coverage)
    rows.update({row: Value(number, None, origins) for row, (number, origins) in found.items()})
    return rows


# --- statements ---


def _stated(conn: Connection, formula: Statement, scope: Scope) -> Values:
    if scope.by not in (None, "unit"):
        raise NotBrokenDown(
            f"{formula.indicator} is a statement; it can be broken down by unit, hour, day and month only"
        )
    by_unit = statements.current(conn, formula, scope.units, scope.period)
    if scope.by == "unit":
        groups: dict[str, dict[str, Stated]] = {}
        for unit, stated in by_unit.items():
            groups.setdefault(row_unit(unit, scope.root), {})[unit] = stated
        return {row: _over_units(formula, row, some) for row, some in groups.items()}
    return {ALL: _over_units(formula, scope.root, by_unit)}


def _over_units(formula: Statement, root: str | None, by_unit: dict[str, Stated]) -> Value:
    if not by_unit:
        return Value(None, Reason("not_stated"))
    by_unit = {root: by_unit[root]} if root in by_unit else _topmost(by_unit)
    parts = [part for stated in by_unit.values() if (part := stated.part(formula.part)) is not None]
    origins = frozenset(stated.origin for stated in by_unit.values())
    if len(parts) == 1:
        return Value(parts[0], None, origins)
    if formula.over_units is None:
        return Value(None, Reason("not_added", len(parts)), origins)
    total = sum(parts, Decimal(0))
    return Value(total if formula.over_units == "sum" else total / len(parts), None, origins)


def _topmost(by_unit: dict[str, Stated]) -> dict[str, Stated]:
    """Without the units for which one above them speaks."""
    return {
        unit: stated
        for unit, stated in by_unit.items()
        if not any(above.code in by_unit for above in administrative.ancestors(unit))
    }


# --- composites ---


def _ratios(numerators: Values, denominators: Values, scale: int, scope: Scope) -> Values:
    # By label, a group that the numerator lacks has none of it; a unit that it lacks was never heard of.
    absent = NO_DATA if scope.by in (None, "unit") else Value(Decimal(0))
    return {
        group: _ratio(numerators.get(group, absent), denominators.get(group, NO_DATA), scale)
        for group in sorted(numerators.keys() | denominators.keys())
    }


def _ratio(numerator: Value, denominator: Value, scale: int) -> Value:
    origins = numerator.origins | denominator.origins
    if denominator.value is None:
        return Value(None, Reason("denominator", denominator.reason), origins)
    if denominator.value == 0:
        return Value(None, Reason("denominator_0"), origins)
    if numerator.value is None:
        return Value(None, Reason("numerator", numerator.reason), origins)
    return Value(numerator.value / denominator.value * scale, None, origins, denominator.value)


def _combine(conn: Connection, plus: tuple[Formula, ...], minus: tuple[Formula, ...], scope: Scope) -> Values:
    terms = [(evaluate(conn, term, scope), 1) for term in plus] + [(evaluate(conn, term, scope), -1) for term in minus]
    groups = sorted(set().union(*(values for values, _ in terms)))
    return {group: _added([(values.get(group), sign) for values, sign in terms], scope) for group in groups}


def _added(terms: list[tuple[Value | None, int]], scope: Scope) -> Value:
    origins = frozenset().union(*(v.origins for v, _ in terms if v))
    total = Decimal(0)
    for value, sign in terms:
        if value is None:
            # By label, a group that one term lacks simply has none of it; otherwise the term is missing.
            if scope.by in (None, "unit"):
                return Value(None, Reason("a_part"), origins)
        elif value.value is None:
            return Value(None, value.reason, origins)
        else:
            total += sign * value.value
    return Value(total, None, origins)


def _unit_mean(conn: Connection, of: Formula, scope: Scope) -> Values:
    """Every unit's own figure, then the plain mean of those that have one."""
    if scope.by not in (None, "unit"):
        raise NotBrokenDown(f"a mean of units cannot be broken down by {scope.by}")
    rows = evaluate(conn, of, Scope(scope.root, scope.units, scope.period, "unit"))
    if scope.by == "unit":
        return rows
    present = [v for v in rows.values() if v.value is not None]
    if not present:
        return {ALL: next(iter(rows.values()), Value(None, Reason("no_unit")))}
    origins = frozenset().union(*(v.origins for v in present))
    mean = sum((v.value for v in present if v.value is not None), Decimal(0)) / len(present)
    return {ALL: Value(mean, None, origins)}


# --- index 766 ---


@dataclass(frozen=True)
class ComponentCount:
    """Numerator and denominator of a component, or the `reason` why there are none; where they were reported, by which
    statement."""

    count: CountPair | None
    reason: Reason | None
    origins: frozenset[str]
    stated: Stated | None = None


UnitCounts = Mapping[str, ComponentCount]
"""Metric -> its count."""


def component_counts(conn: Connection, formula: Score, scope: Scope) -> dict[str, UnitCounts]:
    """group -> the counts of the components of a score; the group is `ALL` unless the scope groups by unit."""
    if scope.by not in (None, "unit"):
        raise NotBrokenDown("points of index 766 can be broken down by unit, hour, day and month only")
    components, conn = rule_set(formula.rules, scope.period.last).components, memoised(conn)
    counts = {metric: pair for metric, pair in formula.counts.items() if metric in components}
    reported = {m: of for m, (of, _) in counts.items() if isinstance(of, Statement)}
    counted = {m: [evaluate(conn, part, scope) for part in pair] for m, pair in counts.items() if m not in reported}
    said = {m: statements.current(conn, of, None, scope.period, since_first=True) for m, of in reported.items()}
    groups = sorted(set().union(*(v for pair in counted.values() for v in pair))) if scope.by else [ALL]
    return {
        group: {
            metric: _reported(said[metric], group or scope.root, scope.period, components[metric].from_province)
            if metric in reported
            else _counted(*(values.get(group, NO_DATA) for values in counted[metric]))
            for metric in counts
        }
        for group in groups
    }


def _counted(numerator: Value, denominator: Value) -> ComponentCount:
    origins = numerator.origins | denominator.origins
    if numerator.value is None or denominator.value is None:
        return ComponentCount(None, denominator.reason or numerator.reason, origins)
    if min(numerator.value, denominator.value) < 0:
        return ComponentCount(None, Reason("not_counted"), origins)
    return ComponentCount(CountPair(numerator.value, denominator.value), None, origins)


Said = dict[str, Stated]


def _reported(said: Said, unit: str | None, period: Period, lent: bool) -> ComponentCount:
    """What a unit stated itself, or its province where that lends it; never a sum of those who happened to report."""
    stated = said.get(province_of(unit, said, period) if lent or unit is None else unit)
    numerator, denominator = (stated.part(part) if stated else None for part in ("value", "total"))
    if stated is None or numerator is None or denominator is None:
        return ComponentCount(None, Reason("not_stated"), frozenset())
    return ComponentCount(CountPair(numerator, denominator), None, frozenset({stated.origin}), stated)


def province_of(unit: str | None, said: Iterable[str], period: Period) -> str:
    """The province whose publication is a unit's; of the whole locality the only one that says something of it."""
    if unit is None:
        of = [code for code in said if administrative.on(code, period.last).level == "province"]
        return of[0] if len(of) == 1 else ALL
    chain = (unit, *(above.code for above in administrative.ancestors(unit)))
    return next((code for code in chain if administrative.on(code, period.last).level == "province"), ALL)


def _scores(conn: Connection, formula: Score, scope: Scope) -> Values:
    try:
        rules = rule_set(formula.rules, scope.period.last)
    except NoRules:
        return {} if scope.by else {ALL: Value(None, Reason("no_rules", day(scope.period.last)))}
    values: Values = {}
    for group, counts in component_counts(conn, formula, scope).items():
        origins = frozenset[str]().union(*(count.origins for count in counts.values()))
        given = {metric: count.count for metric, count in counts.items() if count.count is not None}
        lacking = [rules.components[metric] for metric in counts if metric not in given]
        if lacking:
            named = ("; ".join(c.vi for c in lacking), "; ".join(c.en for c in lacking))
            values[group] = Value(None, Reason("components", len(lacking), Named(*named)), origins)
        else:
            values[group] = Value(scoring.score(rules, given).points, None, origins)
    return values
