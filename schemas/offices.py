"""Whose number it is: receipts, reports, incidents and the like are numbered by each office for itself.

What bears one number is kept together, as nobody knows beforehand who else used it, and parted here: each office that
opened the number has a case of its own. A step told by another unit belongs to the case that was handed to it, else to
the one of its predecessors or of units below it, else to the only one there is; where that leaves several, it is
ambiguous and moves nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from schemas import units
from schemas.calendar_history import CalendarHistory
from schemas.fold import Fact, Fold, Folded, Lifecycle, Note, as_known
from schemas.notes import Noted

SEPARATOR = "@"
"""Behind a number: the office whose case it is, where it is not the one that used the number first."""
MOST_TURNS = 200
"""Offices and handings over of one number of which the past is kept as it was known; there is no honest number with so
many, and each costs a fold."""
HANDS_TO = ("to_unit", "ward")
"""The fields that name the unit which has a case in hand from then on."""


def number_of(text: str) -> str:
    """An id, or a text with one in it, with the number as it was given, whichever case of it is meant."""
    return _OFFICE.sub("", text)


_OFFICE = re.compile(rf"{SEPARATOR}[a-z0-9_]*")


def case_id(number: str, office: str) -> str:
    """How a further case of a number is kept."""
    return f"{number}{SEPARATOR}{office}"


@dataclass(frozen=True)
class ByOffice:
    """A kind's fold for each office's case of a number; `opens` is the event by which an office begins one."""

    fold: Fold
    opens: str

    def __call__(self, id: str, facts: Sequence[Fact], calendars: CalendarHistory) -> Folded:
        """See `schemas.fold.Fold`. Nearly always one office has given the number, and nothing is to be parted."""
        if len({f.unit for f in facts if f.event == self.opens}) < 2:
            return self.fold(number_of(id), facts, calendars)
        first, *others = (self._case(id, office, part, calendars) for office, part in self.parted(facts).items())
        first.points = as_known(
            lambda known: self._points(id, known, calendars), facts, list(self._turns(facts))
        ).points
        first.cases = {case_id(id, case.state.get("office", "")): case for case in others}
        return first

    def parted(self, facts: Sequence[Fact]) -> dict[str, list[Fact]]:
        """Office -> the facts of its case, in the order of their openings; `""` -> those of none."""
        found: dict[str, list[Fact]] = {f.unit: [] for f in facts if f.event == self.opens}
        handed = self._handed(facts, tuple(found))
        for fact in facts:
            cases = _cases_of(fact, tuple(found), handed)
            found.setdefault(next(iter(cases)) if len(cases) == 1 else "", []).append(fact)
        if "" in found:
            found[""] = found.pop("")
        return found

    def _case(self, id: str, office: str, facts: list[Fact], calendars: CalendarHistory) -> Folded:
        case = self.fold(id, facts, calendars)
        case.facts = facts
        if office:
            case.state = {**case.state, "office": office}
            return case
        notes = [*case.notes, *(Note("ambiguous", f.key, f.time, f.unit) for f in facts)]
        return replace(case, status="ambiguous", state={}, notes=notes)

    def _points(self, id: str, facts: Sequence[Fact], calendars: CalendarHistory) -> Folded:
        parts = [self.fold(id, part, calendars) for part in self.parted(facts).values()]
        return replace(parts[0], points=[point for part in parts for point in part.points])

    def _handed(self, facts: Sequence[Fact], offices: tuple[str, ...]) -> dict[str, set[str]]:
        """Unit -> the offices whose cases were handed to it, by others that had them in hand too."""
        handed: dict[str, set[str]] = defaultdict(set)
        moves = [(f, f.data[name]) for f in facts for name in HANDS_TO if name in f.data]
        growing = True
        while growing:
            before = sum(map(len, handed.values()))
            for fact, to in moves:
                handed[to] |= _cases_of(fact, offices, handed)
            growing = sum(map(len, handed.values())) > before
        return handed

    def _turns(self, facts: Sequence[Fact]) -> Iterator[Fact]:
        """The facts that tell to whom earlier ones belong: the first of each office, and each first handing over."""
        seen = set[tuple[str, str]]()
        for fact in facts:
            tells = {(fact.unit, fact.data[name]) for name in HANDS_TO if name in fact.data}
            tells |= {(fact.unit, "")} if fact.event == self.opens else set()
            if not seen.issuperset(tells) and len(seen) < MOST_TURNS:
                seen |= tells
                yield fact


def numbered(fold: Fold, opens: str, **more: Any) -> ByOffice:
    """The fold of a kind that offices number for themselves, and of which the first opening counts."""
    return ByOffice(Noted(fold, opens, **more), opens)


def lifecycle(opens: str, **more: Any) -> ByOffice:
    """The fold of something numbered that opens and closes, see `schemas.fold.Lifecycle`."""
    return numbered(Lifecycle(opens=opens, **more), opens)


def _cases_of(fact: Fact, offices: tuple[str, ...], handed: dict[str, set[str]]) -> set[str]:
    """The offices whose cases a fact may be about; one, if it is told of one case."""
    named = fact.data.get("office")
    for office in (named, fact.unit):
        if office in offices:
            return {office}
    if in_hand := handed.get(fact.unit):
        return set(in_hand)
    inherited = {office for office in offices if office in _scope(fact.unit)}
    return inherited or (set(offices) if len(offices) < 2 else set())


def _scope(unit: str) -> frozenset[str]:
    try:
        return units.scope(unit)
    except units.UnknownUnit:
        return frozenset()
