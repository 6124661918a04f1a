"""The clock of a dossier: what it waits for, when it is due, which promise was moved without an apology.

The clock stands while anything is awaited: papers, the citizen's payment, the end of a pause. It runs again when all of
it is over, and the due date has then moved by the working time waited. Only the first acceptance and a letter of
apology name the date by which a dossier is judged; any other date is kept as a re-promise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from schemas.calendar import Limit, WorkCalendar, local_day
from schemas.calendar_history import CalendarHistory
from schemas.fold import Fact, instant

MATTERS = frozenset({"payment.made", *(f"dossier.{event}" for event in (
    "accepted", "extended", "supplement_requested", "supplement_received", "payment_requested", "stopped",
    "processing_started"))})  # fmt: skip
"""The events by which a due date may come to be, or be moved."""
_ALWAYS = datetime.max.replace(tzinfo=UTC)


class Promise(NamedTuple):
    """From `since` on the dossier is due at `due`; `paused` while anything is awaited. `key`: the event behind it."""

    since: datetime
    due: datetime
    paused: bool
    key: str


class Wait(NamedTuple):
    """The clock stood for `reason` (`supplement`, `payment` or `pause`); `until` is None while it still does."""

    reason: str
    since: datetime
    until: datetime | None


class Move(NamedTuple):
    """A date that was promised again without an extension: it changes no due date. `named_by`: the event that had named
    the date `before`."""

    fact: Fact
    before: datetime
    after: datetime
    named_by: str


@dataclass(slots=True)
class Clock:
    """What became of the promise: every due date in order, every wait, every re-promise, the date named last."""

    promises: list[Promise] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    named: datetime | None = None
    named_by: str = ""
    accepted: bool = False


class _Waiting:
    """What is awaited, read fact by fact."""

    def __init__(self, facts: Sequence[Fact], by_payment: bool) -> None:
        self.open: dict[str, datetime] = {}
        self.over: list[Wait] = []
        self._by_payment, self._left = by_payment, left_stops(facts)
        self._owed: dict[str, int] = {}
        self._ahead: Counter[str] = Counter()

    def take(self, fact: Fact) -> None:
        """One more fact, in order."""
        match fact.event:
            case "dossier.supplement_requested":
                self._begin("supplement", fact)
            case "dossier.supplement_received":
                self._end("supplement", fact)
            case "dossier.payment_requested" if self._by_payment:
                self._ask(fact)
            case "payment.made":
                self._pay(fact)
            case "dossier.stopped" if fact.key in self._left:
                self._begin("pause", fact)
            case "dossier.processing_started":
                # The portal's 4 ends its 6 and its 8; papers are awaited beside them, unless nothing else was.
                for reason in [r for r in self.open if r != "supplement"] or ["supplement"]:
                    self._end(reason, fact)

    def history(self) -> list[Wait]:
        """Every wait, by its beginning."""
        present = (Wait(_reason(name), since, None) for name, since in self.open.items())
        return sorted([*self.over, *present], key=lambda w: (w.since, w.reason))

    def _begin(self, name: str, fact: Fact) -> None:
        self.open.setdefault(name, fact.time)

    def _end(self, name: str, fact: Fact) -> None:
        if (since := self.open.pop(name, None)) is not None:
            self.over.append(Wait(_reason(name), since, fact.time))

    def _ask(self, fact: Fact) -> None:
        """What was paid before it was asked for is not awaited; asked for again meanwhile it is the same."""
        name, amount = _payment(fact), fact.data.get("amount", 1)
        if name in self.open:
            return
        if self._ahead[name] >= amount:
            self._ahead[name] -= amount
            return
        self._owed[name] = amount - self._ahead.pop(name, 0)
        self._begin(name, fact)

    def _pay(self, fact: Fact) -> None:
        """A payment answers the request of its kind, or else whatever payment is awaited, until all of it is paid."""
        name, amount = _payment(fact), fact.data.get("amount", 0)
        awaited = [n for n in self.open if _reason(n) == "payment"]
        answered = name if name in self._owed or not awaited else awaited[0]
        if answered not in self._owed:
            self._ahead[name] += amount
        elif self._owed[answered] > amount:
            self._owed[answered] -= amount
        else:
            del self._owed[answered]
            self._end(answered, fact)


def _payment(fact: Fact) -> str:
    return f"payment {fact.data.get('kind', 'fee')}"


def _reason(name: str) -> str:
    return name.partition(" ")[0]


def left_stops(facts: Sequence[Fact]) -> set[str]:
    """The keys of the stops after which processing went on: they were pauses."""
    left, pending = set[str](), list[str]()
    for fact in facts:
        if fact.event == "dossier.stopped":
            pending.append(fact.key)
        elif fact.event == "dossier.processing_started":
            left.update(pending)
            pending.clear()
    return left


def clock_of(facts: Sequence[Fact], end: Fact | None, calendars: CalendarHistory, by_payment: bool) -> Clock:
    """Read the facts in order up to the end; an acceptance that is told as later than the end still names the date.

    `by_payment`: whether a payment awaited stops the clock.
    """
    clock, waiting = Clock(), _Waiting(facts, by_payment)
    until = end.time if end else _ALWAYS
    for fact in facts:
        if fact.time > until:
            break
        if fact.event in MATTERS:
            _take(clock, waiting, fact, calendars)
    if end and not clock.promises and (accepted := _first_acceptance(facts)):
        clock.promises.append(Promise(accepted.time, _promised(accepted, calendars), False, accepted.key))
    _swap(clock, until, calendars)
    if end and end.event == "dossier.stopped" and clock.promises:
        # It may turn out to be a pause, in which papers are asked for and come.
        for fact in facts:
            if fact.time > until:
                waiting.take(fact)
    clock.waits = [_ended(wait, end) for wait in waiting.history()]
    return clock


def _ended(wait: Wait, end: Fact | None) -> Wait:
    return wait if wait.until or end is None or wait.since > end.time else wait._replace(until=end.time)


def _first_acceptance(facts: Sequence[Fact]) -> Fact | None:
    return next((f for f in facts if f.event == "dossier.accepted"), None)


def _take(clock: Clock, waiting: _Waiting, fact: Fact, calendars: CalendarHistory) -> None:
    _swap(clock, fact.time, calendars)
    waiting.take(fact)
    current = clock.promises[-1] if clock.promises else None
    if after := _moved_by(clock, waiting, fact, current, calendars):
        if current is None or after[:3] != current[:3]:  # what is told twice is behind it once
            clock.promises.append(after)
    elif not current:
        waiting.over.clear()  # before there is a promise no clock runs


def _moved_by(
    clock: Clock, waiting: _Waiting, fact: Fact, current: Promise | None, calendars: CalendarHistory
) -> Promise | None:
    now = fact.time
    if fact.event == "dossier.accepted" and not clock.accepted:
        waiting.open.clear()  # whoever promises a date knows what is still to come
        clock.named, clock.named_by, clock.accepted = _promised(fact, calendars), fact.key, True
        return Promise(now, clock.named, False, fact.key)
    if fact.event == "dossier.extended":
        clock.named, clock.named_by = instant(fact.data["promised_at"]), fact.key
        return Promise(now, clock.named, bool(waiting.open), fact.key)
    if current is None:
        return None
    if fact.event == "dossier.accepted":
        _promise_again(clock, fact, current, calendars)
    if current.paused == bool(waiting.open):
        return None
    return _resumed(current, now, fact.key, calendars) if current.paused else Promise(now, current.due, True, fact.key)


def _promise_again(clock: Clock, fact: Fact, current: Promise, calendars: CalendarHistory) -> None:
    again, named = _promised(fact, calendars), clock.named
    assert named is not None
    if local_day(again) not in (local_day(named), local_day(current.due)):
        clock.moves.append(Move(fact, named, again, clock.named_by))
    clock.named, clock.named_by = again, fact.key


def _resumed(paused: Promise, now: datetime, key: str, calendars: CalendarHistory) -> Promise:
    return Promise(now, _due_after(paused, now, calendars), False, key)


def _due_after(paused: Promise, now: datetime, calendars: CalendarHistory) -> datetime:
    """The due date when a wait is over; a promise that was broken before the wait stays so."""
    calendar = calendars.at(now)
    moved = _later(paused.due, calendar.working_time_between(paused.since, now), calendar)
    broken = local_day(paused.due) < local_day(paused.since)
    return paused.due if broken and local_day(moved) >= local_day(now) else moved


def _later(due: datetime, waited: timedelta, calendar: WorkCalendar) -> datetime:
    """A due date after a wait of so much working time."""
    # Without a wait the date stays: at closing time, adding nothing would lead to the next opening.
    return calendar.add_working_time(due, waited).astimezone(UTC) if waited else due


def _promised(accepted: Fact, calendars: CalendarHistory) -> datetime:
    if text := accepted.data.get("promised_at"):
        return instant(text)
    limit = Limit(days=accepted.data.get("limit_days", 0), hours=accepted.data.get("limit_hours", 0))
    return calendars.at(accepted.time).due_at(accepted.time, limit).astimezone(UTC)


def _swap(clock: Clock, until: datetime, calendars: CalendarHistory) -> None:
    if clock.promises and not clock.promises[-1].paused:
        clock.promises.extend(_swapped(clock.promises[-1], until, calendars))


def _swapped(promise: Promise, until: datetime, calendars: CalendarHistory) -> Iterator[Promise]:
    """The working time left until the due date is laid anew on the calendar as announced."""
    for announced in calendars.announcements(promise.since, until):
        if announced >= promise.due:
            return
        before, after = calendars.at(announced - timedelta(microseconds=1)), calendars.at(announced)
        left = before.working_time_between(announced, promise.due)
        if left and left != after.working_time_between(announced, promise.due):
            due = after.add_working_time(announced, left).astimezone(UTC)
            promise = Promise(announced, due, False, promise.key)
            yield promise


def outcome(end: Fact, promises: Sequence[Promise], calendars: CalendarHistory) -> str:
    """`early`, `on_time` or `overdue`, by local days; without any promise nothing was late: `on_time`."""
    if not promises:
        return "on_time"
    last = promises[-1]
    due = _due_after(last, end.time, calendars) if last.paused else last.due
    ended, promised = local_day(end.time), local_day(due)
    return "early" if ended < promised else "on_time" if ended == promised else "overdue"


def minutes_worked(accepted: Fact, end: Fact, promises: Sequence[Promise], calendars: CalendarHistory) -> int:
    """Working minutes from acceptance to end, without what was waited."""
    calendar = calendars.at(end.time)
    spent = calendar.working_time_between(accepted.time, end.time)
    for i, promise in enumerate(promises):
        if promise.paused:
            resumed = promises[i + 1].since if i + 1 < len(promises) else end.time
            spent -= calendar.working_time_between(promise.since, resumed)
    return max(int(spent.total_seconds()) // 60, 0)
