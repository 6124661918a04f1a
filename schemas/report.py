"""The life of a field report as a pure fold: who has it in hand, which level is due when, and the points it adds.

A report goes from hand to hand: whoever it is routed to has it from then on, with a clock of its own for taking and for
resolving it; the unit before keeps what it did until then. Where it was received it counts as received. A duplicate is
refused, and named to the report that it repeats, whose end is its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from schemas import cases, units
from schemas.calendar import Limit
from schemas.calendar_history import CalendarHistory
from schemas.fold import Fact, Folded, Labels, Point, in_order, instant, shift_of, verdict
from schemas.notes import shown_steps

Stage = Literal["route", "accept", "resolve"]
STAGES: tuple[Stage, ...] = ("route", "accept", "resolve")
LABELS = ("category", "channel", "priority")
LEVELS: dict[tuple[Stage, str], timedelta | Limit] = {
    ("route", "urgent"): timedelta(minutes=15),
    ("route", "normal"): timedelta(minutes=15),
    ("accept", "urgent"): timedelta(hours=1),
    ("accept", "normal"): Limit(hours=4),
    ("resolve", "urgent"): timedelta(hours=2),
    ("resolve", "normal"): Limit(days=5),
}
"""Service levels by stage and priority: plain time, or working time. Configuration, agreed with the units."""
RANK = {f"report.{e}": i for i, e in enumerate(
    ("received", "verified", "routed", "accepted", "refused", "resolved", "reopened", "rated", "overdue"))}  # fmt: skip
REACHED = {
    "route": frozenset({"report.routed", "report.accepted", "report.resolved", "report.refused"}),
    "accept": frozenset({"report.accepted", "report.resolved", "report.refused"}),
    "resolve": frozenset({"report.resolved", "report.refused"}),
}
_NO_STEP = ("report.overdue", "report.rated")
ALIKE_DAYS, ALIKE_METRES = timedelta(days=7), 100.0
"""Open reports of one category that came in so soon after one another, so near one another, may be the same matter."""


class Leg(NamedTuple):
    """One unit's stretch of an open report: `since` then it has it, `clock` is what its levels count from.

    `start` and `end` are the facts that gave it to the unit and took it away (None while it has it).
    """

    unit: str
    since: datetime
    clock: datetime
    start: Fact
    end: Fact | None
    facts: list[Fact]
    stages: tuple[Stage, ...]


@dataclass(slots=True)
class Episode:
    """One stretch from receipt (or reopening) to its end; `end` is None while open."""

    start: Fact
    legs: list[Leg] = field(default_factory=list)
    end: Fact | None = None
    touched: Fact | None = None
    routed: tuple[Fact, str] | None = None

    @property
    def last(self) -> Leg:
        """The unit's stretch that the episode ends with so far."""
        return self.legs[-1]


@dataclass(slots=True)
class _Story:
    """A report read in order. `hands`: from when on which unit has it, or would have it if it was reopened."""

    received: Fact
    episodes: list[Episode]
    hands: list[tuple[datetime, str]]

    def unit_at(self, moment: datetime) -> str:
        """Who has it in hand at a moment; before all, where it was received."""
        return next((unit for since, unit in reversed(self.hands) if since <= moment), self.hands[0][1])


def fold_report(id: str, facts: Sequence[Fact], calendars: CalendarHistory) -> Folded:
    """See `schemas.fold.Fold`."""
    ordered = in_order(facts, RANK)
    own = [f for f in ordered if not repeats(id, f)]
    links = _links(id, ordered)
    story = _read(own)
    head = story.received if story else ordered[0]
    folded = Folded(head.unit, head.origin, _status(own, story), state={**_state(own, story), **shift_of(head)})
    if story is None:
        return folded
    last = story.episodes[-1]
    folded.unit = story.hands[-1][1]
    folded.opened_at, folded.ended_at = story.received.time, last.end.time if last.end else None
    folded.due_at = due_at("resolve", story.received, last.last, calendars)
    folded.points = [*_points(own, story, calendars), *_duplicates(links, story)]
    ahead = _ahead(story, calendars)
    said = {(f.data["stage"], instant(f.data["due_at"])) for f in own if f.event == "report.overdue"}
    owed = [(stage, due) for stage, due in ahead if (stage, due) not in said]
    folded.notice_at = min((due for _, due in owed), default=None)
    folded.state |= {cases.STATE: cases.stages_json(ahead), "owed": cases.stages_json(owed), **_noticed(links, story)}
    return folded


def _links(id: str, ordered: Sequence[Fact]) -> list[Fact]:
    """What names a report that repeats this one, for the first time."""
    first: dict[tuple[str, str], Fact] = {}
    for fact in ordered:
        if repeats(id, fact):
            first.setdefault((fact.data["code"], fact.unit), fact)
    return list(first.values())


def repeats(id: str, fact: Fact) -> bool:
    """Whether a fact is the refusal of another report, which repeats this one."""
    own = id.rpartition("|")[2]
    return fact.event == "report.refused" and fact.data.get("duplicate_of") == own != fact.data["code"]


def due_at(stage: Stage, received: Fact, leg: Leg, calendars: CalendarHistory) -> datetime:
    """When a stage is due in a unit's hands (UTC); swaps announced before that, while it had it, move it."""
    level = LEVELS[stage, received.data["priority"]]
    if isinstance(level, timedelta):
        return leg.clock + level
    due = calendars.at(leg.clock).due_at(leg.clock, level)
    for announced in calendars.announcements(leg.clock, leg.end.time if leg.end else datetime.max.replace(tzinfo=UTC)):
        if announced > due:
            break
        due = max(calendars.at(announced).due_at(leg.clock, level), announced)
    return due.astimezone(UTC)


def _ahead(story: _Story, calendars: CalendarHistory) -> list[tuple[Stage, datetime]]:
    """The stages that the unit with an open report has not reached, with their due times; none for one that is done."""
    last = story.episodes[-1]
    if last.end:
        return []
    open_ = [stage for stage in last.last.stages if _reached(stage, last.last) is None]
    return [(stage, due_at(stage, story.received, last.last, calendars)) for stage in open_]


def _reached(stage: Stage, leg: Leg) -> Fact | None:
    return next((f for f in leg.facts if f.event in REACHED[stage]), None)


def _read(own: Sequence[Fact]) -> _Story | None:
    received = next((f for f in own if f.event == "report.received"), None)
    if received is None:
        return None
    story = _Story(received, [], [(received.time, received.unit)])
    _begin(story, received)
    for fact in own:
        _take(story, fact)
    return story


def _begin(story: _Story, start: Fact) -> None:
    unit = story.hands[-1][1]
    if units.succeeds(start.unit, unit):
        unit = start.unit
        story.hands.append((start.time, unit))
    story.episodes.append(Episode(start, [Leg(unit, start.time, start.time, start, None, [], STAGES)]))


def _take(story: _Story, fact: Fact) -> None:
    episode = story.episodes[-1]
    if episode.end is not None:
        if fact.event == "report.routed":
            story.hands.append((max(fact.time, episode.end.time), fact.data["to_unit"]))
        elif fact.event == "report.reopened":
            _begin(story, fact)
        return
    now = fact._replace(time=max(fact.time, episode.start.time))
    if fact.event == "report.routed":
        episode.routed = episode.routed or (now, episode.last.unit)
    if fact.event in REACHED["route"]:
        episode.touched = episode.touched or now
    episode.last.facts.append(now)
    if taker := _taker(story, now):
        _hand(story, now, taker)
    if now.event in REACHED["resolve"]:
        episode.end = now
        episode.legs[-1] = episode.last._replace(end=now)


def _taker(story: _Story, fact: Fact) -> str | None:
    """Who has the report from this fact on, where that is another unit than before."""
    unit = story.hands[-1][1]
    if fact.event == "report.routed":
        to = fact.data.get("to_unit", unit)
        return to if to != unit else None
    if fact.event in _NO_STEP or fact.unit == unit:
        return None
    # A centre may post for the units it has routed to; a unit that never had the report takes it by accepting it.
    takes = fact.event == "report.accepted" and all(fact.unit != had for _, had in story.hands)
    return fact.unit if takes or units.succeeds(fact.unit, unit) else None


def _hand(story: _Story, fact: Fact, taker: str) -> None:
    episode, before = story.episodes[-1], story.episodes[-1].last
    heir = units.succeeds(taker, before.unit)
    clock, facts = (before.clock, list(before.facts)) if heir else (fact.time, [fact])
    stages = before.stages if heir else STAGES[1:]
    episode.legs[-1] = before._replace(end=fact)
    episode.legs.append(Leg(taker, fact.time, clock, fact, None, facts, stages))
    story.hands.append((fact.time, taker))


Make = Callable[..., Point]


def _points(own: Sequence[Fact], story: _Story, calendars: CalendarHistory) -> Iterator[Point]:
    received, point = story.received, _maker(story)
    yield point("reports_received", received.unit, received)
    for number, episode in enumerate(story.episodes):
        if number:
            yield point("reports_reopened", episode.legs[0].unit, episode.start)
        yield from _episode_points(episode, story, calendars, point)
    for fact in own:
        if fact.event == "report.rated":
            score = fact.data["score"]
            rated = point("report_ratings", story.unit_at(fact.time), fact, value=score)
            yield rated._replace(labels=(("verdict", verdict(score)),))


def _maker(story: _Story) -> Make:
    received = story.received
    labels: Labels = tuple((name, received.data[name]) for name in LABELS)

    def point(
        measure: str, unit: str, fact: Fact, extra: Labels = (), value: int = 1, at: datetime | None = None
    ) -> Point:
        time = max(at or fact.time, received.time)
        return Point(measure, unit, received.origin, (*labels, *extra), time, fact.key, value)

    return point


def _episode_points(episode: Episode, story: _Story, calendars: CalendarHistory, point: Make) -> Iterator[Point]:
    """Every episode counts by itself, so received + reopened + handed = done + open, in every unit at any moment."""
    for number, leg in enumerate(episode.legs):
        yield from _leg_points(leg, story.received, calendars, point)
        if number:
            yield point("reports_handed", episode.legs[number - 1].unit, leg.start, value=-1)
            yield point("reports_handed", leg.unit, leg.start)
    yield from _waiting(episode, point)
    if episode.routed:
        yield point("reports_routed", episode.routed[1], episode.routed[0])
    if episode.end:
        yield from _end_points(episode, episode.end, story.received, calendars, point)


def _leg_points(leg: Leg, received: Fact, calendars: CalendarHistory, point: Make) -> Iterator[Point]:
    yield point("reports_open", leg.unit, leg.start, at=leg.since)
    if leg.end:
        yield point("reports_open", leg.unit, leg.end, value=-1)
    for stage in leg.stages:
        begins = max(due_at(stage, received, leg, calendars), leg.since)
        stops = _reached(stage, leg) or leg.end
        if stops is None or stops.time > begins:
            late = (("stage", stage),)
            yield point("reports_late", leg.unit, leg.start, late, at=begins)
            if stops:
                yield point("reports_late", leg.unit, stops, late, -1)


def _waiting(episode: Episode, point: Make) -> Iterator[Point]:
    """Nobody has touched it: in the hands of each unit until then."""
    touched = episode.touched
    for number, leg in enumerate(episode.legs):
        if number and touched and touched.time <= leg.since:
            return
        yield point("reports_waiting", leg.unit, leg.start, at=leg.since)
        stops = [f for f in (touched, leg.end) if f]
        if stops:
            first = min(stops, key=lambda f: f.time)
            yield point("reports_waiting", leg.unit, first, value=-1)


def _end_points(
    episode: Episode, end: Fact, received: Fact, calendars: CalendarHistory, point: Make
) -> Iterator[Point]:
    unit, how = episode.last.unit, _handling(end)
    late = end.time > due_at("resolve", received, episode.last, calendars)
    outcome = (("handling", how), ("outcome", "late" if late else "in_time"))
    yield point("reports_resolved", unit, end, outcome)
    if how not in ("refused", "duplicate"):
        took = int((end.time - episode.start.time).total_seconds()) // 60
        yield point("report_minutes", unit, end, value=took)
    if how == "answered":
        yield point("reports_answered", unit, end)


def _handling(end: Fact) -> str:
    if end.event == "report.refused":
        return "duplicate" if end.data.get("reason") == "duplicate" else "refused"
    return end.data.get("handling") or "none"


def _duplicates(links: Sequence[Fact], story: _Story) -> Iterator[Point]:
    """Each report that repeats this one waits for its end: of the episode in which it was named, or a later one."""
    point = _maker(story)
    for link in links:
        named = max(link.time, story.received.time)
        yield point("reports_duplicates", story.unit_at(named), link, at=named)
        begun = sum(e.start.time <= named for e in story.episodes)
        ends = (e.end for e in story.episodes[begun - 1 :])
        end = next((end for end in ends if end and _handling(end) != "duplicate"), None)
        if end:
            answered = max(named, end.time)
            yield point("reports_duplicates", story.unit_at(named), _ended_by(end, link), value=-1, at=answered)


def _ended_by(end: Fact, link: Fact) -> Fact:
    """What ends the wait of a duplicate: the end, or its naming where that came later."""
    return end if end.time >= link.time else link


def _noticed(links: Sequence[Fact], story: _Story) -> dict[str, Any]:
    """How many reports repeat this one; and that they do so in vain, where it repeats another itself."""
    end = story.episodes[-1].end
    chain = end is not None and _handling(end) == "duplicate"
    found = [["duplicate_of_duplicate", f.key, {"unit": f.unit}] for f in links if chain]
    extra: dict[str, Any] = {"duplicates": len(links), "findings": found}
    return {name: value for name, value in extra.items() if value}


def _status(own: Sequence[Fact], story: _Story | None) -> str:
    """Its end, else its last step."""
    if story and (end := story.episodes[-1].end):
        return end.event.removeprefix("report.")
    steps = [f.event.removeprefix("report.") for f in own if f.event not in _NO_STEP]
    return next((step for step in reversed(steps) if step != "received"), steps[-1] if steps else "unknown")


def _state(own: Sequence[Fact], story: _Story | None) -> dict[str, Any]:
    routed = [f for f in own if f.event == "report.routed"]
    handler = {"to_unit": routed[-1].data["to_unit"]} if routed else {}
    ends = [end for episode in story.episodes[-1:] if (end := episode.end)] if story else own
    master = next((f.data["duplicate_of"] for f in ends if f.data.get("duplicate_of")), None)
    extra = {"duplicate_of": master} if master else {}
    if story and story.hands[-1][1] != story.received.unit:
        extra["received_by"] = story.received.unit
    return {**(story.received.data if story else {}), **handler, **extra}


def shows(fact: Fact, first: bool, under_way: bool, folded: Folded) -> bool:
    """See `schemas.notes.Shows`: its steps are its status; a notice told is owed no more, if its stage was late."""
    if fact.event == "report.overdue":
        due, stage = instant(fact.data["due_at"]), ("stage", fact.data["stage"])
        return any(p.measure == "reports_late" and p.time == due and stage in p.labels for p in folded.points)
    return _is_status(fact, first, under_way, folded)


_is_status = shown_steps(RANK.keys() - REACHED["resolve"] - {"report.rated", "report.overdue"})
