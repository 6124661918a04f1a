"""Points of index 766 from numerators and denominators: pure and exact, never a float.

A component is rounded half up to hundredths, then added: a group is the sum of its components, the total the sum of the
groups. What was not given is missing, not 0: its group and the total are incomplete then.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Literal, TypeVar

from schemas.index766.rules import Component, ComponentGroup, Grade, RuleSet

Flag = Literal["missing", "no_base", "impossible", "from_province"]
Ranked = TypeVar("Ranked", bound=Hashable)

RANKED_AS = {"ward": "commune", "township": "commune"}
"""Levels that are ranked with another; each other level is ranked by itself."""
_NOTHING = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class CountPair:
    """Numerator and denominator of a component, neither negative."""

    numerator: Decimal
    denominator: Decimal

    def __post_init__(self) -> None:
        for name in ("numerator", "denominator"):
            number: Decimal = getattr(self, name)
            if not number.is_finite() or number < 0:
                raise ValueError(f"the {name} is {number}; it counts, so it is 0 or more")

    @property
    def share(self) -> Fraction | None:
        """Numerator / denominator; None without a base."""
        return _exactly(self.numerator) / _exactly(self.denominator) if self.denominator else None


@dataclass(frozen=True, slots=True)
class ComponentScore:
    """The points of one component; without a count they are None and flagged as missing."""

    component: Component
    count: CountPair | None
    points: Decimal | None
    flags: tuple[Flag, ...]

    @property
    def share(self) -> Fraction | None:
        """Numerator / denominator; None without a base."""
        return self.count.share if self.count else None


@dataclass(frozen=True, slots=True)
class GroupScore:
    """The points of what was given of a group, and how many it could have been (`scored`) of the group's `maximum`."""

    group: ComponentGroup
    points: Decimal
    scored: Decimal
    maximum: Decimal

    @property
    def complete(self) -> bool:
        """Whether nothing of the group is missing."""
        return self.scored == self.maximum


@dataclass(frozen=True, slots=True)
class IndexScore:
    """The index of a unit, or of a group of units (which has no components of its own)."""

    rules: RuleSet
    components: tuple[ComponentScore, ...]
    groups: tuple[GroupScore, ...]
    missing: tuple[str, ...]

    @property
    def points(self) -> Decimal:
        """The points of all that was given."""
        return sum((group.points for group in self.groups), _NOTHING)

    @property
    def scored(self) -> Decimal:
        """How many points those could have been."""
        return sum((group.scored for group in self.groups), Decimal(0))

    @property
    def total(self) -> Decimal | None:
        """The index; None while a component is missing."""
        return None if self.missing else self.points

    @property
    def grade(self) -> Grade | None:
        """The grade of the total; None while a component is missing."""
        return None if self.total is None else self.rules.grade(self.total)


_exactly = lru_cache(4096)(Fraction)
"""A number as a fraction: maxima, targets and small counts come again and again."""


def half_up(value: Fraction) -> Decimal:
    """A number that is not negative in hundredths; half of one is rounded up."""
    return Decimal((200 * value.numerator + value.denominator) // (2 * value.denominator)).scaleb(-2)


def points(component: Component, count: CountPair) -> Decimal:
    """The points of a component: its maximum x share / target, never more than the maximum."""
    return half_up(exact(component, count))


def exact(component: Component, count: CountPair) -> Fraction:
    """The points of a component before they are rounded."""
    share = count.share
    if share is None:
        return Fraction(component.without_base)
    return min(_exactly(component.maximum), share * _full(component.maximum, component.target))


@lru_cache
def _full(maximum: Decimal, target: Decimal) -> Fraction:
    """The points of a share of one, had it no maximum."""
    return Fraction(maximum) / Fraction(target)


def score(
    rules: RuleSet, counts: Mapping[str, CountPair], province: Mapping[str, CountPair] | None = None
) -> IndexScore:
    """The index of a unit from its counts by metric.

    With those of its `province`, the components of publication are the province's own: so it is for a unit below it.
    KeyError for a metric that is none of the rule set's.
    """
    if unknown := counts.keys() - rules.components.keys():
        raise KeyError(min(unknown))
    components = tuple(_component_score(one, counts, province) for one in rules.components.values())
    groups = tuple(_group_score(group, components) for group in rules.groups)
    return IndexScore(rules, components, groups, tuple(c.component.metric for c in components if c.count is None))


def _component_score(
    component: Component, counts: Mapping[str, CountPair], province: Mapping[str, CountPair] | None
) -> ComponentScore:
    lent = province if component.from_province else None
    count = (counts if lent is None else lent).get(component.metric)
    if count is None:
        return ComponentScore(component, None, None, ("missing",))
    return ComponentScore(component, count, points(component, count), tuple(_flags(count, lent is not None)))


def _flags(count: CountPair, borrowed: bool) -> Iterator[Flag]:
    if not count.denominator:
        yield "no_base"
    if count.numerator > count.denominator:
        yield "impossible"
    if borrowed:
        yield "from_province"


def _group_score(group: ComponentGroup, components: Collection[ComponentScore]) -> GroupScore:
    own = [one for one in components if one.component.group == group.code]
    given = [one for one in own if one.points is not None]
    return GroupScore(
        group,
        sum((one.points for one in given if one.points is not None), _NOTHING),
        sum((one.component.maximum for one in given), Decimal(0)),
        sum((one.component.maximum for one in own), Decimal(0)),
    )


def mean(scores: Sequence[IndexScore]) -> IndexScore:
    """The index of a group of provinces or units: the mean of each group of components, rounded half up, then added.

    What one of them lacks, the group of units lacks. ValueError without any, or where rules differ.
    """
    if not scores or any(one.rules != scores[0].rules for one in scores):
        raise ValueError("a mean is taken over units that were scored by the same rules")
    lacking = {metric for one in scores for metric in one.missing}
    missing = tuple(metric for metric in scores[0].rules.components if metric in lacking)
    groups = tuple(_mean_of_group(parts) for parts in zip(*(one.groups for one in scores), strict=True))
    return IndexScore(scores[0].rules, (), groups, missing)


def _mean_of_group(parts: Sequence[GroupScore]) -> GroupScore:
    group, maximum = parts[0].group, parts[0].maximum
    if not all(part.complete for part in parts):
        return GroupScore(group, _NOTHING, Decimal(0), maximum)
    whole = sum((Fraction(part.points) for part in parts), Fraction(0))
    return GroupScore(group, half_up(whole / len(parts)), maximum, maximum)


def ranked_as(level: str) -> str:
    """The level among whose units one of this level is ranked: wards and townships are communes."""
    return RANKED_AS.get(level, level)


def ranks(totals: Mapping[Ranked, Decimal | None], levels: Mapping[Ranked, str]) -> dict[Ranked, int]:
    """Ranks 1-2-2-4 of units by their totals, each level by itself; what has no total has no rank.

    `levels`: the level of each unit; those without one are ranked among themselves.
    """
    fields: dict[str, dict[Ranked, Decimal]] = {}
    for unit, total in totals.items():
        if total is not None:
            fields.setdefault(ranked_as(levels.get(unit, "")), {})[unit] = total
    return {
        unit: 1 + sum(other > total for other in field.values())
        for field in fields.values()
        for unit, total in field.items()
    }
