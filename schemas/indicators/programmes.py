"""What programmes and reports state of themselves, one row a figure: the part, and where it is printed the whole and the
share, in the system that it belongs to. Each system's catalogue takes its rows from here."""

from __future__ import annotations

from typing import Literal, NamedTuple

from schemas.indicators.formula import Statement
from schemas.indicators.indicator import Indicator


class Programme(NamedTuple):
    """A stated figure: `whole` tells that it is stated as a part of something; the three figures are `code`, `code` +
    WHOLE and `code` + SHARE."""

    code: str
    vi: str
    en: str
    unit: str
    whole: bool = False
    decimals: int = 0
    better: Literal["higher", "lower"] | None = "higher"
    headline: bool = False
    beyond: bool = False


WHOLE, SHARE = "_whole", "_pct"
_P = Programme
PROGRAMMES: dict[str, tuple[Programme, ...]] = {
    "procedures": (
        # Project 06 and VNeID.
        _P("project_06_tasks_done", "Đề án 06: nhiệm vụ hoàn thành, thực hiện thường xuyên", "Project 06: tasks done", "task", True),
        _P("project_06_tasks_in_progress", "Đề án 06: nhiệm vụ đang triển khai", "Project 06: tasks in progress", "task", True, better=None),
        _P("project_06_plans_issued", "Đề án 06: đơn vị đã ban hành kế hoạch", "Project 06: units with a plan", "unit", True),
        _P("project_06_essential_services", "Đề án 06: dịch vụ công thiết yếu đã cung cấp", "Project 06: essential services offered", "service", True),
        _P("project_06_residents_cleaned", "Đề án 06: dữ liệu dân cư đã làm sạch", "Project 06: residents' records cleaned", "record"),
        _P("project_06_civil_status_digitised", "Đề án 06: dữ liệu hộ tịch đã số hóa", "Project 06: civil-status records digitised", "record"),
        _P("project_06_criminal_record_online", "Lý lịch tư pháp nộp qua VNeID", "Criminal records requested on VNeID", "dossier", True),
        _P("project_06_linked_procedures", "Hồ sơ hai nhóm thủ tục liên thông", "Dossiers of the two linked procedure groups", "dossier"),
        _P("vneid_campaign_accounts_activated", "Tài khoản VNeID được kích hoạt", "VNeID accounts activated", "account"),
        _P("vneid_campaign_insurance_cards_linked", "Thẻ BHYT tích hợp VNeID", "Insurance cards linked", "document"),
        _P("vneid_campaign_driving_licences_linked", "Giấy phép lái xe tích hợp VNeID", "Driving licences linked", "document"),
        _P("vneid_campaign_vehicle_registrations_linked", "Đăng ký xe tích hợp VNeID", "Vehicle registrations linked", "document"),
        _P("vneid_campaign_tax_codes_linked", "Mã số thuế tích hợp VNeID", "Tax codes linked", "document"),
        # The reform of procedures and the portal.
        _P("digitisation_province", "Số hóa hồ sơ TTHC cấp tỉnh", "Dossiers digitised, province level", "%", decimals=2),
        _P("digitisation_district", "Số hóa hồ sơ TTHC cấp huyện", "Dossiers digitised, district level", "%", decimals=2),
        _P("digitisation_commune", "Số hóa hồ sơ TTHC cấp xã", "Dossiers digitised, commune level", "%", decimals=2),
        _P("simplification_procedures", "TTHC được cắt giảm, đơn giản hóa", "Procedures simplified", "procedure"),
        _P("simplification_days", "Thời gian giải quyết TTHC được cắt giảm", "Days cut from the limits of procedures", "day", True, 1),
        _P("certified_copies_issued", "Bản sao điện tử đã chứng thực, lũy kế", "Certified e-copies issued so far", "copy"),
        _P("certified_copies_units", "Đơn vị cấp huyện, cấp xã chứng thực bản sao điện tử", "Districts and communes that certify e-copies", "unit", True),
        _P("portal_services_connected", "Dịch vụ công tích hợp lên Cổng DVCQG", "Services connected to the national portal", "service"),
        _P("portal_services_online", "Dịch vụ công trực tuyến", "Online services", "service"),
        _P("portal_services_full", "Dịch vụ công trực tuyến toàn trình", "Fully online services", "service"),
        _P("portal_services_partial", "Dịch vụ công trực tuyến một phần", "Partly online services", "service"),
        _P("portal_offered", "TTHC thuộc thẩm quyền cung cấp trên Cổng DVC", "Procedures in authority offered on the portals", "%", decimals=2),
        _P("portal_offered_rank", "TTHC cung cấp trên Cổng DVC: xếp hạng toàn quốc", "Procedures offered on the portals: national rank", "rank", better="lower"),
        _P("portal_accounts_new", "Tài khoản mới trên Cổng DVC", "New accounts of the portal", "account"),
        _P("portal_points", "Cổng DVC: điểm đánh giá", "Portal: points", "point", decimals=2),
        _P("portal_grade", "Cổng DVC: mức (1 yếu – 5 xuất sắc)", "Portal: grade (1 weak – 5 excellent)", "level"),
        _P("portal_rank", "Cổng DVC: xếp hạng", "Portal: rank", "rank", better="lower"),
        _P("online_services_points", "Dịch vụ công trực tuyến của đơn vị: điểm", "Online services of a unit: points", "point", decimals=2),
        _P("online_services_rank", "Dịch vụ công trực tuyến của đơn vị: xếp hạng", "Online services of a unit: rank", "rank", better="lower"),
    ),
    "economy": (
        _P("grdp", "Tổng sản phẩm trên địa bàn (GRDP)", "Gross regional domestic product (GRDP)", "VND"),
        _P("grdp_growth", "Tốc độ tăng GRDP", "Growth of GRDP", "%", decimals=2, beyond=True),
        _P("income_per_head", "Thu nhập bình quân đầu người", "Income per head", "VND"),
        # New-rural communes.
        _P("new_rural_communes_standard", "Xã đạt chuẩn nông thôn mới", "New-rural communes", "commune", True),
        _P("new_rural_communes_advanced", "Xã đạt chuẩn nông thôn mới nâng cao", "Advanced new-rural communes", "commune", True),
        _P("new_rural_districts_done", "Huyện hoàn thành nhiệm vụ nông thôn mới", "Districts that finished the new-rural task", "district", True),
        # Digital government.
        _P("electronic_documents_province_signed", "Văn bản điện tử ký số cấp tỉnh", "Signed documents, province level", "%"),
        _P("electronic_documents_district_signed", "Văn bản điện tử ký số cấp huyện", "Signed documents, district level", "%"),
        _P("electronic_documents_commune_signed", "Văn bản điện tử ký số cấp xã", "Signed documents, commune level", "%"),
        _P("integration_administrative_units_connected", "Đơn vị hành chính liên thông qua LGSP", "Administrative units connected to LGSP", "unit"),
        _P("integration_other_units_connected", "Đơn vị ngoài công lập liên thông qua LGSP", "Other units connected to LGSP", "unit"),
        _P("dti_points", "Chuyển đổi số (DTI): điểm", "Digital transformation (DTI): points", "point", decimals=2),
        _P("dti_level", "Chuyển đổi số (DTI): mức (1 yếu – 5 xuất sắc)", "Digital transformation (DTI): level (1 weak – 5 excellent)", "level"),
        _P("dti_rank", "Chuyển đổi số (DTI): xếp hạng", "Digital transformation (DTI): rank", "rank", better="lower"),
        _P("dti_departments_good", "DTI: sở, ngành mức Tốt", "DTI: departments good", "unit", True),
        _P("dti_departments_fair", "DTI: sở, ngành mức Khá", "DTI: departments fair", "unit", True, better=None),
        _P("dti_departments_average", "DTI: sở, ngành mức Trung bình", "DTI: departments average", "unit", True, better="lower"),
        _P("dti_districts_good", "DTI: huyện, thị mức Tốt", "DTI: districts good", "unit", True),
        _P("dti_districts_fair", "DTI: huyện, thị mức Khá", "DTI: districts fair", "unit", True, better=None),
        # Digital society.
        _P("digital_teams_commune_teams", "Tổ công nghệ số cộng đồng cấp xã", "Community digital teams, communes", "team"),
        _P("digital_teams_commune_members", "Thành viên tổ công nghệ số cấp xã", "Members of commune teams", "person"),
        _P("digital_teams_village_teams", "Tổ công nghệ số cấp thôn, ấp, khu phố", "Community digital teams, villages", "team"),
        _P("digital_teams_village_members", "Thành viên tổ công nghệ số cấp thôn", "Members of village teams", "person"),
        _P("digital_teams_youth_teams", "Đội thanh niên hỗ trợ chuyển đổi số", "Youth teams for digital transformation", "team"),
        _P("digital_teams_youth_members", "Thành viên đội thanh niên chuyển đổi số", "Members of youth teams", "person"),
        _P("coverage_broadband_villages", "Thôn, ấp, khu phố có internet băng rộng", "Villages with broadband", "village", True),
        _P("coverage_mobile_villages", "Thôn, ấp, khu phố phủ sóng di động", "Villages with mobile coverage", "village", True),
        _P("people_with_sim", "Người dân có SIM chính chủ", "People with a registered SIM", "%", decimals=2),
        _P("people_with_smartphone", "Người trưởng thành dùng điện thoại thông minh", "Adults with a smartphone", "%", decimals=2),
        _P("training_courses", "Lớp tập huấn chuyển đổi số", "Training courses on digital transformation", "course"),
        _P("training_people", "Lượt người được tập huấn chuyển đổi số", "People trained in digital transformation", "person"),
        _P("publicity_news_items", "Tin, bài tuyên truyền chuyển đổi số", "News items on digital transformation", "article"),
    ),
    "health": (
        _P("health_record_residents_with_record", "Nhân khẩu có sổ sức khỏe điện tử trên VNeID", "Residents with a health record on VNeID", "person", True, headline=True),
        _P("health_record_facilities_sending", "Cơ sở khám chữa bệnh BHYT gửi dữ liệu", "Insured facilities sending data", "facility", True),
    ),
    "gis": (
        _P("land_parcels_digitised", "Thửa đất đã số hóa", "Land parcels digitised", "parcel", True, headline=True),
        _P("land_districts_spatial_done", "Huyện hoàn thành CSDL không gian đất đai", "Districts with spatial land data", "district", True),
        _P("land_districts_attribute_done", "Huyện hoàn thành CSDL thuộc tính đất đai", "Districts with attribute land data", "district", True),
        _P("broadcast_loudspeaker_clusters", "Cụm loa truyền thanh thông minh", "Smart loudspeaker clusters", "cluster"),
        _P("broadcast_loudspeakers", "Loa truyền thanh thông minh", "Smart loudspeakers", "device"),
    ),
}  # fmt: skip
"""System -> its stated figures, in the order of the board."""


def stated(system: str) -> tuple[Indicator, ...]:
    """The indicators of a system's rows."""
    return tuple(indicator for row in PROGRAMMES.get(system, ()) for indicator in _of(row))


def _of(row: Programme) -> tuple[Indicator, ...]:
    stated = Statement(row.code)
    part = Indicator(row.code, row.vi, row.en, stated, row.unit, row.decimals, better=row.better, beyond=row.beyond)
    if not row.whole:
        return (part,)
    whole, share = Statement(row.code, "total"), Statement(row.code, "ratio")
    return (
        part,
        Indicator(row.code + WHOLE, f"{row.vi}: tổng số", f"{row.en}: of all", whole, row.unit, row.decimals),
        Indicator(
            row.code + SHARE, _share_of(row.vi), f"{row.en}, share", share, "%", 2, better=row.better,
            headline=row.headline,
        ),
    )  # fmt: skip


def _share_of(vi: str) -> str:
    """`DTI: sở, ngành mức Tốt` -> `Tỷ lệ sở, ngành mức Tốt (DTI)`."""
    programme, _, what = vi.rpartition(": ")
    return f"Tỷ lệ {what[:1].lower()}{what[1:]}" + (f" ({programme})" if programme else "")
