"""The index of units, each with its rank among its like: as files give their counts, or as events and reports do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from schemas import units as administrative
from schemas.index766.counts import UnitCounts, read
from schemas.index766.rules import RuleSet
from schemas.index766.scoring import CountPair, IndexScore, mean, ranked_as, ranks, score
from schemas.text import files

if TYPE_CHECKING:
    from schemas.economy import Stated


@dataclass(frozen=True)
class ScoredUnit:
    """The index of a unit; `unit` is its code, or its name in a file, "" for what has none. Of a group of units, whose
    `level` is "group", the score has no components."""

    from_events: ClassVar[bool] = False

    unit: str
    level: str
    score: IndexScore
    rank: int | None = field(default=None, kw_only=True)

    @property
    def reasons(self) -> Mapping[str, str]:
        """metric -> why the events give no count of it."""
        return {}

    @property
    def origins(self) -> frozenset[str]:
        """The origins of its data."""
        return frozenset()

    def basis(self, metric: str) -> str:
        """Whether a component is `counted` from events, `reported`, or `missing`; "" of a file."""
        return ""

    def stated(self, metric: str) -> Stated | None:
        """The statement that a component rests on."""
        return None


def read_units(file: Path, rules: RuleSet) -> dict[str, UnitCounts]:
    """The counts in a file by unit, see `counts.read`; also OSError."""
    return read(files.lines(files.read(file)), str(file), rules.components)


def read_unit(file: Path, rules: RuleSet) -> Mapping[str, CountPair]:
    """The counts of a file of one unit; ValueError where it has several."""
    units = read_units(file, rules)
    if len(units) > 1:
        raise ValueError(f"{file} has {len(units)} units, {', '.join(units)}; one is needed here")
    (only,) = units.values()
    return only.counts


def read_province(file: Path, rules: RuleSet) -> Mapping[str, CountPair]:
    """The province's own counts, of which those of publication are its units'; ValueError where it lacks these."""
    counts = read_unit(file, rules)
    if missing := [m for m, c in rules.components.items() if c.from_province and m not in counts]:
        raise ValueError(f"{file} lacks {', '.join(missing)}, which units below the province have of it")
    return counts


def scored(
    rules: RuleSet, units: Mapping[str, UnitCounts], province: Mapping[str, CountPair] | None, day: date
) -> list[ScoredUnit]:
    """Each unit with its rank, in the order of the file; a level that the file does not name is that of `day`."""
    levels = {name: unit.level or _level(name, day) for name, unit in units.items()}
    scores = {
        name: score(rules, unit.counts, None if levels[name] == "province" else province)
        for name, unit in units.items()
    }
    places = ranks({name: one.total for name, one in scores.items()}, levels) if len(units) > 1 else {}
    return [ScoredUnit(name, levels[name], one, rank=places.get(name)) for name, one in scores.items()]


def _level(name: str, day: date) -> str:
    """The level by the table of units; "" for a unit that it does not know."""
    try:
        return administrative.find(name, day).on(day).level if name else ""
    except administrative.UnknownUnit:
        return ""


def together(units: Sequence[ScoredUnit], file: str) -> ScoredUnit:
    """All units of a file as a group; ValueError where they are one, or of several levels."""
    if len(units) == 1:
        raise ValueError(f"{file} has one unit; a group has several, named in a column `unit`")
    if len(levels := dict.fromkeys(ranked_as(unit.level) for unit in units)) > 1:
        named = ", ".join(level or "unknown" for level in levels)
        raise ValueError(f"{file} has units of several levels ({named}); a mean is taken over units of one")
    return ScoredUnit("", "group", mean([unit.score for unit in units]))
