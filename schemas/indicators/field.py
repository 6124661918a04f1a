"""System 7: field reports, and the 1022 hotline in the columns of its monthly summary."""

from __future__ import annotations

from decimal import Decimal

from schemas.indicators.as_reported import as_reported
from schemas.indicators.checks import HOTLINE
from schemas.indicators.formula import Median, Ratio, Stock, Sum
from schemas.indicators.indicator import Indicator, rows

SYSTEM = "field"
_DONE = {"handling": ("answered", "handled", "none")}
"""What was answered or handled: a refused report is no resolved one."""
_LATE = Stock("reports_late", {"stage": ("resolve",)})

INDICATORS = rows(
    SYSTEM,
    Indicator("reports_received", "Phản ánh tiếp nhận", "Reports received", Sum("reports_received"), "report", headline=True, classes="category", windows=("today",)),
    Indicator("reports_in_progress", "Phản ánh đang xử lý", "Reports in progress", Stock("reports_open"), "report", headline=True),
    Indicator("reports_waiting", "Phản ánh chờ phân loại", "Reports nobody has touched", Stock("reports_waiting"), "report", better="lower"),
    Indicator("reports_resolved", "Phản ánh đã xử lý", "Reports done", Sum("reports_resolved", _DONE), "report"),
    Indicator("reports_refused", "Phản ánh bị từ chối", "Reports refused, duplicates included", Sum("reports_resolved", {"handling": ("duplicate", "refused")}), "report"),
    Indicator("reports_duplicate", "Phản ánh trùng", "Reports refused as duplicates", Sum("reports_resolved", {"handling": ("duplicate",)}), "report"),
    Indicator("reports_duplicates_waiting", "Phản ánh trùng chờ kết quả của phản ánh gốc", "Duplicates waiting for the report they repeat", Stock("reports_duplicates"), "report"),
    Indicator("reports_in_time_share", "Tỷ lệ phản ánh xử lý đúng hạn", "Share of reports done in time", Ratio(Sum("reports_resolved", {"outcome": ("in_time",), **_DONE}), Sum("reports_resolved", _DONE)), "%", 2, Decimal(95), "higher", headline=True),
    Indicator("reports_overdue", "Phản ánh quá hạn chưa xử lý", "Open reports overdue", _LATE, "report", better="lower", headline=True),
    Indicator("reports_unrouted_late", "Phản ánh chậm phân loại", "Reports not forwarded in time", Stock("reports_late", {"stage": ("route",)}), "report", better="lower"),
    Indicator("reports_unaccepted_late", "Phản ánh chậm tiếp nhận xử lý", "Reports not taken in time", Stock("reports_late", {"stage": ("accept",)}), "report", better="lower"),
    Indicator("reports_reopened", "Phản ánh mở lại", "Reports reopened", Sum("reports_reopened"), "report", better="lower"),
    Indicator("report_time_mean", "Thời gian xử lý phản ánh bình quân", "Mean time to a result", Ratio(Sum("report_minutes"), Sum("reports_resolved", _DONE), 1), "minute", 1, better="lower"),
    Indicator("report_time_median", "Thời gian xử lý phản ánh, trung vị", "Median time to a result", Median("report_minutes"), "minute", 1, better="lower"),
    Indicator("report_satisfaction", "Tỷ lệ hài lòng về xử lý phản ánh", "Share of satisfied ratings of reports", Ratio(Sum("report_ratings", {"verdict": ("satisfied",)}, "count"), Sum("report_ratings", of="count")), "%", 2, Decimal(90), "higher", headline=True),
    Indicator("hotline_received", "Tổng đài 1022: tin tiếp nhận", "Hotline 1022: messages received", Sum("reports_received", HOTLINE), "message"),
    Indicator("hotline_processed", "Tổng đài 1022: đã xử lý", "Hotline 1022: processed", Sum("reports_resolved", HOTLINE), "message"),
    Indicator("hotline_in_progress", "Tổng đài 1022: đang xử lý", "Hotline 1022: in progress", Stock("reports_open", HOTLINE), "message"),
    Indicator("hotline_answered", "Tổng đài 1022: trả lời trực tiếp", "Hotline 1022: answered directly", Sum("reports_answered", HOTLINE), "message"),
    Indicator("hotline_forwarded", "Tổng đài 1022: chuyển cơ quan xử lý", "Hotline 1022: forwarded to agencies", Sum("reports_routed", HOTLINE), "message"),
)  # fmt: skip
INDICATORS += as_reported(
    INDICATORS, *(f"hotline_{what}" for what in ("received", "processed", "in_progress", "answered", "forwarded"))
)
