"""Why a figure has no value: a closed set of reasons, each told in both languages."""

from __future__ import annotations

from typing import Literal

Code = Literal[
    "ahead", "whole_days", "never", "before", "after", "not_in_period", "not_stated", "not_added",
    "no_data", "denominator", "denominator_0", "numerator", "a_part", "no_unit", "few",
    "forgotten", "components", "no_rules", "not_counted",
]  # fmt: skip

REASONS: dict[Code, tuple[str, str]] = {
    "ahead": ("kỳ báo cáo bắt đầu sau thời điểm này", "the period begins only after that moment"),
    "whole_days": (
        "thời gian này chỉ còn lưu số liệu trọn ngày; hãy xem tại thời điểm cuối ngày",
        "of that time whole days alone are kept; ask as of a day's end",
    ),
    "never": ("chưa từng có sự kiện nào thuộc loại này", "no event of this kind has ever come from here"),
    "before": ("chưa có số liệu trước ngày {}", "no data before {}"),
    "after": ("không có số liệu sau ngày {}", "no data after {}"),
    "not_in_period": ("trong kỳ không có báo cáo", "not reported in the period"),
    "not_stated": ("kỳ này chưa có báo cáo", "not reported for this period"),
    "not_added": (
        "có {} đơn vị báo cáo, không cộng được với nhau; hãy xem theo từng đơn vị",
        "stated by {} units, which are not added; ask by unit",
    ),
    "no_data": ("không có dữ liệu", "no data"),
    "components": ("chưa có số liệu của {} thành phần: {}", "{} components without counts: {}"),
    "no_rules": ("ngày {} chưa có quy định về Bộ chỉ số 766", "on {} there were no rules of index 766"),
    "not_counted": (
        "số chuyển đi hoặc đính chính nhiều hơn số tiếp nhận",
        "more was handed on or corrected than came in",
    ),
    "denominator": ("mẫu số: {}", "denominator: {}"),
    "denominator_0": ("mẫu số bằng 0", "the denominator is 0"),
    "numerator": ("tử số: {}", "numerator: {}"),
    "a_part": ("một thành phần không có dữ liệu", "a part of it has no data"),
    "no_unit": ("chưa đơn vị nào có dữ liệu", "no unit has data"),
    "forgotten": (
        "của kỳ này chỉ còn lưu tổng số, không còn từng trường hợp",
        "of that period sums alone are kept, no single cases",
    ),
    "few": ("không công bố chi tiết", "not shown in detail in public"),
}
"""code -> (vi, en); what is left open is a day, a number or another reason."""


class Reason(str):
    """A reason in English, as commands print it; `vi` is the same in Vietnamese."""

    code: Code
    vi: str

    def __new__(cls, code: Code, *values: object) -> Reason:
        """The reason with what is `told` put into its places."""
        vi, en = REASONS[code]
        reason = super().__new__(cls, en.format(*values))
        reason.code = code
        reason.vi = vi.format(*(getattr(other, "vi", other) for other in values))
        return reason


class Named(str):
    """A name in English that a reason repeats; `vi` is the same in Vietnamese."""

    vi: str

    def __new__(cls, vi: str, en: str) -> Named:
        """A name in both languages."""
        named = super().__new__(cls, en)
        named.vi = vi
        return named
