"""The life of a dossier as a pure fold: when it is due, how it ended, and the points it adds.

The end is the first `resolved`, else `returned`, else `stopped`, `refused` or `withdrawn`. Early, on time and overdue
compare the local day of the end with the promised day. A wait for supplements stops the clock; an announced swap of
working days moves what is still open. Nothing here looks at a clock: a dossier that will lapse tomorrow already carries
the point of tomorrow, and a reading as of today leaves it out. Nor does a point look ahead: a dossier that was stopped
counts so from then on, and is corrected when it is resolved after all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from schemas.calendar import VN, Limit, WorkCalendar
from schemas.calendar_history import CalendarHistory
from schemas.fold import Fact, Folded, Labels, Point, as_known, in_order, instant, shift_of, verdict

WARN_WORKING_DAYS = 3
STAGES = ("soon", "today", "overdue")
_LIFE = (
    "submitted", "accepted", "processing_started", "supplement_requested", "supplement_received", "payment_requested",
    "extended", "due_soon", "overdue", "refused", "withdrawn", "stopped", "resolved", "returned", "synchronised",
    "rated",
)  # fmt: skip
_RANK = {f"dossier.{event}": i for i, event in enumerate(_LIFE)}
_ENDS = (("dossier.resolved",), ("dossier.returned",), ("dossier.stopped", "dossier.refused", "dossier.withdrawn"))
_END_RANK = {event: rank for rank, events in enumerate(_ENDS) for event in events}


class Promise(NamedTuple):
    """From `since` on the dossier is due at `due`; `paused` while a supplement is awaited. `key`: the event that said
    so."""

    since: datetime
    due: datetime
    paused: bool
    key: str


class Stage(NamedTuple):
    """The dossier is in stage `name` from `start` to `stop` (None: until further notice)."""

    name: str
    start: datetime
    stop: datetime | None
    started_by: str
    stopped_by: str


@dataclass(slots=True)
class _Life:
    """What the facts say when read in order."""

    facts: Sequence[Fact]
    received: Fact | None
    accepted: Fact | None
    end: Fact | None
    about: dict[str, Any]
    labels: Labels


def fold_dossier(id: str, facts: Sequence[Fact], calendars: CalendarHistory) -> Folded:
    """See `schemas.fold.Fold`."""
    ordered = in_order(facts, _RANK)
    return as_known(lambda known: _fold(known, calendars), ordered, _turns(ordered))


def _turns(ordered: Sequence[Fact]) -> list[Fact]:
    """A filing that is told as later than the acceptance, and an end that outranks an earlier one."""
    turns: list[Fact] = []
    accepted, rank = False, len(_ENDS)
    for fact in ordered:
        ends = _END_RANK.get(fact.event, len(_ENDS))
        if (accepted and fact.event == "dossier.submitted") or ends < rank < len(_ENDS):
            turns.append(fact)
        accepted = accepted or fact.event == "dossier.accepted"
        if ends < rank:
            rank = ends
    return turns


def _fold(facts: Sequence[Fact], calendars: CalendarHistory) -> Folded:
    life = _read(facts)
    promises = list(promise_history(life.facts, life.end, calendars))
    head = life.received or next((f for f in life.facts if f.event in _RANK), life.facts[0])
    folded = Folded(head.unit, head.origin, _status(life), state={**_state(life, promises), **shift_of(head)})
    folded.opened_at = life.received.time if life.received else None
    folded.due_at = promises[-1].due if promises else None
    folded.ended_at = life.end.time if life.end else None
    if life.received:
        folded.points = list(_points(life, promises, calendars))
        folded.notice_at = None if life.end else _next_notice(life.facts, promises, calendars)
    return folded


def promise_history(facts: Sequence[Fact], end: Fact | None, calendars: CalendarHistory) -> Iterator[Promise]:
    """Every due date the dossier had, in order, up to its end."""
    current: Promise | None = None
    for fact in facts:
        if end and fact.time > end.time:
            break
        if current and not current.paused:
            for moved in _swapped(current, fact.time, calendars):
                yield (current := moved)
        if (after := _moved_by(fact, current, calendars)) and after != current:
            yield (current := after)
    horizon = end.time if end else datetime.max.replace(tzinfo=UTC)
    if current and not current.paused:
        yield from _swapped(current, horizon, calendars)


def _moved_by(fact: Fact, current: Promise | None, calendars: CalendarHistory) -> Promise | None:
    now = fact.time
    match fact.event:
        case "dossier.accepted":
            return Promise(now, _promised(fact, calendars), False, fact.key)
        case "dossier.extended":
            return Promise(now, instant(fact.data["promised_at"]), False, fact.key)
        case "dossier.supplement_requested" if current and not current.paused:
            return Promise(now, current.due, True, fact.key)
        case "dossier.supplement_received" if current and current.paused:
            calendar = calendars.at(now)
            waited = calendar.working_time_between(current.since, now)
            return Promise(now, _later(current.due, waited, calendar), False, fact.key)
    return None


def _later(due: datetime, waited: timedelta, calendar: WorkCalendar) -> datetime:
    # Without a wait the date stays: at closing time, adding nothing would lead to the next opening.
    return calendar.add_working_time(due, waited).astimezone(UTC) if waited else due


def _promised(accepted: Fact, calendars: CalendarHistory) -> datetime:
    if text := accepted.data.get("promised_at"):
        return instant(text)
    limit = Limit(days=accepted.data.get("limit_days", 0), hours=accepted.data.get("limit_hours", 0))
    return calendars.at(accepted.time).due_at(accepted.time, limit).astimezone(UTC)


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


def _read(facts: Sequence[Fact]) -> _Life:
    first: dict[str, Fact] = {}
    for fact in facts:
        first.setdefault(fact.event, fact)
    submitted, accepted = first.get("dossier.submitted"), first.get("dossier.accepted")
    end = None
    for events in _ENDS:
        if candidates := [first[event] for event in events if event in first]:
            end = min(candidates, key=lambda f: (f.time, f.key))
            break
    received = submitted or accepted
    if end and received and end.time < received.time:
        # A clock that was wrong at one of the two doors: it ended when it came, not before.
        end = end._replace(time=received.time)
    about = {**(accepted.data if accepted else {}), **(submitted.data if submitted else {})}
    labels = (
        ("channel", about.get("channel") or "counter"),
        ("field", about.get("field") or "none"),
        ("level", about.get("online_level") or "none"),
    )
    return _Life(facts, received, accepted, end, about, labels)


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


def _points(life: _Life, promises: Sequence[Promise], calendars: CalendarHistory) -> Iterator[Point]:
    received = life.received
    assert received is not None
    unit, origin, about, field = received.unit, received.origin, life.about, (life.labels[1],)

    def point(measure: str, labels: Labels, at: datetime, key: str, value: int = 1) -> Point:
        return Point(measure, unit, origin, labels, at if at > received.time else received.time, key, value)

    yield point("dossiers_received", life.labels, received.time, received.key)
    if about.get("channel") == "online" and about.get("online_level", "none") != "none" and about.get("procedure"):
        yield point("service_dossiers", (("procedure", about["procedure"]),), received.time, received.key)
    for stage in stages(promises, life.end, calendars):
        labels = (*life.labels, ("stage", stage.name))
        yield point("dossiers_pressing", labels, stage.start, stage.started_by)
        if stage.stop:
            yield point("dossiers_pressing", labels, stage.stop, stage.stopped_by, -1)
    if accepted := life.accepted:
        for component, name in _COMPONENTS.items():
            if accepted.data.get(name):
                yield point(component, field, accepted.time, accepted.key)
    for fact in life.facts:
        if measure := _EACH.get(fact.event):
            yield point(measure, field, fact.time, fact.key)
        if fact.event == "dossier.rated":
            yield point(
                "dossier_ratings", (("verdict", verdict(fact.data["score"])),), fact.time, fact.key, fact.data["score"]
            )
    for measure, fact in _firsts(life.facts):
        yield point(measure, field, fact.time, fact.key)
    if life.end:
        ended = (*life.labels, ("outcome", outcome(life.end, promises, calendars)), ("result", _result(life.end)))
        yield point("dossiers_ended", ended, life.end.time, life.end.key)
        yield from (point(*p) for p in _result_points(life, promises, calendars))


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


_COMPONENTS = {
    "dossiers_reusing": "reused_components",
    "dossiers_from_store": "store_components",
    "dossiers_identified": "identity_verified",
}
_EACH = {"dossier.supplement_requested": "supplements_requested", "dossier.extended": "dossiers_extended"}


def _result_points(
    life: _Life, promises: Sequence[Promise], calendars: CalendarHistory
) -> Iterator[tuple[str, Labels, datetime, str, int]]:
    end, field = life.end, (life.labels[1],)
    assert end is not None
    resolved = next((f for f in life.facts if f.event == "dossier.resolved"), None)
    electronic = bool(resolved and resolved.data["electronic_result"])
    if resolved and (resolved.data["paper_result"] or electronic):
        yield "results_issued", (("electronic", "yes" if electronic else "no"), *field), end.time, end.key, 1
    if life.accepted and life.accepted.time <= end.time:
        if electronic and life.accepted.data["digitised_components"]:
            yield "dossiers_digitised", field, end.time, end.key, 1
        yield "dossiers_processed", field, end.time, end.key, 1
        yield "processing_minutes", field, end.time, end.key, _minutes(life.accepted, end, promises, calendars)


def _minutes(accepted: Fact, end: Fact, promises: Sequence[Promise], calendars: CalendarHistory) -> int:
    """Working minutes from acceptance to end, the waits for supplements taken out."""
    calendar = calendars.at(end.time)
    spent = calendar.working_time_between(accepted.time, end.time)
    for i, promise in enumerate(promises):
        if promise.paused:
            resumed = promises[i + 1].since if i + 1 < len(promises) else end.time
            spent -= calendar.working_time_between(promise.since, resumed)
    return max(int(spent.total_seconds()) // 60, 0)


def outcome(end: Fact, promises: Sequence[Promise], calendars: CalendarHistory) -> str:
    """`early`, `on_time` or `overdue`, by local days; without any promise nothing was late: `on_time`."""
    if not promises:
        return "on_time"
    last = promises[-1]
    due = last.due
    if last.paused and due > last.since:
        calendar = calendars.at(end.time)
        due = _later(due, calendar.working_time_between(last.since, end.time), calendar)
    ended, promised = end.time.astimezone(VN).date(), due.astimezone(VN).date()
    return "early" if ended < promised else "on_time" if ended == promised else "overdue"


def _result(end: Fact) -> str:
    event = end.event.removeprefix("dossier.")
    return "resolved" if event == "returned" else event


def _status(life: _Life) -> str:
    """The last step of its life that is known (the portal's status, in words)."""
    steps = [f.event.removeprefix("dossier.") for f in life.facts if f.event in _RANK]
    known = [s for s in steps if s not in ("due_soon", "overdue", "rated", "extended", "synchronised")]
    if life.end:
        return "returned" if "returned" in known else life.end.event.removeprefix("dossier.")
    return known[-1] if known else "unknown"


def _state(life: _Life, promises: Sequence[Promise]) -> dict[str, Any]:
    about: dict[str, Any] = {
        k: life.about[k] for k in ("procedure", "field", "channel", "online_level") if k in life.about
    }
    waits = any(p.paused for p in promises[-1:])
    since = {"due_since": promises[-1].since.isoformat()} if promises else {}
    return {
        **about,
        **since,
        "waiting": waits,
        "supplements": sum(f.event == "dossier.supplement_requested" for f in life.facts),
    }


def _next_notice(facts: Sequence[Fact], promises: Sequence[Promise], calendars: CalendarHistory) -> datetime | None:
    """When the next warning about the present due date is owed; None while waiting, or when all were published."""
    if not promises or promises[-1].paused:
        return None
    due, since = promises[-1].due, promises[-1].since
    said = {_said(f) for f in facts if f.event in _NOTICES and instant(f.data["promised_at"]) == due}
    starts = stage_starts(due, calendars, since)
    owed = next((at for name, at in zip(STAGES, starts, strict=True) if not said & _IMPLIED[name]), None)
    return max(owed, since) if owed else None


_NOTICES = ("dossier.due_soon", "dossier.overdue")
_IMPLIED = {name: set(STAGES[i:]) for i, name in enumerate(STAGES)}
"""A later warning makes an earlier one needless."""


def _said(fact: Fact) -> str:
    return "overdue" if fact.event == "dossier.overdue" else str(fact.data["stage"])


def stage_at(due: datetime, since: datetime, now: datetime, calendars: CalendarHistory) -> str | None:
    """The stage that a due date has reached by `now`, or None."""
    starts = stage_starts(due, calendars, since)
    reached = [name for name, at in zip(STAGES, starts, strict=True) if at <= now]
    return reached[-1] if reached else None
