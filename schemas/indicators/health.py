"""System 4: visits, beds, notifiable diseases, and health records on VNeID."""

from __future__ import annotations

from schemas.indicators.formula import Combine, Last, Ratio, Stock, Sum
from schemas.indicators.indicator import Indicator, rows
from schemas.indicators.programmes import stated

SYSTEM = "health"

INDICATORS = rows(
    SYSTEM,
    Indicator("visits", "Lượt khám chữa bệnh", "Visits", Sum("visits"), "visit", headline=True, windows=("today",)),
    Indicator("visits_insured_share", "Tỷ lệ khám bảo hiểm y tế", "Share of visits under health insurance", Ratio(Sum("visits_insured"), Sum("visits")), "%", 2),
    Indicator("beds", "Giường bệnh", "Beds", Last("beds"), "bed"),
    Indicator("beds_free", "Giường bệnh trống", "Free beds", Combine((Last("beds"),), (Last("beds_occupied"),)), "bed", better="higher", headline=True),
    Indicator("bed_occupancy", "Công suất sử dụng giường bệnh", "Bed occupancy", Ratio(Last("beds_occupied"), Last("beds")), "%", 2, better="lower", beyond=True),
    Indicator("disease_cases", "Ca bệnh truyền nhiễm báo cáo", "Notified cases of disease", Sum("disease_cases"), "case", better="lower", headline=True, classes="disease", windows=("week", "week_before")),
    Indicator("disease_cases_confirmed", "Ca bệnh xác định", "Confirmed cases of disease", Sum("disease_cases_confirmed"), "case", better="lower"),
    Indicator("disease_cases_open", "Ca bệnh đang theo dõi", "Cases under observation", Combine((Stock("disease_cases"),), (Stock("disease_cases_closed"),)), "case", better="lower"),
    Indicator("outbreaks_open", "Ổ dịch đang hoạt động", "Outbreaks going on", Combine((Stock("outbreaks_declared"),), (Stock("outbreaks_closed"),)), "outbreak", better="lower", headline=True),
    Indicator("health_records_linked", "Sổ sức khỏe điện tử liên kết trong kỳ", "Health records linked in the period", Sum("health_records_linked"), "person"),
    *stated(SYSTEM),
)  # fmt: skip
