"""System 3, education: attendance, rosters, results of examinations and how fees were paid. Counts only, no pupil."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from schemas.daily import Daily
from schemas.envelope import EventData
from schemas.fold import Fold, Measure
from schemas.notes import latest
from schemas.retraction import DailyRetraction
from schemas.types import Count, Day, Dong, Slug

SYSTEM = "education"
Level = Literal["kindergarten", "primary", "lower_secondary", "upper_secondary", "continuing"]
SchoolLevel = Annotated[Level, Field(description="level of schooling")]
SchoolYear = Annotated[
    str, StringConstraints(pattern=r"^20\d{2}-20\d{2}$"), Field(description="the school year: `2024-2025`")
]
Exam = Literal["graduation", "entrance_10", "excellent_pupils", "term_1", "term_2"]


class AttendanceReported(
    Daily, event="attendance.reported", system=SYSTEM, entities={"attendance": ("unit", "school", "level", "day")}
):
    """A school reported how many of its pupils were present on a day."""

    parts: ClassVar = {"present": "enrolled"}

    school: Slug = Field(description="code of the school")
    level: SchoolLevel
    enrolled: Count = Field(description="pupils who should be in class")
    present: Count = Field(description="pupils in class, a part of `enrolled`")


class RosterReported(Daily, event="roster.reported", system=SYSTEM, entities={"roster": ("unit", "level", "day")}):
    """A unit stated its schools, classes, pupils and teachers of one level, as of a day."""

    day: Day = Field(description="day on which these were the numbers")
    level: SchoolLevel
    school_year: SchoolYear | None = None
    schools: Count = Field(description="number of schools")
    classes: Count = Field(description="number of classes")
    pupils: Count = Field(description="number of pupils")
    teachers: Count = Field(description="number of teachers")


class ExamPublished(Daily, event="exam.published", system=SYSTEM, entities={"exam": ("unit", "exam", "level", "day")}):
    """The results of an examination were published; `day` is the day of the examination."""

    parts: ClassVar = {"passed": "candidates"}

    day: Day = Field(description="day of the examination")
    exam: Exam = Field(description="which examination")
    level: SchoolLevel
    candidates: Count = Field(description="candidates who took the examination")
    passed: Count = Field(description="candidates who passed, a part of `candidates`")


class SchoolFeeReported(
    Daily, event="school_fee.reported", system=SYSTEM, entities={"school_fee": ("unit", "level", "day")}
):
    """Fees that the schools of one level took in on a day, all of them and those paid without cash."""

    parts: ClassVar = {"cashless_amount": "amount", "cashless_payments": "payments"}

    level: SchoolLevel
    amount: Dong
    cashless_amount: Dong = Field(description="whole đồng paid without cash, a part of `amount`")
    payments: Count = Field(description="number of payments")
    cashless_payments: Count = Field(description="payments without cash, a part of `payments`")


class RosterRetracted(
    DailyRetraction, event="roster.retracted", system=SYSTEM, entities={"roster": ("of_unit", "level", "day")}
):
    """A unit's statement of its schools, classes, pupils and teachers was taken back."""

    level: SchoolLevel


EVENTS: tuple[type[EventData], ...] = (
    AttendanceReported, RosterReported, ExamPublished, SchoolFeeReported, RosterRetracted,
)  # fmt: skip

MEASURES = (
    Measure(
        "pupils_expected",
        "pupil",
        ("level",),
        "Học sinh theo sĩ số",
        "Pupils expected in class",
        covered_by=("pupils_expected",),
    ),
    Measure(
        "pupils_present", "pupil", ("level",), "Học sinh có mặt", "Pupils present", covered_by=("pupils_expected",)
    ),
    Measure("schools", "school", ("level",), "Số trường", "Schools (as of a day)", covered_by=("schools",)),
    Measure("classes", "class", ("level",), "Số lớp", "Classes (as of a day)", covered_by=("schools",)),
    Measure("pupils", "pupil", ("level",), "Số học sinh", "Pupils (as of a day)", covered_by=("schools",)),
    Measure("teachers", "teacher", ("level",), "Số giáo viên", "Teachers (as of a day)", covered_by=("schools",)),
    Measure(
        "exam_candidates",
        "candidate",
        ("exam", "level"),
        "Thí sinh dự thi",
        "Candidates of examinations",
        covered_by=("exam_candidates",),
    ),
    Measure(
        "exam_passes",
        "candidate",
        ("exam", "level"),
        "Thí sinh đạt",
        "Candidates who passed",
        covered_by=("exam_candidates",),
    ),
    Measure("school_fees", "VND", ("level",), "Học phí đã thu", "School fees taken in", covered_by=("school_fees",)),
    Measure(
        "school_fees_cashless",
        "VND",
        ("level",),
        "Học phí thu không dùng tiền mặt",
        "School fees paid without cash",
        covered_by=("school_fees",),
    ),
    Measure(
        "school_fee_payments",
        "payment",
        ("level",),
        "Lượt nộp học phí",
        "Payments of school fees",
        covered_by=("school_fees",),
    ),
    Measure(
        "school_fee_payments_cashless",
        "payment",
        ("level",),
        "Lượt nộp học phí không dùng tiền mặt",
        "Payments of school fees without cash",
        covered_by=("school_fees",),
    ),
)

FOLDS: dict[str, Fold] = {
    "attendance": latest({"pupils_expected": "enrolled", "pupils_present": "present"}, ("level",), "day"),
    "roster": latest({name: name for name in ("schools", "classes", "pupils", "teachers")}, ("level",), "day"),
    "exam": latest({"exam_candidates": "candidates", "exam_passes": "passed"}, ("exam", "level"), "day"),
    "school_fee": latest(
        {
            "school_fees": "amount",
            "school_fees_cashless": "cashless_amount",
            "school_fee_payments": "payments",
            "school_fee_payments_cashless": "cashless_payments",
        },
        ("level",),
        "day",
    ),
}
