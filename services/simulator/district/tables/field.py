"""System 7: what citizens report, and how it is answered at once, handled, refused, reopened or left lying."""

from __future__ import annotations

from datetime import datetime

from schemas import field as f
from schemas.types import Priority
from services.simulator.district.workflows import Life, Step, Workflow

SYSTEM = "field"
DAY = 480
_CATEGORIES: tuple[f.Category, ...] = (
    "road", "road", "lighting", "waste", "waste", "water", "construction", "security", "environment", "procedure",
    "health", "other",
)  # fmt: skip
_SCORES = (5, 5, 5, 4, 4, 4, 3, 2, 1)


def _received(x: Life, t: datetime) -> f.ReportReceived:
    course, ward = x.cohort.course, x.cohort.ward
    priority: Priority = "urgent" if course.way == "urgent" else "normal"
    hotline = course.door == "hotline_1022"
    return f.ReportReceived(
        code=x.code("PA"),
        channel="hotline_1022" if hotline else x.dice.pick(1, ("app", "app", "web", "zalo", "officer")),
        category=x.dice.pick(2, _CATEGORIES),
        priority=priority,
        ward=ward.unit,
        latitude=None if hotline else round(ward.latitude + (x.dice.unit(3) - 0.5) / 20, 6),
        longitude=None if hotline else round(ward.longitude + (x.dice.unit(4) - 0.5) / 20, 6),
    )


def _resolved(worked: float, plus: float, at_once: bool = False) -> Step:
    return Step(
        lambda x, t: f.ReportResolved(code=x.code("PA"), handling="answered" if at_once else "handled"), worked, plus
    )


def _rated(worked: float, plus: float) -> Step:
    return Step(lambda x, t: f.ReportRated(code=x.code("PA"), score=x.dice.pick(5, _SCORES)), worked, plus, "ratings")


_RECEIVED = Step(_received)
_VERIFIED = Step(lambda x, t: f.ReportVerified(code=x.code("PA")), plus=4)
_ROUTED = Step(lambda x, t: f.ReportRouted(code=x.code("PA"), to_unit=x.cohort.ward.unit), plus=9)
_ROUTED_LATE = _ROUTED._replace(plus=50)
_ACCEPTED = Step(lambda x, t: f.ReportAccepted(code=x.code("PA")), 100, 10)
_REOPENED = Step(lambda x, t: f.ReportReopened(code=x.code("PA")), 2 * DAY, 700)
_REFUSED = Step(lambda x, t: f.ReportRefused(code=x.code("PA"), reason="not_true"), plus=70)
_FORWARDED = (_RECEIVED, _VERIFIED, _ROUTED, _ACCEPTED)

COURSES = (
    Workflow("answered", SYSTEM, "people", (_RECEIVED, _resolved(0, 7, at_once=True)), often=5, door="hotline_1022"),
    Workflow("handled", SYSTEM, "people", (*_FORWARDED, _resolved(2 * DAY, 30), _rated(2 * DAY, 400)), often=2.4, door="app"),
    Workflow("called_and_handled", SYSTEM, "people", (*_FORWARDED, _resolved(3.5 * DAY, 30)), often=1.4, door="hotline_1022"),
    Workflow("handled_late", SYSTEM, "people", (_RECEIVED, _ROUTED_LATE, _ACCEPTED._replace(plus=60), _resolved(7 * DAY, 60)), often=0.25, door="app"),
    Workflow("urgent", SYSTEM, "people", (_RECEIVED, _ROUTED, Step(_ACCEPTED.make, plus=25), _resolved(0, 100)), often=0.4, way="urgent", door="hotline_1022"),
    Workflow("urgent_late", SYSTEM, "people", (_RECEIVED, _ROUTED, Step(_ACCEPTED.make, plus=80), _resolved(0, 200)), often=0.1, way="urgent", door="app"),
    Workflow("reopened", SYSTEM, "people", (*_FORWARDED, _resolved(2 * DAY, 30), _REOPENED, _resolved(5 * DAY, 800), _rated(5 * DAY, 1200)), often=0.2, door="app"),
    Workflow("refused", SYSTEM, "people", (_RECEIVED, _REFUSED), often=0.5, door="app"),
    Workflow("left_lying", SYSTEM, "people", (_RECEIVED, _VERIFIED, _resolved(9 * DAY, 0)), often=0.1, way="urgent", door="app"),
)  # fmt: skip
