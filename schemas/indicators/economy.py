"""System 2: what other agencies compute and report: plans and results, new-rural communes, digital government, DTI."""

from __future__ import annotations

from schemas.indicators.formula import Ratio, Statement
from schemas.indicators.indicator import Indicator, rows
from schemas.indicators.programmes import stated

SYSTEM = "economy"


def _plan(code: str, vi: str, en: str, unit: str, decimals: int = 0) -> tuple[Indicator, ...]:
    actual, plan = Statement(code, over_units="sum"), Statement(code, "target", over_units="sum")
    return (
        Indicator(code, vi, en, actual, unit, decimals, better="higher"),
        Indicator(f"{code}_plan", f"{vi}: kế hoạch", f"{en}: plan", plan, unit, decimals),
        Indicator(
            f"{code}_of_plan",
            f"{vi}: so kế hoạch",
            f"{en}: share of the plan",
            Ratio(actual, plan),
            "%",
            2,
            better="higher",
            headline=True,
            beyond=True,
        ),
    )


def _mean(code: str, vi: str, en: str) -> Indicator:
    return Indicator(code, vi, f"{en}, mean of units", Statement(code, over_units="mean"), "%", 2, better="higher")


INDICATORS = rows(
    SYSTEM,
    *_plan("production_value", "Giá trị sản xuất", "Production value", "VND"),
    *_plan("budget_revenue", "Thu ngân sách nhà nước", "Budget revenue", "VND"),
    *_plan("public_investment", "Giải ngân vốn đầu tư công", "Public investment disbursed", "VND"),
    Indicator("industrial_index", "Chỉ số sản xuất công nghiệp (IIP)", "Index of industrial production", Statement("industrial_index"), "%", 2, better="higher", headline=True, beyond=True),
    Indicator("enterprises_new", "Doanh nghiệp thành lập mới", "New enterprises", Statement("enterprises_new", over_units="sum"), "enterprise", better="higher", headline=True),
    Indicator("poverty_rate", "Tỷ lệ hộ nghèo", "Poverty rate", Statement("poverty_rate"), "%", 2, better="lower", headline=True),
    # Digital government, as each unit reports it every month.
    Indicator("paperless_meetings", "Phòng họp không giấy: số cuộc họp trong kỳ", "Paperless meetings in the period", Statement("paperless_meetings", over_units="sum"), "meeting"),
    Indicator("paperless_meetings_total", "Phòng họp không giấy: lũy kế", "Paperless meetings so far", Statement("paperless_meetings_total", over_units="sum"), "meeting"),
    _mean("documents_signed_pct", "Văn bản ký số", "Documents signed digitally"),
    _mean("documents_online_pct", "Văn bản xử lý trên môi trường mạng", "Documents handled online"),
    _mean("official_email_pct", "Cán bộ dùng thư điện tử công vụ", "Staff using official e-mail"),
    *stated(SYSTEM),
)  # fmt: skip
