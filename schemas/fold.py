"""From events to state and figures: the vocabulary of the folds, and the two folds that most kinds of entity share.

An entity (a dossier, a payment, a school's attendance on a day) is the *set* of its facts. A fold is a pure function of
that set, sorted, so the order of arrival, repetition and batching cannot matter. It gives the entity's state and the
points it adds to the series; a rollup is nothing but a sum of points.

The points up to a moment follow from the facts up to that moment: what happens later adds points, it never changes the
ones before. So a reading as of a past moment is what was so then. (A report about a whole day is the exception, see
`Latest`: it counts in its day, whenever it came.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

from schemas.calendar import VN
from schemas.calendar_history import CalendarHistory


class Fact(NamedTuple):
    """What an entity remembers of one event. `data` holds JSON values."""

    time: datetime
    key: str
    event: str
    unit: str
    origin: str
    data: dict[str, Any]
    shiftdays: int = 0


Labels = tuple[tuple[str, str], ...]


class Point(NamedTuple):
    """One contribution to one series. `key` names the event that justifies it; `value` is exact."""

    measure: str
    unit: str
    origin: str
    labels: Labels
    time: datetime
    key: str
    value: int | Decimal


class Note(NamedTuple):
    """What has to be said of a fact beside the figures: it was told before (`repeated`), otherwise than before
    (`contradicted`), … see `schemas.notes`. `said`: field -> [what counts, what this fact says]."""

    code: str
    key: str
    time: datetime
    unit: str
    said: dict[str, list[Any]] | None = None


@dataclass(slots=True)
class Folded:
    """An entity's state: what worklists and deadlines index, `state` for the rest, its points, and what is noted.

    Where several offices gave one number, `facts` are those of this case, `cases` the further ones by their ids, and
    the points those of all.
    """

    unit: str
    origin: str
    status: str
    opened_at: datetime | None = None
    due_at: datetime | None = None
    ended_at: datetime | None = None
    notice_at: datetime | None = None
    state: dict[str, Any] = field(default_factory=dict)
    points: list[Point] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    facts: Sequence[Fact] | None = None
    cases: dict[str, Folded] = field(default_factory=dict)


Fold = Callable[[str, Sequence[Fact], CalendarHistory], Folded]
"""(entity id, its facts sorted by `in_order`, the calendar history) -> state and points."""


@dataclass(frozen=True)
class Measure:
    """One thing that is counted or summed. `labels` are closed sets, never ids; `unit` is a unit of measurement."""

    name: str
    unit: str
    labels: tuple[str, ...]
    vi: str
    en: str
    covered_by: tuple[str, ...] = ()
    """The measures that show that a unit reports at all, so that no point means 0 and not unknown; default: any of the
    system. Not those that get points by the mere passing of time."""


def in_order(facts: Iterable[Fact], rank: dict[str, int] | None = None) -> list[Fact]:
    """Facts by time, then by their place in the life of the entity, then by the date they promise (who names two at
    once is held to the earlier), then by key: one order for one set."""
    if rank is None:
        return sorted(facts)  # a fact begins with its time and key
    return sorted(facts, key=lambda f: (f.time, rank.get(f.event, 99), f.data.get("promised_at") or "", f.key))


def as_known(fold: Callable[[Sequence[Fact]], Folded], facts: Sequence[Fact], turns: Sequence[Fact]) -> Folded:
    """Fold sorted facts of which some, the `turns`, contradict what followed from the ones before them.

    Up to a turn the points are those of the facts before it; at the turn the sums are corrected; from it on they follow
    from the facts with it. Between turns `fold` itself must not look ahead.
    """
    # The first turn of a moment stands for all of that moment; at the very first there is nothing to correct.
    moments = {turn.time: turn for turn in reversed(turns) if turn.time > facts[0].time}
    folded = fold(facts)
    if moments:
        folded.points = list(_corrected(fold, facts, [moments[time] for time in sorted(moments)]))
    return folded


def _corrected(
    fold: Callable[[Sequence[Fact]], Folded], facts: Sequence[Fact], turns: Sequence[Fact]
) -> Iterator[Point]:
    said: list[Point] = []
    for turn, following in pairwise([None, *turns, None]):
        known = fold([f for f in facts if not following or f.time < following.time]).points
        if turn:
            yield from _corrections(said, known, turn)
        for p in known:
            if (not turn or p.time >= turn.time) and (not following or p.time < following.time):
                yield p
        said = known


def _corrections(said: Iterable[Point], known: Iterable[Point], turn: Fact) -> Iterator[Point]:
    """What brings the sums as they were said before the turn to what they are now known to have been."""
    sums: Counter[tuple[str, str, str, Labels]] = Counter()
    for sign, points in ((1, known), (-1, said)):
        for p in points:
            if p.time < turn.time:
                sums[p[:4]] += sign * p.value  # type: ignore[assignment]
    return (Point(*series, turn.time, turn.key, value) for series, value in sums.items() if value)


def instant(text: str) -> datetime:
    """A JSON instant -> aware datetime."""
    return datetime.fromisoformat(text)


def day_start(text: str) -> datetime:
    """A JSON date -> the local midnight it begins with (UTC)."""
    return datetime.combine(datetime.fromisoformat(text).date(), time(), VN).astimezone(UTC)


def shift_of(head: Fact) -> dict[str, int]:
    """The part of a state that says by how many days a shifted entity's events were shifted; empty for others."""
    return {"shiftdays": head.shiftdays} if head.shiftdays else {}


def labels_of(data: dict[str, Any], names: Iterable[str]) -> Labels:
    """The named fields as labels, sorted by name; a field that is not there is `none`."""
    return tuple((name, label(data.get(name))) for name in sorted(names))


def label(value: Any) -> str:
    """A field's value as a label: yes or no, the text, or `none`."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def verdict(score: int) -> str:
    """A rating of 1 (worst) to 5 as a label."""
    return "satisfied" if score >= 4 else "neutral" if score == 3 else "dissatisfied"


@dataclass(frozen=True)
class Latest:
    """Fold of something reported as a whole, maybe corrected: the highest revision counts, in the bucket of its day.

    `values` maps a measure to the field that holds its value (None: the measure counts 1); a field that is absent adds
    nothing. `labels` are the label fields of all these measures. `day` is the field with the day that the report is
    about, `hour` the one with the hour of that day (0 to 23); a reading as of before the report was sent shows it too.
    """

    values: dict[str, str | None]
    labels: tuple[str, ...] = ()
    day: str | None = None
    hour: str | None = None

    def __call__(self, id: str, facts: Sequence[Fact], calendars: CalendarHistory) -> Folded:
        """See `Fold`."""
        last = max(facts, key=lambda f: (f.data.get("revision", 0), f.time, f.key))
        at = self._when(last.data, facts[0].time)
        folded = Folded(last.unit, last.origin, "reported", opened_at=at, ended_at=at, state=last.data)
        labels = labels_of(last.data, self.labels)
        for measure, name in self.values.items():
            value = 1 if name is None else last.data.get(name)
            if value is not None:
                exact = value if isinstance(value, int) else Decimal(value)
                folded.points.append(Point(measure, last.unit, last.origin, labels, at, last.key, exact))
        return folded

    def _when(self, data: dict[str, Any], first: datetime) -> datetime:
        if self.day is None:
            return first
        return day_start(data[self.day]) + timedelta(hours=data[self.hour] if self.hour else 0)


@dataclass(frozen=True)
class Lifecycle:
    """Fold of something that opens and closes: an alert, an outage, an outbreak.

    Points: `<opened>` at the first opening, `<closed>` at the end, `<steps>[event]` at the first of each other event;
    `<minutes>` measures give the whole minutes from opening to that event. A close before or without its opening adds
    nothing until the opening is known. `labels` are fields of the opening, put on every point.
    """

    opens: str
    closes: str
    opened: str
    closed: str
    labels: tuple[str, ...] = ()
    steps: dict[str, str] = field(default_factory=dict)
    minutes: dict[str, str] = field(default_factory=dict)

    def __call__(self, id: str, facts: Sequence[Fact], calendars: CalendarHistory) -> Folded:
        """See `Fold`."""
        first: dict[str, Fact] = {}
        for fact in facts:
            first.setdefault(fact.event, fact)
        start, end = first.get(self.opens), first.get(self.closes)
        head = start or facts[0]
        state = {**head.data, **(end.data if end else {})}
        folded = Folded(head.unit, head.origin, _status(first, self.closes), state=state)
        if start is None:
            return folded
        folded.opened_at, folded.ended_at = start.time, max(end.time, start.time) if end else None
        labels = labels_of(start.data, self.labels)
        for event, measure in {self.opens: self.opened, self.closes: self.closed, **self.steps}.items():
            if event in first:
                folded.points.append(_point(measure, start, first[event], labels, 1))
        for event, measure in self.minutes.items():
            if event in first:
                waited = max(int((first[event].time - start.time).total_seconds()) // 60, 0)
                folded.points.append(_point(measure, start, first[event], labels, waited))
        return folded


def _point(measure: str, start: Fact, fact: Fact, labels: Labels, value: int) -> Point:
    return Point(measure, start.unit, start.origin, labels, max(fact.time, start.time), fact.key, value)


def _status(first: dict[str, Fact], closes: str) -> str:
    """The last word of the last event by time, but what is closed stays closed."""
    last = closes if closes in first else max(first.values(), key=lambda f: (f.time, f.key)).event
    return last.rpartition(".")[2]
