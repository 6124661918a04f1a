"""Evaluating a formula over groups. A value is a number or a reason; a missing part makes the whole missing, not 0."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from psycopg import Connection

from schemas import units as administrative
from schemas.economy import Stated
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
from schemas.text.dates import day
from services.readings import statements
from services.readings.leaves import ALL, Answers, Bucket, NotBrokenDown, Scope, Value, Values, ask
from services.readings.period import Period
from services.readings.reasons import Named, Reason

__all__ = ["ALL", "ComponentCount", "NotBrokenDown", "Scope", "UnitCounts", "Value", "Values", "evaluate"]


def evaluate(conn: Connection, formula: Formula, scope: Scope) -> Values:
    """group -> value; the group is `ALL` unless the scope groups."""
    return evaluate_all(conn, [formula], scope)[0]


def evaluate_all(conn: Connection, formulas: Sequence[Formula], scope: Scope) -> list[Values]:
    """What `evaluate` gives of each formula, all of it asked at once."""
    answers = ask(conn, formulas, scope)[scope.period.start]
    return [_evaluate(conn, formula, scope, answers) for formula in formulas]


def evaluate_periods(
    conn: Connection, formulas: Sequence[Formula], scope: Scope, bucket: Bucket, periods: Sequence[Period]
) -> list[list[Value]]:
    """Of each formula its value in each hour, day or month of the scope's period, all of it asked at once."""
    answers = ask(conn, formulas, scope, bucket)
    scopes = [replace(scope, period=period) for period in periods]
    return [[_evaluate(conn, f, one, answers[one.period.start])[ALL] for one in scopes] for f in formulas]


def _evaluate(conn: Connection, formula: Formula, scope: Scope, answers: Answers) -> Values:
    match formula:
        case Sum() | Stock() | Last() | Distinct() | Median() | Statement():
            return answers.of(formula, scope.by)
        case Ratio(numerator, denominator, scale):
            above, below = (_evaluate(conn, part, scope, answers) for part in (numerator, denominator))
            return _ratios(above, below, scale)
        case Combine(plus, minus):
            terms = [(_evaluate(conn, term, scope, answers), 1) for term in plus]
            return _combine([*terms, *((_evaluate(conn, term, scope, answers), -1) for term in minus)])
        case UnitMean(of):
            rows = _evaluate(conn, of, replace(scope, by="unit"), answers)
            return rows if scope.by else Values({ALL: _mean(rows)})
        case Score():
            return _scores(conn, formula, scope, answers)
    raise TypeError(formula)


# --- composites ---


def _ratios(numerators: Values, denominators: Values, scale: int) -> Values:
    return _each((numerators, denominators), lambda above, below: _ratio(above, below, scale))


def _each(parts: Sequence[Values], compose: Callable[..., Value]) -> Values:
    """What is composed of the parts' values, in every group that one of them has, and of the rest."""
    whole = Values({group: compose(*(part.of(group) for part in parts)) for group in sorted(set().union(*parts))})
    whole.rest = compose(*(part.rest for part in parts))
    return whole


def _ratio(numerator: Value, denominator: Value, scale: int) -> Value:
    origins = numerator.origins | denominator.origins
    if denominator.value is None:
        return Value(None, Reason("denominator", denominator.reason), origins)
    if denominator.value == 0:
        return Value(None, Reason("denominator_0"), origins)
    if numerator.value is None:
        return Value(None, Reason("numerator", numerator.reason), origins)
    return Value(numerator.value / denominator.value * scale, None, origins, denominator.value)


def _combine(terms: list[tuple[Values, int]]) -> Values:
    signs = [sign for _, sign in terms]
    return _each([values for values, _ in terms], lambda *values: _added(values, signs))


def _added(values: Sequence[Value], signs: Sequence[int]) -> Value:
    origins = frozenset[str]().union(*(value.origins for value in values))
    total = Decimal(0)
    for value, sign in zip(values, signs, strict=True):
        if value.value is None:
            return Value(None, Reason("a_part") if value is Values.rest else value.reason, origins)
        total += sign * value.value
    return Value(total, None, origins)


def _mean(rows: Values) -> Value:
    """The plain mean of the units that have a figure of their own."""
    present = [(v.value, v.origins) for v in rows.values() if v.value is not None]
    if not present:
        return next(iter(rows.values()), Value(None, Reason("no_unit")))
    origins = frozenset[str]().union(*(origins for _, origins in present))
    return Value(sum((value for value, _ in present), Decimal(0)) / len(present), None, origins)


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
    return _component_counts(conn, formula, scope, ask(conn, [formula], scope)[scope.period.start])


def _component_counts(conn: Connection, formula: Score, scope: Scope, answers: Answers) -> dict[str, UnitCounts]:
    components = rule_set(formula.rules, scope.period.last).components
    counts = {metric: pair for metric, pair in formula.counts.items() if metric in components}
    reported = {m: of for m, (of, _) in counts.items() if isinstance(of, Statement)}
    counted = {
        m: [_evaluate(conn, part, scope, answers) for part in pair] for m, pair in counts.items() if m not in reported
    }
    said = {m: statements.current(conn, of, None, scope.period, since_first=True) for m, of in reported.items()}
    groups = sorted(set().union(*(v for pair in counted.values() for v in pair))) if scope.by else [ALL]
    return {
        group: {
            metric: _reported(said[metric], group or scope.root, scope.period, components[metric].from_province)
            if metric in reported
            else _counted(*(values.of(group) for values in counted[metric]))
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


def _scores(conn: Connection, formula: Score, scope: Scope, answers: Answers) -> Values:
    try:
        rules = rule_set(formula.rules, scope.period.last)
    except NoRules:
        return Values() if scope.by else Values({ALL: Value(None, Reason("no_rules", day(scope.period.last)))})
    values = Values()
    for group, counts in _component_counts(conn, formula, scope, answers).items():
        origins = frozenset[str]().union(*(count.origins for count in counts.values()))
        given = {metric: count.count for metric, count in counts.items() if count.count is not None}
        lacking = [rules.components[metric] for metric in counts if metric not in given]
        if lacking:
            named = ("; ".join(c.vi for c in lacking), "; ".join(c.en for c in lacking))
            values[group] = Value(None, Reason("components", len(lacking), Named(*named)), origins)
        else:
            values[group] = Value(scoring.score(rules, given).points, None, origins)
    return values
