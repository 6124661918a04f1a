"""Which figures the wall shows of each system: first the one that a leader acts on, then two that go with it, under
names that are short enough to be read from five metres."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from schemas.indicators import CATALOGUE, Indicator


class Shown(NamedTuple):
    """A figure of the wall, and what it is called there."""

    code: str
    vi: str
    en: str


WALL: Mapping[str, tuple[Shown, ...]] = {
    "procedures": (
        Shown("dossiers_open_overdue", "Hồ sơ đang quá hạn", "Dossiers overdue"),
        Shown("on_time_share", "Đúng hạn", "On time"),
        Shown("dossiers_due_today", "Đến hạn hôm nay", "Due today"),
    ),
    "economy": (
        Shown("budget_revenue_of_plan", "Thu ngân sách so kế hoạch", "Revenue against plan"),
        Shown("public_investment_of_plan", "Giải ngân vốn công", "Investment"),
        Shown("enterprises_new", "Doanh nghiệp mới", "New enterprises"),
    ),
    "education": (
        Shown("attendance_share", "Tỷ lệ chuyên cần", "Attendance"),
        Shown("school_fees_cashless_share", "Học phí không tiền mặt", "Cashless fees"),
        Shown("pupils", "Học sinh", "Pupils"),
    ),
    "health": (
        Shown("outbreaks_open", "Ổ dịch đang hoạt động", "Outbreaks active"),
        Shown("disease_cases", "Ca truyền nhiễm", "Disease cases"),
        Shown("beds_free", "Giường trống", "Beds free"),
    ),
    "gis": (
        Shown("devices_down", "Thiết bị đang hỏng", "Devices down"),
        Shown("land_parcels_digitised_pct", "Thửa đất số hóa", "Parcels digitised"),
        Shown("map_features", "Trên bản đồ", "On the map"),
    ),
    "security": (
        Shown("security_incidents_open", "Sự cố đang xử lý", "Incidents open"),
        Shown("security_alerts_critical_open", "Cảnh báo nghiêm trọng", "Critical alerts"),
        Shown("antivirus_coverage", "Máy có diệt vi-rút", "Antivirus"),
    ),
    "field": (
        Shown("reports_overdue", "Phản ánh quá hạn", "Reports overdue"),
        Shown("reports_in_time_share", "Đúng hạn", "In time"),
        Shown("reports_received", "Tiếp nhận", "Received"),
    ),
    "social": (
        Shown("crises_open", "Khủng hoảng đang xử lý", "Crises open"),
        Shown("mentions_negative_share", "Tiêu cực", "Negative"),
        Shown("topics_spiked", "Chủ đề tăng vọt", "Topics spiking"),
    ),
}
FIGURES: Mapping[str, tuple[Indicator, ...]] = {
    slug: tuple(CATALOGUE[one.code] for one in shown) for slug, shown in WALL.items()
}
"""System -> its indicators on the wall."""
