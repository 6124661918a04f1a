"""The rule sets of index 766: components with their maximum and target, groups and grades, from the tables beside."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

from schemas.text import dates, files

COLUMNS = (
    "metric", "rules", "group", "maximum", "target", "without_base", "counts", "from_province",
    "vi", "en", "numerator_vi", "numerator_en", "denominator_vi", "denominator_en",
    "numerator_indicator", "denominator_indicator",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Component:
    """One of the 21 components; the share that is its `target` or more gives its `maximum` of points.

    `metric`: as the portal calls it. `without_base`: its points where the denominator is 0. `whole`: its numerator and
    denominator count things. `from_province`: a unit below the province has its province's own. `numerator_indicator`
    and `denominator_indicator`: the figures of the catalogue that are the same: counted from events, or as reported.
    """

    metric: str
    group: str
    maximum: Decimal
    target: Decimal
    without_base: Decimal
    whole: bool
    from_province: bool
    vi: str
    en: str
    numerator_vi: str
    numerator_en: str
    denominator_vi: str
    denominator_en: str
    numerator_indicator: str
    denominator_indicator: str

    @property
    def formula(self) -> str:
        """The points by the share r, as the decision writes them."""
        if self.target == 1:
            return f"{self.maximum}r"
        return f"min({self.maximum}, {self.maximum}r/{self.target})"


@dataclass(frozen=True, slots=True)
class ComponentGroup:
    """A group of components: its points are the sum of theirs."""

    code: str
    vi: str
    en: str


@dataclass(frozen=True, slots=True)
class Grade:
    """What a total of so many points or more is called."""

    code: str
    points: Decimal
    vi: str
    en: str


@dataclass(frozen=True)
class RuleSet:
    """How the index is computed; `valid_from` and `valid_to` are both inclusive, None is open."""

    code: str
    vi: str
    en: str
    valid_from: date
    valid_to: date | None
    components: Mapping[str, Component]
    groups: tuple[ComponentGroup, ...]
    grades: tuple[Grade, ...]

    def grade(self, total: Decimal) -> Grade:
        """The grade that a whole total reaches."""
        return next(grade for grade in self.grades if total >= grade.points)


class NoRules(ValueError):
    """No rule set has this code on this day; the message names those that there are."""


def rule_set(code: str, day: date) -> RuleSet:
    """The rule set of that code that is valid on a local day."""
    for rules in rule_sets():
        if rules.code == code and rules.valid_from <= day and (rules.valid_to is None or day <= rules.valid_to):
            return rules
    there = ", ".join(f"{rules.code} from {dates.day(rules.valid_from)}{_until(rules)}" for rules in rule_sets())
    raise NoRules(f"index 766 has no rules {code!r} on {dates.day(day)}; there are: {there}")


def _until(rules: RuleSet) -> str:
    return f" to {dates.day(rules.valid_to)}" if rules.valid_to else ""


@cache
def rule_sets() -> tuple[RuleSet, ...]:
    """All rule sets, in the order of the table."""
    tables, rows = tomllib.loads(_text("rules.toml")), _rows()
    groups = tuple(ComponentGroup(**group) for group in tables["groups"])
    grades = tuple(Grade(**{**grade, "points": Decimal(grade["points"])}) for grade in tables["grades"])
    return tuple(
        RuleSet(
            **{"valid_to": None, **rules},
            components={row["metric"]: _component(row) for row in rows if row["rules"] in ("", rules["code"])},
            groups=groups,
            grades=grades,
        )
        for rules in tables["rules"]
    )


@cache
def flags() -> Mapping[str, tuple[str, str]]:
    """What may have to be said of a component, in Vietnamese and English."""
    return {code: (vi, en) for code, (vi, en) in tomllib.loads(_text("rules.toml"))["flags"].items()}


def _rows() -> list[dict[str, str]]:
    return [row for _, row in files.rows(files.lines(_text("components.csv")), "components.csv", COLUMNS)]


def _component(row: Mapping[str, str]) -> Component:
    numbers = {name: Decimal(row[name]) for name in ("maximum", "target", "without_base")}
    words: dict[str, Any] = {name: text for name, text in row.items() if name not in ("rules", "counts")}
    return Component(
        **{**words, **numbers, "whole": row["counts"] == "whole", "from_province": row["from_province"] == "1"}
    )


def _text(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
