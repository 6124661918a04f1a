"""System 2: what other agencies compute and report: plans and results, new-rural communes, digital government, DTI."""

from __future__ import annotations

from schemas.indicators.formula import Ratio, Statement
from schemas.indicators.indicator import Indicator, rows

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
        ),
    )


def _state(code: str, vi: str, en: str, unit: str, decimals: int = 0) -> Indicator:
    return Indicator(code, vi, en, Statement(code), unit, decimals)


def _mean(code: str, vi: str, en: str) -> Indicator:
    return Indicator(code, vi, f"{en}, mean of units", Statement(code, over_units="mean"), "%", 2, better="higher")


INDICATORS = rows(
    SYSTEM,
    *_plan("production_value", "Giá trị sản xuất", "Production value", "VND"),
    *_plan("budget_revenue", "Thu ngân sách nhà nước", "Budget revenue", "VND"),
    *_plan("public_investment", "Giải ngân vốn đầu tư công", "Public investment disbursed", "VND"),
    Indicator("industrial_index", "Chỉ số sản xuất công nghiệp (IIP)", "Index of industrial production", Statement("industrial_index"), "%", 2, better="higher", headline=True),
    Indicator("enterprises_new", "Doanh nghiệp thành lập mới", "New enterprises", Statement("enterprises_new", over_units="sum"), "enterprise", better="higher", headline=True),
    Indicator("poverty_rate", "Tỷ lệ hộ nghèo", "Poverty rate", Statement("poverty_rate"), "%", 2, better="lower", headline=True),
    # Digital government, as each unit reports it every month.
    Indicator("paperless_meetings", "Phòng họp không giấy: số cuộc họp trong kỳ", "Paperless meetings in the period", Statement("paperless_meetings", over_units="sum"), "meeting"),
    Indicator("paperless_meetings_total", "Phòng họp không giấy: luỹ kế", "Paperless meetings so far", Statement("paperless_meetings_total", over_units="sum"), "meeting"),
    _mean("documents_signed_pct", "Văn bản ký số", "Documents signed digitally"),
    _mean("documents_online_pct", "Văn bản xử lý trên môi trường mạng", "Documents handled online"),
    _mean("official_email_pct", "Cán bộ dùng thư điện tử công vụ", "Staff using official e-mail"),
    _state("electronic_documents_province_signed", "Văn bản điện tử ký số cấp tỉnh", "Signed documents, province level", "%"),
    _state("electronic_documents_district_signed", "Văn bản điện tử ký số cấp huyện", "Signed documents, district level", "%"),
    _state("electronic_documents_commune_signed", "Văn bản điện tử ký số cấp xã", "Signed documents, commune level", "%"),
    _state("integration_administrative_units_connected", "Đơn vị hành chính liên thông qua LGSP", "Administrative units connected to LGSP", "unit"),
    _state("integration_other_units_connected", "Đơn vị ngoài công lập liên thông qua LGSP", "Other units connected to LGSP", "unit"),
    _state("digital_teams_commune_teams", "Tổ công nghệ số cộng đồng cấp xã", "Community digital teams, communes", "team"),
    _state("digital_teams_commune_members", "Thành viên tổ công nghệ số cấp xã", "Members of commune teams", "person"),
    _state("digital_teams_village_teams", "Tổ công nghệ số cấp thôn, ấp, khu phố", "Community digital teams, villages", "team"),
    _state("digital_teams_village_members", "Thành viên tổ công nghệ số cấp thôn", "Members of village teams", "person"),
    _state("new_rural_communes_standard", "Xã đạt chuẩn nông thôn mới", "New-rural communes", "commune"),
    Indicator("new_rural_communes_standard_pct", "Xã đạt chuẩn nông thôn mới, tỷ lệ", "New-rural communes, share", Statement("new_rural_communes_standard", "ratio"), "%", 2, better="higher"),
    _state("new_rural_communes_advanced", "Xã đạt chuẩn nông thôn mới nâng cao", "Advanced new-rural communes", "commune"),
    _state("new_rural_districts_done", "Huyện hoàn thành nhiệm vụ nông thôn mới", "Districts that finished the new-rural task", "district"),
    _state("dti_2024_departments_good", "DTI 2024: sở, ngành mức Tốt", "DTI 2024: departments good", "unit"),
    _state("dti_2024_departments_fair", "DTI 2024: sở, ngành mức Khá", "DTI 2024: departments fair", "unit"),
    _state("dti_2024_departments_average", "DTI 2024: sở, ngành mức Trung bình", "DTI 2024: departments average", "unit"),
    _state("dti_2024_districts_good", "DTI 2024: huyện, thị mức Tốt", "DTI 2024: districts good", "unit"),
    _state("dti_2024_districts_fair", "DTI 2024: huyện, thị mức Khá", "DTI 2024: districts fair", "unit"),
)  # fmt: skip
