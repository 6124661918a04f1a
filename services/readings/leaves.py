"""What formulas rest on, asked of the database at once: one statement for each way of grouping, however many figures
and periods are wanted. The SQL function `figure_leaves` says what a leaf is; Grafana's panels ask it too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from psycopg import Connection

from schemas import units as administrative
from schemas.indicators.formula import Distinct, Formula, Leaf, Score, Statement, UnitMean, children
from schemas.indicators.plan import wanted, wanted_all
from schemas.registry import MEASURES
from schemas.text.dates import day
from services.readings.period import Period
from services.readings.reasons import Reason

ALL = ""
"""The name of the only group where nothing is grouped."""
Bucket = Literal["hour", "day", "month"]
BUCKETS: dict[str, Bucket] = {"hour": "hour", "day": "day", "month": "month"}


@dataclass(frozen=True)
class Value:
    """A figure of one group: `value`, or None with the `reason`; the origins of its data; of a ratio its `base`, the
    denominator."""

    value: Decimal | None
    reason: Reason | None = None
    origins: frozenset[str] = frozenset()
    base: Decimal | None = None


class Values(dict[str, Value]):
    """group -> value. `rest`: that of every other group, by a label 0 where the whole is known, else missing."""

    rest = Value(None, Reason("no_data"))

    def of(self, group: str) -> Value:
        """The value of a group, whether it has a row or not."""
        return self.get(group, self.rest)


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


@dataclass(frozen=True)
class Answers:
    """What was found of the leaves of one period."""

    found: Mapping[tuple[str | None, str], Values] = field(default_factory=dict)

    def of(self, leaf: Leaf, by: str | None) -> Values:
        """group -> value of a leaf that was asked; of a period that had not begun there are no groups."""
        return self.found.get((by, wanted(leaf)), Values() if by else Values({ALL: Value(None, Reason("ahead"))}))


def ask(
    conn: Connection, formulas: Iterable[Formula], scope: Scope, bucket: Bucket | None = None
) -> Mapping[datetime, Answers]:
    """Start of each period -> the leaves of formulas: of the scope's period, or of each hour, day or month of it that
    has begun. Raises NotBrokenDown where a formula cannot be grouped as the scope says."""
    leaves: dict[str | None, dict[str, None]] = defaultdict(dict)
    for formula in formulas:
        for by, leaf in _asked(formula, scope.by):
            leaves[by][wanted(leaf)] = None
    found: dict[datetime, dict[tuple[str | None, str], Values]] = defaultdict(dict)
    period = scope.period
    how = bucket or ("level" if period.open_start else "whole")
    for by, keys in leaves.items():
        names = list(keys)
        values = (scope.root or "all", period.first, period.last, period.as_of, how, by or "", wanted_all(names))
        for place, start, group, *value in conn.execute(_LEAVES, values).fetchall():
            of_leaf = found[start].setdefault((by, names[place - 1]), Values())
            if group is None:
                of_leaf.rest = _value(*value)
            else:
                of_leaf[group] = _value(*value)
    return defaultdict(Answers, {start: Answers(answers) for start, answers in found.items()})


def _asked(formula: Formula, by: str | None) -> Iterator[tuple[str | None, Leaf]]:
    """The leaves of a formula, each with how it is grouped."""
    if isinstance(formula, UnitMean | Score) and by not in (None, "unit"):
        what = "a mean of units" if isinstance(formula, UnitMean) else "points of index 766"
        raise NotBrokenDown(f"{what} can be broken down by unit, hour, day and month only, not by {by}")
    match formula:
        case UnitMean(of):
            yield from _asked(of, "unit")
        case Score():
            for part in children(formula):
                yield from () if isinstance(part, Statement) else _asked(part, by)
        case _ if parts := children(formula):
            for part in parts:
                yield from _asked(part, by)
        case _:
            _check(formula, by)  # type: ignore[arg-type]
            yield by, formula  # type: ignore[misc]


def _check(leaf: Leaf, by: str | None) -> None:
    if by in (None, "unit"):
        return
    if isinstance(leaf, Statement):
        raise NotBrokenDown(f"{leaf.indicator} is a statement; it can be broken down by unit, hour, day and month only")
    measure = MEASURES[leaf.measure]
    if by not in measure.labels:
        known = ", ".join(("unit", "hour", "day", "month", *measure.labels))
        raise NotBrokenDown(f"{measure.name} has no label {by!r}; it has: {known}")
    if isinstance(leaf, Distinct):
        raise NotBrokenDown(f"a number of different {leaf.label} cannot be broken down by {by}")


def _value(value: Decimal | None, told: list[Any] | None, origins: list[str]) -> Value:
    # Rounded as all decimals here: quotients come with more digits.
    return Value(None if value is None else +value, _reason(*told) if told else None, frozenset(origins))


def _reason(code: Any, *named: Any) -> Reason:
    return Reason(code, *(day(date.fromisoformat(one)) if isinstance(one, str) else one for one in named))


_LEAVES = "SELECT leaf, start, grp, value, reason, origins FROM figure_leaves(%s, %s, %s, %s, %s, %s, %s::jsonb)"
