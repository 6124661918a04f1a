"""Which dossiers cost a component of index 766 its points, and how a unit's points went day by day."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.sql import SQL, Composable, Placeholder

from schemas import units as administrative
from schemas.index766.rules import NoRules, RuleSet, rule_set
from schemas.indicators.formula import Formula, Stock, Sum, leaves
from schemas.registry import MEASURES
from services.readings.forecast import points_of as counted_points
from services.readings.index766 import UnitIndex, total_of, unit_index
from services.readings.memo import memoised
from services.readings.period import Period
from services.readings.series_query import Selection
from services.readings.stock_evidence import signed_terms
from services.readings.whatif import until


class Costly(NamedTuple):
    """A dossier that is in a component's denominator and not, or not wholly, in its numerator."""

    id: str
    unit: str
    status: str
    due: datetime | None
    ended: datetime | None


class CostlyDossiers(NamedTuple):
    """How many dossiers cost a component points, and some of them, which are listed."""

    number: int
    listed: list[Costly]


class Day(NamedTuple):
    """The points of the month so far at the end of a day; None where one of the components was not known, or the rules
    were others."""

    day: date
    points: Decimal | None


def of_dossiers(formulas: tuple[Formula, Formula]) -> bool:
    """Whether each dossier by itself is or is not in numerator and denominator."""
    return all(
        isinstance(leaf, Sum | Stock) and MEASURES[leaf.measure].unit == "dossier"
        for formula in formulas
        for leaf in leaves(formula)
    )


def costly(
    conn: Connection, rules: str, metric: str, unit: str | None, period: Period, most: int, page: int = 1
) -> CostlyDossiers:
    """The dossiers that cost a component of a unit points in a period, the ones due first first: a `page` of at most
    `most`, the last one where there are not so many."""
    numerator, denominator = total_of(rules).counts[metric]
    units = None if unit is None else administrative.scope(unit)
    values: dict[str, Any] = {"start": period.start, "stop": period.stop, "most": most, "page": page}
    values["units"] = None if units is None else sorted(units)
    missing = Counter[str]()
    terms = {repr(term): term for formula in (denominator, numerator) for term, _ in signed_terms(formula)}
    for formula, side in ((denominator, 1), (numerator, -1)):
        for term, sign in signed_terms(formula, side):
            missing[repr(term)] += sign
    moves: list[Composable] = []
    for place, (name, weight) in enumerate(of for of in missing.items() if of[1]):
        term = terms[name]
        assert isinstance(term, Sum | Stock), "as `of_dossiers` says"
        condition, its_values = Selection(term.measure, units, term.where).condition(f"p{place}_")
        since, stop = ("start", "stop") if isinstance(term, Sum) else ("", "stop" if term.at == "end" else "start")
        values |= its_values | {f"weight{place}": weight}
        moves.append(_MOVES.format(
            Placeholder(f"weight{place}"), condition, Placeholder(since) if since else _FIRST, Placeholder(stop)
        ))  # fmt: skip
    rows = conn.execute(_COSTLY.format(SQL("").join(moves)), values).fetchall()
    return CostlyDossiers(rows[0][0] if rows else 0, [Costly(*row) for _, *row in rows])


def counted(index: UnitIndex) -> frozenset[str]:
    """The components that are counted: reports come and go, so days are compared by these alone."""
    return frozenset(metric for metric in index.counts if index.basis(metric) == "counted")


def compared_by(conn: Connection, rules: str, unit: str | None, day: date) -> frozenset[str]:
    """The components of a unit by which a day and those before it are compared: those counted at its end and at that of
    the day before, so that the step between the two is what `moved` says; else those of the day alone."""
    found, conn = rule_set(rules, day), memoised(conn)
    before = day - timedelta(days=1)
    own = counted(unit_index(conn, rules, unit, until(day)))
    if not same_rules(found, before):
        return own
    return own & counted(unit_index(conn, rules, unit, until(before))) or own


def moved(after: UnitIndex, before: UnitIndex) -> Decimal | None:
    """By how much points moved between two days of one month and one rule set, in the components that are counted on
    both; None where there is none."""
    both, rules = counted(after) & counted(before), after.score.rules
    if not both:
        return None
    return counted_points(rules, after.counts, both) - counted_points(rules, before.counts, both)


def same_rules(rules: RuleSet, day: date) -> bool:
    """Whether a day has the same rule set."""
    try:
        return rule_set(rules.code, day) == rules
    except NoRules:
        return False


def course(conn: Connection, rules: str, unit: str | None, last: date, days: int, metrics: frozenset[str]) -> list[Day]:
    """The points of some components on each of the last days, of the month so far at its end."""
    conn, valid = memoised(conn), rule_set(rules, last)
    return [_of_day(conn, valid, unit, last - timedelta(days=back), metrics) for back in range(days - 1, -1, -1)]


def _of_day(conn: Connection, rules: RuleSet, unit: str | None, day: date, metrics: frozenset[str]) -> Day:
    if not metrics or not same_rules(rules, day):
        return Day(day, None)
    index = unit_index(conn, rules.code, unit, until(day))
    return Day(day, counted_points(rules, index.counts, metrics) if metrics <= counted(index) else None)


_FIRST = SQL("(SELECT min(began) FROM held)")
_MOVES = SQL("""
    UNION ALL SELECT key, NULL, {} * value FROM point
    WHERE series = ANY(ARRAY(SELECT id FROM series s WHERE {})) AND time >= {} AND time < {}""")
# Facts and points meet by grouping, as those of `stock_evidence`.
_COSTLY = SQL("""
WITH held AS MATERIALIZED (
    SELECT id, (facts -> 0 ->> 0)::timestamptz AS began, facts FROM entity  -- some are accepted before they are filed
    WHERE kind = 'dossier' AND (ended_at IS NULL OR ended_at >= %(start)s)
        AND (opened_at < %(stop)s OR (facts -> 0 ->> 0)::timestamptz < %(stop)s)
        AND (%(units)s::text[] IS NULL OR unit = ANY(%(units)s))
), said(key, id, value) AS (
    SELECT (fact ->> 1)::uuid, id, NULL::numeric FROM held, jsonb_array_elements(facts) fact{}
), step AS (
    SELECT max(id) AS id, sum(value) AS value FROM said GROUP BY key HAVING count(id) > 0 AND sum(value) <> 0
), cost AS (
    SELECT id FROM step GROUP BY id HAVING sum(value) > 0
)
SELECT count(*) OVER (), e.id, e.unit, e.status, e.due_at, e.ended_at FROM cost JOIN entity e USING (id)
WHERE e.kind = 'dossier' ORDER BY e.due_at NULLS LAST, e.id LIMIT %(most)s
OFFSET %(most)s * (least(%(page)s, (SELECT greatest(count(*) - 1, 0) FROM cost) / %(most)s + 1) - 1)
""")
