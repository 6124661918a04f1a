"""System 7, field reports (phản ánh hiện trường) and the 1022 hotline: from a citizen's message to a rated result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from schemas.calendar import Limit
from schemas.calendar_history import CalendarHistory
from schemas.envelope import EventData
from schemas.fold import Fact, Folded, Labels, Measure, Point, in_order, instant, shift_of, verdict
from schemas.types import Instant, Latitude, Longitude, Place, Priority, Reference, Slug, UnitCode

SYSTEM = "field"
Category = Literal[
    "road", "lighting", "waste", "water", "construction", "security", "environment", "procedure", "health", "other"
]
Stage = Literal["route", "accept", "resolve"]
STAGES: tuple[Stage, ...] = ("route", "accept", "resolve")


class ReportEvent(EventData, system=SYSTEM, entities={"report": ("code",)}):
    """Every report event names the report by its code."""

    code: Reference


class ReportReceived(ReportEvent, event="report.received"):
    """A report came in, by the hotline, the app or else. The reporter is not named."""

    channel: Literal["hotline_1022", "app", "web", "zalo", "officer"]
    category: Category
    priority: Priority = "normal"
    ward: UnitCode | None = None
    place: Place | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None


class ReportVerified(ReportEvent, event="report.verified"):
    """It was checked and is real."""


class ReportRefused(ReportEvent, event="report.refused"):
    """It is no case for the authorities, or not true."""

    reason: Slug


class ReportRouted(ReportEvent, event="report.routed"):
    """It was forwarded to the unit that has to handle it."""

    to_unit: UnitCode


class ReportAccepted(ReportEvent, event="report.accepted"):
    """The handling unit took it."""


class ReportResolved(ReportEvent, event="report.resolved"):
    """It was done: answered at once (`answered`) or handled by a unit (`handled`); absent where the source says
    neither."""

    handling: Literal["answered", "handled"] | None = None


class ReportReopened(ReportEvent, event="report.reopened"):
    """The citizen does not accept the result."""


class ReportRated(ReportEvent, event="report.rated"):
    """The citizen rated the handling, 1 (worst) to 5."""

    score: Annotated[int, Field(ge=1, le=5)]


class ReportOverdue(ReportEvent, event="report.overdue"):
    """Published by `deadlines`, once per stage and due time: the level was not kept."""

    stage: Stage
    due_at: Instant


EVENTS: tuple[type[EventData], ...] = (
    ReportReceived, ReportVerified, ReportRefused, ReportRouted, ReportAccepted,
    ReportResolved, ReportReopened, ReportRated, ReportOverdue,
)  # fmt: skip

_REPORT = ("category", "channel", "priority")
_SIGNS = ("reports_received", "reports_resolved")
MEASURES = (
    Measure("reports_received", "report", _REPORT, "Phản ánh tiếp nhận", "Reports received", covered_by=_SIGNS),
    Measure(
        "reports_resolved",
        "report",
        (*_REPORT, "handling", "outcome"),
        "Phản ánh đã xử lý",
        "Reports done, refused ones and each time after a reopening included",
        covered_by=_SIGNS,
    ),
    Measure("reports_open", "report", _REPORT, "Phản ánh đang xử lý", "Open reports (steps)", covered_by=_SIGNS),
    Measure(
        "reports_waiting",
        "report",
        _REPORT,
        "Phản ánh chờ phân loại",
        "Open reports that nobody has touched (steps)",
        covered_by=_SIGNS,
    ),
    Measure(
        "reports_late",
        "report",
        (*_REPORT, "stage"),
        "Phản ánh quá hạn",
        "Open reports beyond a service level (steps)",
        covered_by=_SIGNS,
    ),
    Measure(
        "reports_answered",
        "report",
        _REPORT,
        "Trả lời trực tiếp",
        "Reports answered directly",
        covered_by=_SIGNS,
    ),
    Measure(
        "reports_routed",
        "report",
        _REPORT,
        "Chuyển cơ quan xử lý",
        "Reports forwarded to a unit",
        covered_by=_SIGNS,
    ),
    Measure("reports_reopened", "report", _REPORT, "Phản ánh mở lại", "Reports reopened", covered_by=_SIGNS),
    Measure(
        "report_minutes",
        "minute",
        _REPORT,
        "Thời gian xử lý",
        "Minutes from receipt, or reopening, to the result",
        covered_by=_SIGNS,
    ),
    Measure("report_ratings", "point", ("verdict",), "Điểm hài lòng", "Ratings, 1 to 5", covered_by=_SIGNS),
)

LEVELS: dict[tuple[Stage, str], timedelta | Limit] = {
    ("route", "urgent"): timedelta(minutes=15),
    ("route", "normal"): timedelta(minutes=15),
    ("accept", "urgent"): timedelta(hours=1),
    ("accept", "normal"): Limit(hours=4),
    ("resolve", "urgent"): timedelta(hours=2),
    ("resolve", "normal"): Limit(days=5),
}
"""Service levels by stage and priority: plain time, or working time. Configuration, agreed with the units."""

_RANK = {f"report.{e}": i for i, e in enumerate(
    ("received", "verified", "routed", "accepted", "refused", "resolved", "reopened", "rated", "overdue"))}  # fmt: skip
REACHED = {
    "route": frozenset({"report.routed", "report.accepted", "report.resolved", "report.refused"}),
    "accept": frozenset({"report.accepted", "report.resolved", "report.refused"}),
    "resolve": frozenset({"report.resolved", "report.refused"}),
}


class Episode(NamedTuple):
    """One stretch from receipt (or reopening) to its end; `end` is None while open."""

    start: Fact
    end: Fact | None
    facts: list[Fact]


def fold_report(id: str, facts: Sequence[Fact], calendars: CalendarHistory) -> Folded:
    """See `schemas.fold.Fold`."""
    ordered = in_order(facts, _RANK)
    received = next((f for f in ordered if f.event == "report.received"), None)
    head = received or ordered[0]
    folded = Folded(head.unit, head.origin, _status(ordered), state={**_state(ordered, received), **shift_of(head)})
    if received is None:
        return folded
    episodes = list(_episodes(ordered, received))
    last = episodes[-1]
    folded.opened_at, folded.ended_at = received.time, last.end.time if last.end else None
    folded.due_at = due_at("resolve", received, last, calendars)
    folded.points = list(_points(ordered, received, episodes, calendars))
    owed = [] if last.end else owed_notices(ordered, received, last, calendars)
    folded.notice_at = min((due for _, due in owed), default=None)
    folded.state["owed"] = [[stage, due.isoformat()] for stage, due in owed]
    return folded


def due_at(stage: Stage, received: Fact, episode: Episode, calendars: CalendarHistory) -> datetime:
    """When a stage is due, counted from receipt or reopening (UTC); swaps announced before that, while it was open,
    move it."""
    start, end = episode.start, episode.end.time if episode.end else datetime.max.replace(tzinfo=UTC)
    level = LEVELS[stage, received.data["priority"]]
    if isinstance(level, timedelta):
        return start.time + level
    due = calendars.at(start.time).due_at(start.time, level)
    for announced in calendars.announcements(start.time, end):
        if announced > due:
            break
        due = max(calendars.at(announced).due_at(start.time, level), announced)
    return due.astimezone(UTC)


def owed_notices(
    facts: Sequence[Fact], received: Fact, open_episode: Episode, calendars: CalendarHistory
) -> list[tuple[Stage, datetime]]:
    """The stages not reached in an open episode whose overdue notice is not published yet, with their due times."""
    said = {(f.data["stage"], instant(f.data["due_at"])) for f in facts if f.event == "report.overdue"}
    owed = []
    for stage in STAGES:
        due = due_at(stage, received, open_episode, calendars)
        if not any(f.event in REACHED[stage] for f in open_episode.facts) and (stage, due) not in said:
            owed.append((stage, due))
    return owed


def levels(facts: Sequence[Fact], calendars: CalendarHistory) -> list[tuple[Stage, datetime]]:
    """The stages that an open report has not reached since it came, or was reopened, with their due times; none for
    one that is done."""
    ordered = in_order(facts, _RANK)
    received = next((f for f in ordered if f.event == "report.received"), None)
    if received is None:
        return []
    *_, last = _episodes(ordered, received)
    if last.end:
        return []
    ahead = [stage for stage in STAGES if not any(f.event in REACHED[stage] for f in last.facts)]
    return [(stage, due_at(stage, received, last, calendars)) for stage in ahead]


def _episodes(ordered: list[Fact], received: Fact) -> Iterator[Episode]:
    """A report may be reopened; each stretch has its own clock."""
    start, end, inside = received, None, list[Fact]()
    for fact in ordered:
        if fact.event == "report.reopened" and end is not None:
            yield Episode(start, end, inside)
            start, end, inside = fact, None, []
        elif fact.event in REACHED["resolve"] and end is None:
            end = fact._replace(time=max(fact.time, start.time))
        inside.append(fact)
    yield Episode(start, end, inside)


def _points(
    ordered: list[Fact], received: Fact, episodes: list[Episode], calendars: CalendarHistory
) -> Iterator[Point]:
    labels: Labels = tuple((name, received.data[name]) for name in _REPORT)

    def point(measure: str, extra: Labels, fact: Fact, value: int = 1, at: datetime | None = None) -> Point:
        time = max(at or fact.time, received.time)
        return Point(measure, received.unit, received.origin, (*labels, *extra), time, fact.key, value)

    yield point("reports_received", (), received)
    for number, episode in enumerate(episodes):
        if number:
            yield point("reports_reopened", (), episode.start)
        yield from _episode_points(episode, received, calendars, point)
    for fact in ordered:
        if fact.event == "report.rated":
            score = fact.data["score"]
            yield point("report_ratings", (), fact, score)._replace(labels=(("verdict", verdict(score)),))


def _episode_points(episode: Episode, received: Fact, calendars: CalendarHistory, point: Any) -> Iterator[Point]:
    """Every episode counts by itself, so received + reopened = done + open, at any moment."""
    start, end, facts = episode
    yield point("reports_open", (), start)
    yield point("reports_waiting", (), start)
    if touched := next((f for f in facts if f.event in REACHED["route"]), None):
        yield point("reports_waiting", (), touched, -1, max(touched.time, start.time))
    if routed := next((f for f in facts if f.event == "report.routed"), None):
        yield point("reports_routed", (), routed, 1, max(routed.time, start.time))
    for stage in STAGES:
        yield from _late(stage, episode, received, calendars, point)
    if end is None:
        return
    handling = end.data.get("handling") or ("refused" if end.event == "report.refused" else "none")
    late = end.time > due_at("resolve", received, episode, calendars)
    yield point("reports_open", (), end, -1)
    yield point("reports_resolved", (("handling", handling), ("outcome", "late" if late else "in_time")), end)
    yield point("report_minutes", (), end, int((end.time - start.time).total_seconds()) // 60)
    if handling == "answered":
        yield point("reports_answered", (), end)


def _late(stage: Stage, episode: Episode, received: Fact, calendars: CalendarHistory, point: Any) -> Iterator[Point]:
    due = due_at(stage, received, episode, calendars)
    reached = next((f for f in episode.facts if f.event in REACHED[stage]), None)
    if reached and reached.time <= due:
        return
    yield point("reports_late", (("stage", stage),), episode.start, 1, due)
    if reached:
        yield point("reports_late", (("stage", stage),), reached, -1)


def _status(ordered: list[Fact]) -> str:
    steps = [f.event.removeprefix("report.") for f in ordered if f.event not in ("report.overdue", "report.rated")]
    return steps[-1] if steps else "unknown"


def _state(ordered: list[Fact], received: Fact | None) -> dict[str, Any]:
    routed = [f for f in ordered if f.event == "report.routed"]
    handler = {"to_unit": routed[-1].data["to_unit"]} if routed else {}
    return {**(received.data if received else {}), **handler}


FOLDS = {"report": fold_report}
