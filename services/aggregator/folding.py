"""What a batch changes, computed without a database: facts joined to the entities they touch, and the points that
come and go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from schemas.calendar_history import CalendarHistory
from schemas.daily import Daily
from schemas.envelope import EntityRef, Event
from schemas.fold import Fact, Folded, Note, Point, day_start, in_order
from schemas.registry import FOLDS
from schemas.retraction import DailyRetraction


class StoredEntity(NamedTuple):
    """An entity as stored: `version` counts its changes (0: not stored yet); `points` where they are still known.

    `cases`: the ids of the further cases under its number; the facts are those of all.
    """

    version: int
    facts: Sequence[Fact]
    points: Sequence[Point] | None = None
    cases: tuple[str, ...] = ()


NEW = StoredEntity(0, ())


@dataclass(slots=True)
class Change:
    """An entity's next version, with the points to delete and to insert."""

    ref: EntityRef
    version: int
    facts: list[Fact]
    folded: Folded
    removed: list[Point]
    added: list[Point]
    gone: list[str]
    """The further cases that there are no more."""

    @property
    def stored(self) -> StoredEntity:
        """What is stored once this change is."""
        return StoredEntity(self.version + 1, self.facts, self.folded.points, tuple(self.folded.cases))


def entity_rows(
    ref: EntityRef, facts: Sequence[Fact], folded: Folded
) -> Iterator[tuple[str, str, Folded, Sequence[Fact]]]:
    """The rows that keep an entity: kind, id, state and facts of the case that bears the number, and of each further
    one."""
    yield *ref, folded, folded.facts or facts
    for id, case in folded.cases.items():
        yield ref.kind, id, case, case.facts or ()


def notes_json(notes: Iterable[Note]) -> list[dict[str, Any]]:
    """What is noted of an entity as it lies in the database."""
    return [
        {"code": n.code, "key": n.key, "time": n.time.isoformat(), "unit": n.unit}
        | ({"said": n.said} if n.said else {})
        for n in notes
    ]


def facts_of(event: Event) -> dict[EntityRef, Fact]:
    """The fact that an event is for each entity it touches."""
    fact = Fact(event.time, event.key.hex, event.data.event, event.unit, event.origin, event.fields, event.shiftdays)
    return dict.fromkeys(event.touches, fact)


def earliest(event: Event) -> datetime:
    """The first instant whose figures an event may move: its time, or the beginning of the day that it reports on."""
    if isinstance(event.data, Daily | DailyRetraction):
        return min(event.time, day_start(event.data.day.isoformat()))
    return event.time


def fold(ref: EntityRef, facts: Sequence[Fact], calendars: CalendarHistory) -> Folded:
    """The state and points of an entity from its facts (`in_order`), points of one place summed into one."""
    folded = FOLDS[ref.kind](ref.id, facts, calendars)
    folded.points = _summed(folded.points)
    return folded


def _summed(points: list[Point]) -> list[Point]:
    sums: dict[tuple[Any, ...], Decimal | int] = {}
    for point in points:
        place = point[:6]
        sums[place] = sums.get(place, 0) + point.value
    if len(sums) == len(points):
        return points
    # What cancels itself out at one instant has not happened; a single zero was reported as such.
    several = Counter(point[:6] for point in points)
    return [Point._make((*place, value)) for place, value in sums.items() if value or several[place] == 1]


def change(
    ref: EntityRef, stored: StoredEntity, incoming: Iterable[Fact], before: CalendarHistory, after: CalendarHistory
) -> Change | None:
    """The change that new facts (or another calendar) make to an entity; None where nothing changes."""
    facts = in_order({f.key: f for f in (*incoming, *stored.facts)}.values())
    if len(facts) == len(stored.facts) and before is after:
        return None
    folded = fold(ref, facts, after)
    if not stored.facts:
        return Change(ref, stored.version, facts, folded, [], folded.points, [])
    held_points = stored.points if stored.points is not None else fold(ref, stored.facts, before).points
    old, new = set(held_points), set(folded.points)
    gone = [id for id in stored.cases if id not in folded.cases]
    return Change(ref, stored.version, facts, folded, list(old - new), list(new - old), gone)
