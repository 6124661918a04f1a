"""The life of a dossier as a pure fold: who handles it, how it ended, and the points it adds.

The end is the first `resolved`, else `returned`, else `stopped`, `refused` or `withdrawn`; a stop after which
processing goes on was a pause. Early, on time and overdue compare the local day of the end with the promised day, see
`clock`. It belongs to the unit that accepted it last, until then to the one where it was filed; a unit that goes on
with what its predecessor began takes it over, and of several that accepted it at one moment the one that goes on.
Nothing here looks at a clock: a dossier that will lapse tomorrow already carries the point of tomorrow, and a reading
as of today leaves it out. Nor does a point look ahead: a dossier that was stopped, or handed on, counts so from then
on, and what was counted before is corrected at that moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from schemas import cases, codes, units
from schemas.calendar import VN, local_day
from schemas.calendar_history import CalendarHistory
from schemas.fold import Fact, Folded, Labels, Point, as_known, in_order, instant, shift_of, verdict
from schemas.procedures import payment_clock, portals
from schemas.procedures.clock import Clock, Move, Promise, clock_of, minutes_worked, outcome

WARN_WORKING_DAYS = 3
STAGES = ("soon", "today", "overdue")
_LIFE = (
    "submitted", "accepted", "processing_started", "supplement_requested", "supplement_received", "payment_requested",
    "extended", "due_soon", "overdue", "refused", "withdrawn", "stopped", "resolved", "returned", "synchronised",
    "rated",
)  # fmt: skip
LIFE_RANK = {f"dossier.{event}": i for i, event in enumerate(_LIFE)}
_ENDS = (("dossier.resolved",), ("dossier.returned",), ("dossier.stopped", "dossier.refused", "dossier.withdrawn"))
_END_RANK = {event: rank for rank, events in enumerate(_ENDS) for event in events}
_NOTICES = ("dossier.due_soon", "dossier.overdue")
_STEPS = frozenset(LIFE_RANK) - {*_NOTICES, "dossier.rated", "dossier.synchronised"}
"""What the office does with a dossier, or the citizen in it."""


class Stage(NamedTuple):
    """The dossier is in stage `name` from `start` to `stop` (None: until further notice)."""

    name: str
    start: datetime
    stop: datetime | None
    started_by: str
    stopped_by: str


@dataclass(slots=True)
class _Progress:
    """What the facts say when read in order: the first of each kind, who handles it, the end that stands.

    `turns`: the facts that contradict what was known before them; `back`: those that go on after the end; `beside`: the
    units of the last acceptance, of which each tells of one moment.
    """

    first: dict[str, Fact] = field(default_factory=dict)
    handler: str | None = None
    accepted_at: datetime | None = None
    beside: set[str] = field(default_factory=set)
    end: Fact | None = None
    turns: list[Fact] = field(default_factory=list)
    back: list[Fact] = field(default_factory=list)


@dataclass(slots=True)
class _Life:
    """A dossier as its facts tell it."""

    code: str
    portal: tuple[str, str]
    facts: Sequence[Fact]
    course: _Progress
    received: Fact | None
    accepted: Fact | None
    end: Fact | None
    about: dict[str, Any]
    labels: Labels
    unit: str


def fold_dossier(id: str, facts: Sequence[Fact], calendars: CalendarHistory) -> Folded:
    """See `schemas.fold.Fold`."""
    ordered = in_order(facts, LIFE_RANK)
    whole = _course(ordered)

    def fold(known: Sequence[Fact]) -> Folded:
        return _fold(id, known, whole if known is ordered else _course(known), calendars)

    return as_known(fold, ordered, whole.turns)


def _course(ordered: Sequence[Fact]) -> _Progress:
    course, ends, end = _Progress(), list[Fact](), None
    for fact in ordered:
        if fact.event in _END_RANK:
            ends.append(fact)
            end = min(ends, key=_end_order)
        elif ends and fact.event == "dossier.processing_started":
            ends = [end for end in ends if end.event != "dossier.stopped"]
            end = min(ends, key=_end_order, default=None)
        if end is None:
            course.back.clear()  # what was told during a pause
        if fact.event in _STEPS and _step(course, fact, end):
            course.turns.append(fact)
        course.first.setdefault(fact.event, fact)
    return course


def _end_order(end: Fact) -> tuple[int, datetime, str]:
    return _END_RANK[end.event], end.time, end.key


def _step(course: _Progress, fact: Fact, end: Fact | None) -> bool:
    """Take one step in; whether what was counted before has to be corrected."""
    over, reversed_ = course.end is not None, course.end is not None and end is not course.end
    handler = _handler(course, fact, closed=over and not reversed_)
    handed = handler != course.handler and course.handler is not None
    if over and not reversed_ and fact.event in _GOES_ON:
        course.back.append(fact)
    course.handler, course.end = handler, end
    # What begins it is told as later than what it should have come before.
    begins = fact.event in BEGINS and fact.event not in course.first
    return reversed_ or handed or (begins and (over or "dossier.accepted" in course.first))


BEGINS = ("dossier.submitted", "dossier.accepted")
_GOES_ON = ("dossier.accepted", "dossier.processing_started", "dossier.supplement_requested")


def _handler(course: _Progress, fact: Fact, closed: bool) -> str | None:
    """Who handles the dossier from this fact on."""
    if fact.event == "dossier.accepted":
        if fact.time != course.accepted_at:
            course.accepted_at, course.beside = fact.time, set()
        course.beside.add(fact.unit)
        return fact.unit
    if fact.event == "dossier.submitted" and course.handler is None:
        return fact.unit
    handler = course.handler
    if handler is None or fact.unit == handler or closed:
        return handler
    return fact.unit if fact.unit in course.beside or units.succeeds(fact.unit, handler) else handler


def _fold(id: str, facts: Sequence[Fact], course: _Progress, calendars: CalendarHistory) -> Folded:
    life = _read(id, facts, course)
    clock = clock_of(facts, life.end, calendars, payment_clock.stops_clock(life.about.get("procedure")))
    head = life.received or next((f for f in facts if f.event in LIFE_RANK), facts[0])
    state = {**_state(life, clock), **shift_of(head)}
    folded = Folded(life.unit, head.origin, _status(life), state=state)
    folded.opened_at = life.received.time if life.received else None
    folded.due_at = clock.promises[-1].due if clock.promises else None
    folded.ended_at = life.end.time if life.end else None
    if life.received:
        folded.points = list(_points(life, clock, calendars))
    if life.received and not life.end and clock.promises:
        folded.state[cases.STATE] = _ahead(clock.promises[-1], calendars)
        folded.notice_at = _next_notice(facts, clock.promises[-1], calendars)
    return folded


def _read(id: str, facts: Sequence[Fact], course: _Progress) -> _Life:
    submitted, accepted = (course.first.get(f"dossier.{event}") for event in ("submitted", "accepted"))
    end, received = course.end, submitted or accepted
    if end and received and end.time < received.time:
        # A clock that was wrong at one of the two doors: it ended when it came, not before.
        end = end._replace(time=received.time)
    about = {**(accepted.data if accepted else {}), **(submitted.data if submitted else {})}
    portal = portal_of(id, facts, received)
    labels = (
        ("channel", about.get("channel") or "counter"),
        ("field", about.get("field") or "none"),
        ("level", about.get("online_level") or "none"),
        ("portal", portal[0]),
    )
    head = received or next((f for f in facts if f.event in LIFE_RANK), facts[0])
    return _Life(id, portal, facts, course, received, accepted, end, about, labels, course.handler or head.unit)


def portal_of(code: str, facts: Iterable[Fact], received: Fact | None) -> tuple[str, str]:
    """Through which portal it came, and what says so: what is told of its beginning (`stated`), as nothing later may
    change a figure of before; else the form of its code (`code`)."""
    begun = [f for f in facts if received and (f.event, f.time) == (received.event, received.time)]
    said = next((f.data["portal"] for f in begun if f.data.get("portal")), None)
    return (said, "stated") if said else (portals.by_code(code) if begun else portals.NONE, "code")


def portals_told(code: str, facts: Iterable[Fact]) -> dict[str, str]:
    """Key of each fact that begins a dossier -> its portal: what has to be said where the code is taken away."""
    begins = [f for f in facts if f.event in BEGINS]
    found = {f.key: portal_of(code, begins, f)[0] for f in begins}
    return {key: portal for key, portal in found.items() if portal != portals.NONE}


def local_midnight(t: datetime) -> datetime:
    """The local midnight that begins the day of `t` (UTC)."""
    return t - (t - _A_MIDNIGHT) % _DAY


_A_MIDNIGHT = datetime(1999, 12, 31, 17, tzinfo=UTC)
_DAY = timedelta(days=1)


def stage_starts(due: datetime, calendars: CalendarHistory, known: datetime) -> tuple[datetime, datetime, datetime]:
    """When `soon`, `today` and `overdue` begin for a due date: local midnights."""
    today = local_midnight(due)
    day = due.astimezone(VN).date()
    soon = calendars.at(known).add_working_days(day, -WARN_WORKING_DAYS)
    return today - (day - soon), today, today + _DAY


def stages(promises: Sequence[Promise], end: Fact | None, calendars: CalendarHistory) -> list[Stage]:
    """The stages an open dossier went and will go through, neighbours of one name joined."""
    found: list[Stage] = []
    for i, promise in enumerate(promises):
        following = promises[i + 1] if i + 1 < len(promises) else None
        until = following.since if following else end.time if end else None
        until_key = following.key if following else end.key if end else promise.key
        for stage in _stages_of(promise, until, until_key, calendars):
            if found and found[-1].name == stage.name and found[-1].stop == stage.start:
                stage = found.pop()._replace(stop=stage.stop, stopped_by=stage.stopped_by)
            found.append(stage)
    return found


def _stages_of(promise: Promise, until: datetime | None, until_key: str, calendars: CalendarHistory) -> Iterator[Stage]:
    starts = stage_starts(promise.due, calendars, promise.since)
    if promise.paused and starts[2] > promise.since:
        return
    for name, begins, ends in zip(STAGES, starts, (*starts[1:], None), strict=True):
        start = max(begins, promise.since)
        stop, stopped_by = (ends, promise.key) if ends and (until is None or ends < until) else (until, until_key)
        if stop is None or start < stop:
            yield Stage(name, start, stop, promise.key, stopped_by)


def _ahead(promise: Promise, calendars: CalendarHistory) -> list[list[str]]:
    stages = _stages_of(promise, None, promise.key, calendars)
    return cases.stages_json((stage.name, stage.start) for stage in stages)


def _points(life: _Life, clock: Clock, calendars: CalendarHistory) -> Iterator[Point]:
    received, promises = life.received, clock.promises
    assert received is not None
    unit, origin, about, field = life.unit, received.origin, life.about, (life.labels[1],)

    def point(measure: str, labels: Labels, at: datetime, key: str, value: int = 1) -> Point:
        return Point(measure, unit, origin, labels, at if at > received.time else received.time, key, value)

    yield point("dossiers_received", life.labels, received.time, received.key)
    if about.get("channel") == "online" and about.get("online_level", "none") != "none" and about.get("procedure"):
        yield point("service_dossiers", (("procedure", about["procedure"]),), received.time, received.key)
    gone_through = stages(promises, life.end, calendars)
    for stage in gone_through:
        labels = (*life.labels, ("stage", stage.name))
        yield point("dossiers_pressing", labels, stage.start, stage.started_by)
        if stage.stop:
            yield point("dossiers_pressing", labels, stage.stop, stage.stopped_by, -1)
    if accepted := life.accepted:
        for component, name in _COMPONENTS.items():
            if accepted.data.get(name):
                yield point(component, field, accepted.time, accepted.key)
    for fact in _letters(life):
        yield point("dossiers_extended", field, fact.time, fact.key)
    for fact in life.facts:
        if fact.event == "dossier.supplement_requested":
            yield point("supplements_requested", field, fact.time, fact.key)
        if fact.event == "dossier.rated":
            yield point(
                "dossier_ratings", (("verdict", verdict(fact.data["score"])),), fact.time, fact.key, fact.data["score"]
            )
    for measure, fact in _firsts(life.facts):
        yield point(measure, field, fact.time, fact.key)
        if measure in _PAID and about.get("procedure"):
            labels = (("paid", _PAID[measure]), ("procedure", about["procedure"]))
            yield point("procedure_fees", labels, fact.time, fact.key)
    for at, key, step in _asked_again(life, gone_through):
        yield point("dossiers_asked_again", (*field, ("state", "open")), at, key, step)
    for move in clock.moves:
        if not _at_once(move, life):
            yield point("dossiers_repromised", field, move.fact.time, move.fact.key)
    if life.end:
        ended = (*life.labels, ("outcome", outcome(life.end, promises, calendars)), ("result", _result(life.end)))
        yield point("dossiers_ended", ended, life.end.time, life.end.key)
        yield from (point(*p) for p in _result_points(life, promises, calendars))
        yield from (point(*p) for p in _judged(life, outcome(life.end, promises, calendars) == "overdue"))


def _firsts(facts: Iterable[Fact]) -> Iterator[tuple[str, Fact]]:
    """What counts once per dossier, with the first fact that shows it."""
    found: dict[str, Fact] = {}
    for fact in facts:
        if fact.event == "dossier.payment_requested" or fact.event == "payment.made":
            found.setdefault("dossiers_with_fee", fact)
        if fact.event == "payment.made" and fact.data["method"] != "cash":
            found.setdefault("dossiers_paid_online", fact)
        elif fact.event == "dossier.synchronised":
            found.setdefault("dossiers_synchronised", fact)
    yield from found.items()


_PAID = {"dossiers_with_fee": "any", "dossiers_paid_online": "online"}
"""Measure -> the value of the label `paid` by which procedures with a fee are told apart."""
_COMPONENTS = {
    "dossiers_reusing": "reused_components",
    "dossiers_from_store": "store_components",
    "dossiers_identified": "identity_verified",
}


def _letters(life: _Life) -> list[Fact]:
    """Its letters of apology; one that is told again under another id is one."""
    told: dict[tuple[datetime, str, datetime], Fact] = {}
    for fact in life.facts:
        if fact.event == "dossier.extended":
            told.setdefault((fact.time, fact.unit, instant(fact.data["promised_at"])), fact)
    return list(told.values())


def _requests(life: _Life) -> list[Fact]:
    """The requests for supplements up to its end."""
    asked = (f for f in life.facts if f.event == "dossier.supplement_requested")
    return [f for f in asked if life.end is None or f.time <= life.end.time]


def _asked_again(life: _Life, gone_through: Iterable[Stage]) -> Iterator[tuple[datetime, str, int]]:
    """Steps of how many open dossiers were asked for supplements more than once and are not overdue besides."""
    requests = _requests(life)
    if len(requests) < 2:
        return
    assert life.received is not None
    at, key = max(requests[1].time, life.received.time), requests[1].key
    for stage in (
        stage for stage in gone_through if stage.name == "overdue" and (stage.stop is None or stage.stop > at)
    ):
        if stage.start > at:
            yield at, key, 1
            yield stage.start, stage.started_by, -1
        if stage.stop is None:
            return
        at, key = stage.stop, stage.stopped_by
    if life.end is None or at < life.end.time:
        yield at, key, 1
        if life.end:
            yield life.end.time, life.end.key, -1


def _judged(life: _Life, overdue: bool) -> Iterator[tuple[str, Labels, datetime, str]]:
    """What index 766 takes off an ended dossier that was not overdue: asked again without a result, or disliked."""
    end, field = life.end, (life.labels[1],)
    assert end is not None
    if overdue:
        return
    if len(_requests(life)) > 1 and _result(end) != "resolved":
        yield "dossiers_asked_again", (*field, ("state", "ended")), end.time, end.key
        return
    rated = (f for f in life.facts if f.event == "dossier.rated" and verdict(f.data["score"]) == "dissatisfied")
    if first := next(rated, None):
        late = max(first, end, key=lambda fact: fact.time)
        yield "dossiers_disliked", field, late.time, late.key


def _result_points(
    life: _Life, promises: Sequence[Promise], calendars: CalendarHistory
) -> Iterator[tuple[str, Labels, datetime, str, int]]:
    end, field = life.end, (life.labels[1],)
    assert end is not None
    resolved = next((f for f in life.facts if f.event == "dossier.resolved"), None)
    electronic = bool(resolved and resolved.data["electronic_result"])
    if resolved and (resolved.data["paper_result"] or electronic):
        yield "results_issued", (("electronic", "yes" if electronic else "no"), *field), end.time, end.key, 1
    began = life.accepted
    if began and life.course.end and began.time <= life.course.end.time:
        if electronic and began.data["digitised_components"]:
            yield "dossiers_digitised", field, end.time, end.key, 1
        yield "dossiers_processed", field, end.time, end.key, 1
        yield "processing_minutes", field, end.time, end.key, minutes_worked(began, end, promises, calendars)


def _result(end: Fact) -> str:
    event = end.event.removeprefix("dossier.")
    return "resolved" if event == "returned" else event


def _status(life: _Life) -> str:
    """The last step of its life that is known (the portal's status, in words)."""
    steps = [f.event.removeprefix("dossier.") for f in life.facts if f.event in LIFE_RANK]
    known = [s for s in steps if s not in ("due_soon", "overdue", "rated", "extended", "synchronised")]
    if life.end:
        return "returned" if "returned" in known else life.end.event.removeprefix("dossier.")
    # A filing that is told as later than what followed upon it is no step back.
    return next((step for step in reversed(known) if step != "submitted"), known[-1] if known else "unknown")


def _state(life: _Life, clock: Clock) -> dict[str, Any]:
    about: dict[str, Any] = {
        k: life.about[k] for k in ("procedure", "field", "channel", "online_level") if k in life.about
    }
    promises = clock.promises
    since = {"due_since": promises[-1].since.isoformat()} if promises else {}
    moves = _unexcused(life, clock)
    portal, by = life.portal
    known = {"portal": portal, "portal_by": by} if portal != portals.NONE else {}
    extra = {"waits": _waits(clock), "promised": _promised(clock, moves), "findings": _findings(life, moves)}
    return {
        **about,
        **known,
        **since,
        "waiting": any(p.paused for p in promises[-1:]),
        "supplements": sum(f.event == "dossier.supplement_requested" for f in life.facts),
        **{name: value for name, value in extra.items() if value},
    }


def _waits(clock: Clock) -> list[list[str | None]]:
    return [[w.reason, w.since.isoformat(), w.until.isoformat() if w.until else None] for w in clock.waits]


def _promised(clock: Clock, moves: Sequence[Move]) -> str | None:
    """The date that was named last, where it is not the one that counts."""
    return moves[-1].after.isoformat() if moves and moves[-1].after == clock.named else None


def _unexcused(life: _Life, clock: Clock) -> list[Move]:
    """The dates that were promised again, but those told of the acceptance's own moment that a wait or a letter came
    to lead to: whoever tells of an acceptance anew tells the date as it is by then."""
    due = {local_day(promise.due) for promise in clock.promises} if clock.moves else set()
    return [m for m in clock.moves if not (_at_once(m, life) and local_day(m.after) in due)]


def _at_once(move: Move, life: _Life) -> bool:
    """Whether two dates are told of one acceptance: when it was moved is not known, so no day can count it."""
    return life.accepted is not None and move.fact.time == life.accepted.time


def _findings(life: _Life, moves: Sequence[Move]) -> list[list[Any]]:
    """What a supervisor should see: [code, key of the event, details]."""
    found: list[list[Any]] = [
        [
            "repromised",
            m.fact.key,
            {"unit": m.fact.unit, "old": m.before.isoformat(), "new": m.after.isoformat(), "named_by": m.named_by},
        ]
        for m in moves
    ]
    extended = _letters(life)
    found += [["extended_again", f.key, {"unit": f.unit, "new": f.data["promised_at"]}] for f in extended[1:]]
    found += [["went_back", f.key, {"unit": f.unit}] for f in life.course.back]
    found += [["accepted_elsewhere", f.key, {"unit": f.unit}] for f in _accepted_elsewhere(life)]
    found += [["told_elsewhere", f.key, {"unit": f.unit}] for f in _told_elsewhere(life)]
    # A stop that comes again is another pause.
    done = [f for f in life.facts if life.end and f.event == life.end.event != "dossier.stopped"]
    found += [
        ["ended_again", f.key, {"unit": f.unit, "old": done[0].time.isoformat(), "new": f.time.isoformat()}]
        for f in done[1:]
        if f.time != done[0].time
    ]
    return found


def _accepted_elsewhere(life: _Life) -> list[Fact]:
    """The acceptances by units that nothing joins to those that had accepted it before: then it may be another dossier.
    With an office's code there is one, which is handed on later, and not at the moment of an acceptance."""
    handed_on = codes.names_office(life.code)
    found, before = list[Fact](), list[Fact]()
    for fact in life.facts:
        if fact.event == "dossier.accepted" and not any(fact.unit == other.unit for other in before):
            others = [other for other in before if not handed_on or other.time == fact.time]
            if others and not any(_joined(fact.unit, other.unit) for other in others):
                found.append(fact)
            before.append(fact)
    return found


_DECIDES = frozenset({*_END_RANK, "dossier.extended", "dossier.supplement_requested", "dossier.payment_requested"})
"""What makes a dossier late no more, or later."""


def _told_elsewhere(life: _Life) -> list[Fact]:
    """What decides whether it is late, told by a unit that has never had it, nor is joined to one that has."""
    had = {f.unit for f in life.facts if f.event in BEGINS}
    others = (f for f in life.facts if f.event in _DECIDES and f.unit not in had)
    return [f for f in others if had and not any(_joined(f.unit, unit) for unit in had)]


def _joined(unit: str, other: str) -> bool:
    """Whether one of two units stands above the other, or follows upon it."""
    try:
        above = other in units.scope(unit) or unit in units.scope(other)
    except units.UnknownUnit:
        return False
    return above or units.succeeds(unit, other)


def _next_notice(facts: Sequence[Fact], promise: Promise, calendars: CalendarHistory) -> datetime | None:
    """When the next warning about a due date is owed; None while waiting, or when all were published."""
    if promise.paused:
        return None
    due, since = promise.due, promise.since
    said = {_notice_stage(f) for f in facts if f.event in _NOTICES and instant(f.data["promised_at"]) == due}
    starts = stage_starts(due, calendars, since)
    owed = next((at for name, at in zip(STAGES, starts, strict=True) if not said & _IMPLIED[name]), None)
    return max(owed, since) if owed else None


_IMPLIED = {name: set(STAGES[i:]) for i, name in enumerate(STAGES)}
"""A later warning makes an earlier one needless."""


def _notice_stage(fact: Fact) -> str:
    return "overdue" if fact.event == "dossier.overdue" else str(fact.data["stage"])
