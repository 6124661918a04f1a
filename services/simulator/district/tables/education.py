"""System 3: schools tell in the morning who is there, in the afternoon what was paid, on Mondays how many they are."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

from schemas import education as ed
from services.simulator.district.workflows import Life, Step, Workflow

SYSTEM = "education"
LEVELS: tuple[ed.Level, ...] = get_args(ed.Level)
_CLASSROOM = 32
_CLASSES = (4, 8, 5, 3, 1)
"""By level, for each hundredth of the district's people that live in the ward."""
_CLASSES_OF_A_SCHOOL = (12, 24, 24, 36, 18)


def _attendance(x: Life, revision: int) -> ed.AttendanceReported:
    """A school is named after its plan and place in it: pupils of two plans are never mixed up."""
    c = x.cohort
    enrolled = x.dice.between(2, 150, 1200)
    away = enrolled * x.dice.between(3, 5, 90) // 1000
    return ed.AttendanceReported(
        day=x.began.date(),
        revision=revision,
        school=f"truong_{c.tag.lower()}_u{c.number}_h{c.start:%H%M}_x{x.number}",
        level=x.dice.pick(1, LEVELS),
        enrolled=enrolled,
        present=enrolled - away // (1 + revision),
    )


def _roster(x: Life, t: datetime) -> ed.RosterReported:
    share = x.cohort.ward.share
    classes = share * _CLASSES[x.number]
    schools = max(1, round(classes / _CLASSES_OF_A_SCHOOL[x.number]))
    begins = t.year if t.month >= 8 else t.year - 1
    return ed.RosterReported(
        day=x.began.date(),
        level=LEVELS[x.number],
        school_year=f"{begins}-{begins + 1}",
        schools=schools,
        classes=classes,
        pupils=classes * _CLASSROOM + x.dice.between(3, -share, share),
        teachers=classes * 3 // 2,
    )


def _exam(x: Life, t: datetime) -> ed.ExamPublished:
    candidates = x.dice.between(1, 120, 900)
    passed = candidates * x.dice.between(2, 82, 100) // 100
    return ed.ExamPublished(
        day=x.began.date(), exam="term_1", level=LEVELS[1 + x.number], candidates=candidates, passed=passed
    )


def _fees(x: Life, t: datetime) -> ed.SchoolFeeReported:
    payments, amount = x.dice.between(1, 5, 80), x.dice.between(2, 200, 900) * 1000
    cashless = payments * x.dice.between(3, 70, 100) // 100
    return ed.SchoolFeeReported(
        day=x.began.date(),
        level=LEVELS[x.number],
        amount=payments * amount,
        cashless_amount=cashless * amount,
        payments=payments,
        cashless_payments=cashless,
    )


_PRESENT = Step(lambda x, t: _attendance(x, 0))
_FOUND = Step(lambda x, t: _attendance(x, 1), 130)

COURSES = (
    Workflow("attendance", SYSTEM, "school", (_PRESENT,), often=20, door="schools"),
    Workflow("attendance_corrected", SYSTEM, "school", (_PRESENT, _FOUND), often=1, door="schools"),
    Workflow("roster", SYSTEM, "week_begins", (Step(_roster),), fixed=len(LEVELS), door="office"),
    Workflow("exam", SYSTEM, "week_begins", (Step(_exam),), fixed=2, door="office"),
    Workflow("fees", SYSTEM, "school_evening", (Step(_fees),), fixed=3, door="fees"),
)
