"""What is noted of facts beside the figures: what was told twice, otherwise, too late, or does not add up.

An accepted event moves a figure, or changes what is shown of its case at its own moment, or is noted here, or waits for
a beginning (then its entity has none). Which of them moved nothing is found by folding without them, but for those that
are known to have moved something. What is noted can be looked up: `readings.findings` turns it into findings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from schemas.calendar_history import CalendarHistory
from schemas.fold import Fact, Fold, Folded, Latest, Note, in_order
from schemas.retraction import RETRACTED, in_letters, is_retraction, retractions
from schemas.sources import NOTICES

NOTES = ("repeated", "contradicted", "ambiguous", "superseded")
"""What any kind may note; a kind may have more of its own. What was taken back is noted too, and is no finding."""

MOST = 50
"""So many facts of a case are looked into by folding without them; of more, those that repeat an event are noted."""
Shows = Callable[[Fact, bool, bool, Folded], bool]
"""(a fact that bears no point and says something new of a case that has begun, whether it is the first of its event,
whether the case had not ended, the fold) -> whether it is known to have changed what was shown of its case."""
Check = Callable[[Sequence[Fact], Folded], Iterator[Note]]
"""What else is to be noted of a case."""


def _nothing(fact: Fact, first: bool, under_way: bool, folded: Folded) -> bool:
    return False


def shown_steps(events: Iterable[str]) -> Shows:
    """`Shows` where the first of each of these events, before an end, is the status of its case."""
    shown_as = frozenset(events)
    return lambda fact, first, under_way, folded: first and under_way and fact.event in shown_as


@dataclass(frozen=True)
class Noted:
    """A kind's fold with what is to be noted. Of several `opens` the first counts, and the fold sees no other.

    `ends`: events after which it may be over. `beside`: whether a fact counts in another entity, so that it needs no
    effect here. `rank`: see `schemas.fold.in_order`.
    """

    fold: Fold
    opens: str | None = None
    ends: frozenset[str] = frozenset()
    beside: Callable[[str, Fact], bool] = lambda id, fact: False
    rank: dict[str, int] | None = None
    shows: Shows = _nothing
    checks: tuple[Check, ...] = ()

    def __call__(self, id: str, facts: Sequence[Fact], calendars: CalendarHistory) -> Folded:
        """See `schemas.fold.Fold`."""
        if len(facts) == 1:
            return self._checked(facts, self.fold(id, facts, calendars))
        openings = sorted(f for f in facts if f.event == self.opens)
        if again := openings[1:]:
            keys = {f.key for f in again}
            facts = [f for f in facts if f.key not in keys]
        folded = self.fold(id, facts, calendars)
        folded.notes += [_note(f, openings[:1]) for f in again]
        folded.notes += self._without_effect(id, facts, folded, calendars)
        return self._checked(facts, folded)

    def _checked(self, facts: Sequence[Fact], folded: Folded) -> Folded:
        for check in self.checks:
            folded.notes += check(facts, folded)
        return folded

    def _without_effect(
        self, id: str, facts: Sequence[Fact], folded: Folded, calendars: CalendarHistory
    ) -> Iterator[Note]:
        counted = {point.key for point in folded.points}
        silent = {f.key for f in facts if f.key not in counted and not self.beside(id, f)}
        if not silent or folded.opened_at is None:
            return
        if len(facts) <= MOST and all(f.key not in silent or self._plain_step(f, facts, folded) for f in facts):
            return
        ordered, noticed, looked = in_order(facts, self.rank), dict[str, list[Fact]](), 0
        for place, fact in enumerate(ordered):
            over = not self.ends.isdisjoint(noticed)
            same = noticed.setdefault(fact.event, [])
            known = folded.opened_at <= fact.time and _is_new(fact, same)
            if fact.key in silent and not (known and self.shows(fact, not same, not over, folded)):
                looked += 1
                if looked > MOST or not self._moves(id, ordered, place, calendars):
                    yield _note(fact, same)
            same.append(fact)

    def _plain_step(self, fact: Fact, facts: Sequence[Fact], folded: Folded) -> bool:
        """The usual case, told without putting the facts into order: the only one of its event, and known to show."""
        if folded.opened_at is None or fact.time < folded.opened_at or sum(f.event == fact.event for f in facts) > 1:
            return False
        return self.shows(fact, True, not any(f.event in self.ends and f.time <= fact.time for f in facts), folded)

    def _moves(self, id: str, ordered: Sequence[Fact], place: int, calendars: CalendarHistory) -> bool:
        """Whether the case was shown otherwise with this fact, when nothing later was known yet."""
        return shown(self.fold, id, ordered[:place], calendars) != shown(self.fold, id, ordered[: place + 1], calendars)


@dataclass(frozen=True)
class Revised:
    """A fold of what is reported as a whole, of which the highest revision counts, with what is to be noted: reports
    of one revision that say the same, or not; and those that came when a higher revision was there.

    What was taken back is not seen by the fold, unless it tells the past itself (`tells_past`).
    """

    fold: Fold
    tells_past: bool = False

    def __call__(self, id: str, facts: Sequence[Fact], calendars: CalendarHistory) -> Folded:
        """See `schemas.fold.Fold`."""
        if not any(is_retraction(fact.event) for fact in facts):
            folded = self.fold(id, facts, calendars)
            if len(facts) > 1:
                folded.notes += _of_revisions(facts)
            return folded
        return self._taken_back(id, facts, calendars)

    def _taken_back(self, id: str, facts: Sequence[Fact], calendars: CalendarHistory) -> Folded:
        reports, gone = [f for f in facts if not is_retraction(f.event)], retractions(facts)
        standing = [f for f in reports if f.key not in gone]
        if self.tells_past and reports:
            folded = self.fold(id, facts, calendars)
        elif standing:
            folded = self.fold(id, standing, calendars)
        else:
            last = (reports or facts)[-1]
            folded = Folded(last.unit, last.origin, RETRACTED if reports else "awaited")
        if gone:
            folded.state = {**folded.state, RETRACTED: len(gone)}
        folded.notes += _of_revisions(standing)
        folded.notes += _of_retractions(facts, gone)
        return folded


def _of_retractions(facts: Sequence[Fact], gone: Mapping[str, datetime]) -> Iterator[Note]:
    """What counts no more; and of what took nothing back, that it came too early, or again."""
    moments, done = {in_letters(key): moment for key, moment in gone.items()}, set[str]()
    for fact in facts:
        if fact.key in gone:
            yield Note(RETRACTED, fact.key, fact.time, fact.unit)
        elif is_retraction(fact.event):
            report = fact.data["report"]
            if fact.time < moments.get(report, _NEVER):
                yield Note("superseded", fact.key, fact.time, fact.unit)
            elif report in done:
                yield Note("repeated", fact.key, fact.time, fact.unit)
            else:
                done.add(report)


_NEVER = datetime.max.replace(tzinfo=UTC)


def _of_revisions(facts: Sequence[Fact]) -> Iterator[Note]:
    ordered = sorted(facts, key=lambda f: (-_revision(f), f.time, f.key))
    corrected_at: datetime | None = None
    for _, group in groupby(ordered, key=_revision):
        *others, counts = group
        yield from (_note(f, [counts]) for f in others)
        if corrected_at and counts.time >= corrected_at:
            yield Note("superseded", counts.key, counts.time, counts.unit)
        first = min(f.time for f in (*others, counts))
        corrected_at = min(first, corrected_at or first)


def _revision(fact: Fact) -> int:
    return int(fact.data.get("revision", 0))


def shown(fold: Fold, id: str, facts: Sequence[Fact], calendars: CalendarHistory) -> Folded | None:
    """What these facts show of a case; None before it is opened."""
    folded = fold(id, sorted(facts), calendars) if facts else None
    return replace(folded, notes=[], points=sorted(folded.points)) if folded and folded.opened_at else None


def _is_new(fact: Fact, same: Sequence[Fact]) -> bool:
    return all(f.data != fact.data and _differences(f.data, fact.data) for f in same)


def _note(fact: Fact, same: Sequence[Fact]) -> Note:
    """Of a fact that moved nothing: it repeats one of the `same` event, contradicts the first, or comes too late, as do
    notices of several stages that a history overtook."""
    if not _is_new(fact, same):
        return Note("repeated", fact.key, fact.time, fact.unit)
    if not same or fact.event in NOTICES:
        return Note("superseded", fact.key, fact.time, fact.unit)
    return Note("contradicted", fact.key, fact.time, fact.unit, _differences(same[0].data, fact.data))


def _differences(counts: dict[str, Any], other: dict[str, Any]) -> dict[str, list[Any]]:
    names = dict.fromkeys((*counts, *other))
    return {n: [counts.get(n), other.get(n)] for n in names if not _equal(counts.get(n), other.get(n))}


def _equal(one: Any, other: Any) -> bool:
    """Whether two values are the same; a number with decimals is a text, and `12.50` is `12.5`."""
    if one == other or not (isinstance(one, str) and isinstance(other, str)):
        return bool(one == other)
    return bool(_NUMBER.fullmatch(one) and _NUMBER.fullmatch(other) and Decimal(one) == Decimal(other))


_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:E[+-]?\d+)?", re.ASCII)


def latest(values: dict[str, str | None], *more: Any) -> Revised:
    """The fold of something that is reported as a whole, see `schemas.fold.Latest`."""
    return Revised(Latest(values, *more))
