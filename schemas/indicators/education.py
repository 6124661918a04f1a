"""System 3: schools, pupils, attendance, fees and results."""

from __future__ import annotations

from decimal import Decimal

from schemas.indicators.formula import Last, Ratio, Sum
from schemas.indicators.indicator import Indicator, rows

SYSTEM = "education"

INDICATORS = rows(
    SYSTEM,
    Indicator("attendance_share", "Tỷ lệ chuyên cần", "Attendance", Ratio(Sum("pupils_present"), Sum("pupils_expected")), "%", 2, Decimal(95), "higher", headline=True, windows=("today",)),
    Indicator("schools", "Số trường học", "Schools", Last("schools"), "school", headline=True),
    Indicator("classes", "Số lớp học", "Classes", Last("classes"), "class"),
    Indicator("pupils", "Số học sinh", "Pupils", Last("pupils"), "pupil", headline=True, classes="level"),
    Indicator("teachers", "Số giáo viên", "Teachers", Last("teachers"), "teacher"),
    Indicator("pupils_per_class", "Sĩ số bình quân", "Pupils per class", Ratio(Last("pupils"), Last("classes"), 1), "pupil", 1, better="lower"),
    Indicator("exam_pass_share", "Tỷ lệ đạt trong các kỳ thi", "Share of candidates who passed", Ratio(Sum("exam_passes"), Sum("exam_candidates")), "%", 2, better="higher"),
    Indicator("school_fees_amount", "Học phí đã thu", "School fees taken in", Sum("school_fees"), "VND"),
    Indicator("school_fees_cashless_share", "Tỷ lệ học phí không dùng tiền mặt", "Share of school fees paid without cash", Ratio(Sum("school_fees_cashless"), Sum("school_fees")), "%", 2, Decimal(80), "higher", headline=True),
)  # fmt: skip
