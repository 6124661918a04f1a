"""Which dossiers cost a component of index 766 its points, and how a unit's points went day by day."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from psycopg import Connection

from schemas import units as administrative
from schemas.index766.rules import NoRules, RuleSet, rule_set
from schemas.indicators.formula import Formula, Stock, Sum, leaves
from schemas.registry import FOLDS, MEASURES
from services.kit.facts import stored_calendars, unpack
from services.readings.forecast import points_of as counted_points
from services.readings.index766 import total_of, unit_index
from services.readings.memo import memoised
from services.readings.period import Period
from services.readings.whatif import amount, points_of, until

MOST = 2000
"""So many dossiers of a unit are looked at, those due first."""


class Costly(NamedTuple):
    """A dossier that is in a component's denominator and not, or not wholly, in its numerator."""

    id: str
    unit: str
    status: str
    due: datetime | None
    ended: datetime | None


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


def costly(conn: Connection, rules: str, metric: str, unit: str | None, period: Period) -> list[Costly]:
    """The dossiers of a unit that cost a component points in a period, the ones due first first."""
    numerator, denominator = total_of(rules).counts[metric]
    units = None if unit is None else sorted(administrative.scope(unit))
    known, fold, found = stored_calendars(conn), FOLDS["dossier"], []
    values = {"units": units, "start": period.start, "stop": period.stop, "most": MOST}
    for *head, facts in conn.execute(_DOSSIERS, values).fetchall():
        points = points_of(fold(head[0], [unpack(fact) for fact in facts], known).points, period)
        if amount(denominator, points, period) > amount(numerator, points, period):
            found.append(Costly(*head))
    return found


def counted_now(conn: Connection, rules: str, unit: str | None, day: date) -> frozenset[str]:
    """The components of a unit that are counted on a day: reports come and go, so days are compared by these alone."""
    index = unit_index(conn, rules, unit, until(day))
    return frozenset(metric for metric in index.counts if index.basis(metric) == "counted")


def course(conn: Connection, rules: str, unit: str | None, last: date, days: int, counted: frozenset[str]) -> list[Day]:
    """The points of some components on each of the last days, of the month so far at its end."""
    conn, valid = memoised(conn), rule_set(rules, last)
    return [_of_day(conn, valid, unit, last - timedelta(days=back), counted) for back in range(days - 1, -1, -1)]


def _of_day(conn: Connection, rules: RuleSet, unit: str | None, day: date, counted: frozenset[str]) -> Day:
    try:
        if not counted or rule_set(rules.code, day) != rules:
            return Day(day, None)
    except NoRules:
        return Day(day, None)
    index = unit_index(conn, rules.code, unit, until(day))
    known = all(index.basis(metric) == "counted" for metric in counted)
    return Day(day, counted_points(rules, index.counts, counted) if known else None)


_DOSSIERS = """
SELECT id, unit, status, due_at, ended_at, facts FROM entity
WHERE kind = 'dossier' AND opened_at < %(stop)s AND (ended_at IS NULL OR ended_at >= %(start)s)
    AND (%(units)s::text[] IS NULL OR unit = ANY(%(units)s))
ORDER BY due_at NULLS LAST, id LIMIT %(most)s
"""
