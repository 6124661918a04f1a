"""Index 766 of all units at once: every component with its counts and where they come from, points and ranks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from psycopg import Connection

from schemas import units
from schemas.economy import Stated
from schemas.index766 import scoring
from schemas.index766.rules import RuleSet, rule_set
from schemas.index766.scoring import CountPair, IndexScore
from schemas.index766.unit_scores import ScoredUnit, read_unit
from schemas.indicators import CATALOGUE, SHEETS
from schemas.indicators.formula import Score
from schemas.indicators.index766 import REPORTED
from services.readings.evaluate import ALL, Scope, UnitCounts, component_counts
from services.readings.period import Period
from services.readings.reasons import Reason

Basis = Literal["counted", "reported", "missing"]


@dataclass(frozen=True)
class UnitIndex(ScoredUnit):
    """The index of a unit (`unit` is "" for the whole locality) over a period, and the counts that it rests on with
    their origins, reasons and statements."""

    from_events = True

    counts: UnitCounts

    @property
    def reasons(self) -> Mapping[str, Reason]:
        """metric -> why there is no count of it."""
        return {metric: c.reason for metric, c in self.counts.items() if c.reason is not None}

    @property
    def origins(self) -> frozenset[str]:
        """The origins of its data."""
        return frozenset[str]().union(*(c.origins for c in self.counts.values()))

    def basis(self, metric: str) -> Basis:
        """Whether a component is counted from events, reported, or missing."""
        count = self.counts.get(metric)
        if count is None or count.count is None:
            return "missing"
        return "reported" if count.stated else "counted"

    def stated(self, metric: str) -> Stated | None:
        """The statement that a reported component rests on."""
        return self.counts[metric].stated if metric in self.counts else None


def total_of(rules: str) -> Score:
    """The catalogue's formula of the total by a rule set: KeyError for a code that is none."""
    formulas = (CATALOGUE[code].formula for code in SHEETS["index766"])
    return next(f for f in formulas if isinstance(f, Score) and f.rules == rules)


def unit_index(conn: Connection, rules: str, unit: str | None, period: Period) -> UnitIndex:
    """The index of one unit with all below it; None: of the whole locality."""
    return _read(conn, rules, Scope.of(unit, period))[0]


def unit_indices(conn: Connection, rules: str, root: str | None, period: Period) -> list[UnitIndex]:
    """The indices of all units below `root` (None: below the province), ranked, the best first, by one reading per
    measure. NoRules where that day has no such rule set."""
    return ranked(_read(conn, rules, Scope.of(root, period, "unit")))


def ranked(found: Iterable[UnitIndex]) -> list[UnitIndex]:
    """Ranked 1-2-2-4, levels apart; what has no total comes last, by the points that were given."""
    some = list(found)
    ranks = scoring.ranks({u.unit: u.score.total for u in some}, {u.unit: u.level for u in some})
    placed = [replace(u, rank=ranks.get(u.unit)) for u in some]
    return sorted(placed, key=lambda u: (scoring.ranked_as(u.level), u.rank or len(some) + 1, -u.score.points,
                                         units.order(u.unit)))  # fmt: skip


def _read(conn: Connection, rules: str, scope: Scope) -> list[UnitIndex]:
    valid = rule_set(rules, scope.period.last)
    found = component_counts(conn, total_of(rules), scope)
    return [_index(valid, group or scope.root or ALL, counts, scope.period) for group, counts in found.items()]


def _index(rules: RuleSet, unit: str, counts: UnitCounts, period: Period) -> UnitIndex:
    level = units.on(unit, period.last).level if unit else ""
    return UnitIndex(unit, level, score_of(rules, unit, counts), counts)


def score_of(rules: RuleSet, unit: str, counts: UnitCounts) -> IndexScore:
    """The score of a unit's counts; what its province stated of publication is marked as the province's."""
    given = {m: c.count for m, c in counts.items() if c.count is not None}
    lent = {m for m in given if rules.components[m].from_province and getattr(counts[m].stated, "unit", unit) != unit}
    return scoring.score(rules, given, {m: given[m] for m in lent} if unit and lent else None)


def read_rest(file: Path, rules: RuleSet) -> Mapping[str, CountPair]:
    """What a file gives of one unit; ValueError where it has what the events count."""
    counts = read_unit(file, rules)
    if both := [metric for metric in rules.components if metric not in REPORTED and metric in counts]:
        raise ValueError(f"{file} has {', '.join(both)}, which the events count; leave it out, or use `score`")
    return counts


def with_rest(index: UnitIndex, rest: Mapping[str, CountPair], province: Mapping[str, CountPair] | None) -> UnitIndex:
    """A unit's index with what a file gives of it, and with what another gives of its province."""
    counts = {m: c.count for m, c in index.counts.items() if c.count is not None}
    lent = None if index.level == "province" else province
    return replace(index, score=scoring.score(index.score.rules, {**rest, **counts}, lent))
