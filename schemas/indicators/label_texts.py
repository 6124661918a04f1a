"""What the values of a class are called, in both languages: channels, diseases, categories, layers …"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from schemas import units
from schemas.indicators.formula import Combine, Distinct, Formula, Ratio, Score, Statement, UnitMean, children
from schemas.registry import MEASURES, SYSTEMS

Language = Literal["vi", "en"]


class Text(NamedTuple):
    """The same words in both languages."""

    vi: str
    en: str

    def said(self, language: Language) -> str:
        """The words in one of them."""
        return self.vi if language == "vi" else self.en


Words = Mapping[str, Text]

CHANNELS: Words = {
    "counter": Text("trực tiếp", "counter"),
    "online": Text("trực tuyến", "online"),
    "post": Text("bưu chính", "post"),
}
PORTALS: Words = {
    "national": Text("Cổng Dịch vụ công quốc gia", "national portal"),
    "provincial": Text("hệ thống của tỉnh", "provincial portal"),
    "own": Text("phần mềm riêng của đơn vị", "the office's own software"),
    "ministry": Text("hệ thống của bộ, ngành", "a ministry's system"),
    "ministry_agriculture": Text("Bộ Nông nghiệp và Môi trường", "Ministry of Agriculture and Environment"),
    "ministry_construction": Text("Bộ Xây dựng", "Ministry of Construction"),
    "ministry_culture": Text("Bộ Văn hóa, Thể thao và Du lịch", "Ministry of Culture, Sports and Tourism"),
    "ministry_education": Text("Bộ Giáo dục và Đào tạo", "Ministry of Education and Training"),
    "ministry_health": Text("Bộ Y tế", "Ministry of Health"),
    "ministry_home_affairs": Text("Bộ Nội vụ", "Ministry of Home Affairs"),
    "ministry_industry_trade": Text("Bộ Công Thương", "Ministry of Industry and Trade"),
    "ministry_justice": Text("Bộ Tư pháp", "Ministry of Justice"),
}
CATEGORIES: Words = {
    "road": Text("đường sá", "roads"),
    "lighting": Text("chiếu sáng", "lighting"),
    "waste": Text("rác thải", "waste"),
    "water": Text("cấp thoát nước", "water"),
    "construction": Text("xây dựng", "construction"),
    "security": Text("an ninh trật tự", "public order"),
    "environment": Text("môi trường", "environment"),
    "procedure": Text("thủ tục hành chính", "procedures"),
    "health": Text("y tế", "health"),
    "other": Text("khác", "other"),
}
LAYERS: Words = {
    "unit": Text("trụ sở đơn vị", "offices"),
    "one_stop": Text("bộ phận một cửa", "one-stop desks"),
    "school": Text("trường học", "schools"),
    "clinic": Text("cơ sở y tế", "clinics"),
    "police": Text("công an", "police"),
    "camera": Text("camera", "cameras"),
    "loudspeaker": Text("loa truyền thanh", "loudspeakers"),
    "wifi": Text("điểm wifi", "wifi"),
    "sensor": Text("cảm biến", "sensors"),
    "market": Text("chợ", "markets"),
    "park": Text("công viên", "parks"),
    "heritage": Text("di tích", "heritage"),
    "other": Text("khác", "other"),
}
FIELDS: Words = {
    "agriculture": Text("nông nghiệp", "agriculture"),
    "business": Text("đăng ký kinh doanh", "business"),
    "construction": Text("xây dựng", "construction"),
    "culture": Text("văn hóa", "culture"),
    "education": Text("giáo dục", "education"),
    "environment": Text("môi trường", "environment"),
    "finance": Text("tài chính", "finance"),
    "health": Text("y tế", "health"),
    "justice": Text("tư pháp - hộ tịch", "justice"),
    "labour": Text("lao động", "labour"),
    "land": Text("đất đai", "land"),
    "social_protection": Text("bảo trợ xã hội", "social protection"),
    "energy": Text("năng lượng", "energy"),
    "forestry": Text("lâm nghiệp", "forestry"),
    "home_affairs": Text("nội vụ", "home affairs"),
    "information": Text("thông tin - truyền thông", "information"),
    "investment": Text("đầu tư", "investment"),
    "residence": Text("cư trú", "residence"),
    "science": Text("khoa học - công nghệ", "science"),
    "security": Text("an ninh trật tự", "public order"),
    "tourism": Text("du lịch", "tourism"),
    "trade": Text("công thương", "trade"),
    "transport": Text("giao thông", "transport"),
    "none": Text("chưa phân loại", "not classified"),
}
"""The fields of administrative procedures that are known so far; a source may send others."""
REPORT_CHANNELS: Words = {
    "hotline_1022": Text("tổng đài 1022", "hotline 1022"),
    "app": Text("ứng dụng", "app"),
    "web": Text("cổng thông tin", "web"),
    "zalo": Text("Zalo", "Zalo"),
    "officer": Text("cán bộ", "officer"),
}
"""The ways by which a field report comes in."""
LIFE: Words = {
    "dossier.submitted": Text("mới nộp", "submitted"),
    "dossier.accepted": Text("tiếp nhận", "accepted"),
    "dossier.refused": Text("không tiếp nhận", "refused"),
    "dossier.processing_started": Text("đang xử lý", "being processed"),
    "dossier.supplement_requested": Text("yêu cầu bổ sung giấy tờ", "papers requested"),
    "dossier.supplement_received": Text("đã bổ sung giấy tờ", "papers received"),
    "dossier.payment_requested": Text("yêu cầu thực hiện nghĩa vụ tài chính", "payment requested"),
    "payment.made": Text("đã nộp tiền", "paid"),
    "payment.refunded": Text("hoàn tiền", "refunded"),
    "dossier.withdrawn": Text("công dân rút hồ sơ", "withdrawn"),
    "dossier.stopped": Text("dừng xử lý", "stopped"),
    "dossier.extended": Text("xin lỗi, hẹn lại ngày trả", "new date given with an apology"),
    "dossier.due_soon": Text("nhắc sắp đến hạn", "due soon"),
    "dossier.overdue": Text("quá hạn", "overdue"),
    "dossier.resolved": Text("đã xử lý xong", "resolved"),
    "dossier.returned": Text("đã trả kết quả", "result returned"),
    "dossier.rated": Text("đánh giá", "rated"),
    "dossier.synchronised": Text("đồng bộ lên Cổng dịch vụ công quốc gia", "synchronised with the national portal"),
    "report.received": Text("mới tiếp nhận", "received"),
    "report.verified": Text("đã xác minh", "verified"),
    "report.refused": Text("từ chối", "refused"),
    "report.routed": Text("chuyển đơn vị xử lý", "routed"),
    "report.accepted": Text("đơn vị nhận xử lý", "accepted by the unit"),
    "report.resolved": Text("đã trả kết quả", "resolved"),
    "report.reopened": Text("mở lại", "reopened"),
    "report.rated": Text("đánh giá", "rated"),
    "report.overdue": Text("quá hạn", "overdue"),
}
"""The events in the life of a dossier and of a report."""
_SUBJECTS: Words = {
    "dossier": Text("Hồ sơ", "Dossier"),
    "payment": Text("Thanh toán", "Payment"),
    "report": Text("Phản ánh", "Report"),
}
EVENTS: dict[str, Text] = {
    **{
        event: Text(
            *(f"{subject}: {words}" for subject, words in zip(_SUBJECTS[event.split(".")[0]], did, strict=True))
        )
        for event, did in LIFE.items()
    },
    "procedure.published": Text("Thủ tục: công bố", "Procedure: published"),
    "calendar.changed": Text("Lịch làm việc: thay đổi", "Working days: changed"),
    "indicator.reported": Text("Số liệu thống kê: công bố", "Statistic: published"),
    "indicator.revised": Text("Số liệu thống kê: đính chính", "Statistic: corrected"),
    "indicator.target_set": Text("Mục tiêu: giao", "Target: set"),
    "indicator.retracted": Text("Số liệu thống kê: thu hồi", "Statistic: taken back"),
    "indicator.target_retracted": Text("Mục tiêu: thu hồi", "Target: taken back"),
    "attendance.reported": Text("Học sinh có mặt: báo cáo", "Attendance: reported"),
    "roster.reported": Text("Trường, lớp, học sinh: báo cáo", "Schools and pupils: reported"),
    "roster.retracted": Text("Trường, lớp, học sinh: thu hồi", "Schools and pupils: taken back"),
    "exam.published": Text("Kết quả thi: công bố", "Examination: results published"),
    "school_fee.reported": Text("Học phí: báo cáo", "School fees: reported"),
    "visits.reported": Text("Lượt khám, chữa bệnh: báo cáo", "Visits: reported"),
    "visits.retracted": Text("Lượt khám, chữa bệnh: thu hồi", "Visits: taken back"),
    "beds.reported": Text("Giường bệnh: báo cáo", "Beds: reported"),
    "beds.retracted": Text("Giường bệnh: thu hồi", "Beds: taken back"),
    "disease.notified": Text("Ca bệnh truyền nhiễm: khai báo", "Disease: notified"),
    "disease.confirmed": Text("Ca bệnh truyền nhiễm: xác định", "Disease: confirmed"),
    "disease.closed": Text("Ca bệnh truyền nhiễm: kết thúc theo dõi", "Disease: closed"),
    "outbreak.declared": Text("Ổ dịch: công bố", "Outbreak: declared"),
    "outbreak.closed": Text("Ổ dịch: kết thúc", "Outbreak: over"),
    "health_record.linked": Text("Sổ sức khỏe điện tử: liên kết VNeID", "Health records: linked to VNeID"),
    "health_record.retracted": Text("Sổ sức khỏe điện tử: thu hồi", "Health records: taken back"),
    "feature.upserted": Text("Đối tượng bản đồ: cập nhật", "Map feature: updated"),
    "feature.retired": Text("Đối tượng bản đồ: gỡ bỏ", "Map feature: removed"),
    "device.state_changed": Text("Thiết bị: đổi trạng thái", "Device: changed its state"),
    "alert.raised": Text("Cảnh báo an toàn thông tin: phát sinh", "Security alert: raised"),
    "alert.acknowledged": Text("Cảnh báo an toàn thông tin: tiếp nhận", "Security alert: acknowledged"),
    "alert.closed": Text("Cảnh báo an toàn thông tin: kết thúc", "Security alert: closed"),
    "antivirus.reported": Text("Phần mềm diệt vi rút: báo cáo", "Antivirus: reported"),
    "antivirus.retracted": Text("Phần mềm diệt vi rút: thu hồi", "Antivirus: taken back"),
    "service.down": Text("Dịch vụ: gián đoạn", "Service: down"),
    "service.up": Text("Dịch vụ: hoạt động lại", "Service: up"),
    "incident.opened": Text("Sự cố an toàn thông tin: phát sinh", "Security incident: opened"),
    "incident.contained": Text("Sự cố an toàn thông tin: khoanh vùng", "Security incident: contained"),
    "incident.closed": Text("Sự cố an toàn thông tin: khắc phục xong", "Security incident: closed"),
    "mention.aggregated": Text("Lượt nhắc trên mạng: tổng hợp", "Mentions: counted"),
    "topic.spiked": Text("Chủ đề: tăng đột biến", "Topic: rose suddenly"),
    "crisis.opened": Text("Khủng hoảng truyền thông: phát sinh", "Crisis: opened"),
    "crisis.closed": Text("Khủng hoảng truyền thông: kết thúc", "Crisis: over"),
}
"""What each event is called where people read it."""
SOURCES: Words = {
    "procedures": Text("Hệ thống một cửa", "One-stop system"),
    "payments": Text("Hệ thống thanh toán", "Payment system"),
    "field": Text("Hệ thống phản ánh", "Report system"),
    "deadlines": Text("Theo dõi thời hạn", "Deadlines"),
    "board": Text("Bảng điều hành", "Board"),
    "scenario": Text("Số liệu công bố", "Published data"),
    "simulator": Text("Mô phỏng", "Simulation"),
}
"""The first step of the path by which a source names itself -> what the source is called."""
CHANNELS_OF_SOURCES: Words = {
    **REPORT_CHANNELS,
    "antivirus": Text("phòng chống mã độc", "antivirus"),
    "cdc": Text("kiểm soát bệnh tật", "disease control"),
    "clinics": Text("trạm y tế", "clinics"),
    "desk": Text("bộ phận trực", "duty desk"),
    "fees": Text("học phí", "fees"),
    "finance": Text("tài chính", "finance"),
    "forum": Text("diễn đàn", "forum"),
    "hospitals": Text("bệnh viện", "hospitals"),
    "laboratory": Text("xét nghiệm", "laboratory"),
    "listening": Text("lắng nghe mạng xã hội", "social listening"),
    "map": Text("bản đồ", "map"),
    "news": Text("báo điện tử", "news"),
    "november-2024": Text("tháng 11/2024", "November 2024"),
    "office": Text("phòng chuyên môn", "office"),
    "one_stop": Text("một cửa", "one-stop desk"),
    "payments": Text("thanh toán", "payments"),
    "portal": Text("Cổng dịch vụ công", "portal"),
    "probes": Text("giám sát dịch vụ", "probes"),
    "ratings": Text("đánh giá", "ratings"),
    "schools": Text("trường học", "schools"),
    "sensors": Text("cảm biến", "sensors"),
    "statistics": Text("thống kê", "statistics"),
    "survey": Text("khảo sát", "survey"),
    "vneid": Text("VNeID", "VNeID"),
    "wards": Text("phường, xã", "wards"),
}
"""A later step of that path, where it is neither a system nor a unit."""
CLASSES: Mapping[str, Words] = {
    "channel": CHANNELS,
    "kind": {"tax": Text("nghĩa vụ tài chính", "tax"), "fee": Text("phí, lệ phí", "fee")},
    "level": {
        "kindergarten": Text("mầm non", "kindergarten"),
        "primary": Text("tiểu học", "primary"),
        "lower_secondary": Text("trung học cơ sở", "lower secondary"),
        "upper_secondary": Text("trung học phổ thông", "upper secondary"),
        "continuing": Text("giáo dục thường xuyên", "continuing"),
    },
    "disease": {
        "anthrax": Text("bệnh than", "anthrax"),
        "chickenpox": Text("thủy đậu", "chickenpox"),
        "cholera": Text("tả", "cholera"),
        "covid_19": Text("COVID-19", "COVID-19"),
        "dengue": Text("sốt xuất huyết Dengue", "dengue"),
        "diphtheria": Text("bạch hầu", "diphtheria"),
        "hand_foot_mouth": Text("tay chân miệng", "hand, foot and mouth"),
        "influenza_a": Text("cúm A", "influenza A"),
        "leptospirosis": Text("xoắn khuẩn vàng da", "leptospirosis"),
        "malaria": Text("sốt rét", "malaria"),
        "measles": Text("sởi", "measles"),
        "meningococcal": Text("não mô cầu", "meningococcal disease"),
        "mpox": Text("đậu mùa khỉ", "mpox"),
        "mumps": Text("quai bị", "mumps"),
        "pertussis": Text("ho gà", "pertussis"),
        "plague": Text("dịch hạch", "plague"),
        "rabies": Text("dại", "rabies"),
        "rubella": Text("rubella", "rubella"),
        "tetanus": Text("uốn ván", "tetanus"),
        "tuberculosis": Text("lao", "tuberculosis"),
        "typhoid": Text("thương hàn", "typhoid"),
        "viral_encephalitis": Text("viêm não vi rút", "viral encephalitis"),
        "viral_hepatitis": Text("viêm gan vi rút", "viral hepatitis"),
        "zika": Text("Zika", "Zika"),
        "other": Text("khác", "other"),
    },
    "layer": LAYERS,
    "severity": {
        "low": Text("thấp", "low"),
        "medium": Text("trung bình", "medium"),
        "high": Text("cao", "high"),
        "critical": Text("nghiêm trọng", "critical"),
    },
    "category": CATEGORIES,
    "tone": {
        "positive": Text("tích cực", "positive"),
        "neutral": Text("trung lập", "neutral"),
        "negative": Text("tiêu cực", "negative"),
    },
}
"""label of a figure by class -> its values."""

OTHERS: Mapping[str, Words] = {
    "category": {
        "malware": Text("mã độc", "malware"),
        "intrusion": Text("xâm nhập trái phép", "intrusion"),
        "phishing": Text("lừa đảo trực tuyến", "phishing"),
        "denial_of_service": Text("tấn công từ chối dịch vụ", "denial of service"),
        "defacement": Text("thay đổi giao diện trang tin", "defacement"),
        "data_leak": Text("lộ lọt dữ liệu", "data leak"),
        "vulnerability": Text("lỗ hổng bảo mật", "vulnerability"),
        "misuse": Text("vi phạm quy chế sử dụng", "misuse"),
    },
    "channel": REPORT_CHANNELS,
    "exam": {
        "graduation": Text("tốt nghiệp trung học phổ thông", "graduation"),
        "entrance_10": Text("tuyển sinh lớp 10", "entrance to grade 10"),
        "excellent_pupils": Text("học sinh giỏi", "excellent pupils"),
        "term_1": Text("học kỳ I", "term 1"),
        "term_2": Text("học kỳ II", "term 2"),
    },
    "field": FIELDS,
    "handling": {
        "answered": Text("trả lời trực tiếp", "answered at once"),
        "handled": Text("chuyển đơn vị xử lý", "handled by a unit"),
        "duplicate": Text("trùng phản ánh khác", "duplicate"),
        "refused": Text("từ chối", "refused"),
    },
    "kind": {kind: LAYERS[kind] for kind in ("camera", "loudspeaker", "sensor", "wifi")},
    "level": {
        "full": Text("dịch vụ công toàn trình", "fully online"),
        "partial": Text("dịch vụ công một phần", "partly online"),
        "none": Text("không trực tuyến hoặc không rõ", "not online, or not stated"),
    },
    "method": {
        "portal": Text("cổng thanh toán", "payment portal"),
        "bank_transfer": Text("chuyển khoản", "bank transfer"),
        "qr_code": Text("mã QR", "QR code"),
        "card": Text("thẻ", "card"),
        "cash": Text("tiền mặt", "cash"),
    },
    "outcome": {
        "early": Text("trước hạn", "early"),
        "on_time": Text("đúng hạn", "on time"),
        "in_time": Text("đúng hạn", "in time"),
        "overdue": Text("quá hạn", "overdue"),
        "late": Text("quá hạn", "late"),
    },
    "portal": PORTALS,
    "priority": {"urgent": Text("khẩn", "urgent"), "normal": Text("thường", "normal")},
    "result": {
        "resolved": Text("đã giải quyết", "resolved"),
        "refused": Text("không tiếp nhận", "refused"),
        "withdrawn": Text("công dân rút", "withdrawn"),
        "stopped": Text("dừng xử lý", "stopped"),
    },
    "source": {
        "facebook": Text("Facebook", "Facebook"),
        "zalo": Text("Zalo", "Zalo"),
        "tiktok": Text("TikTok", "TikTok"),
        "youtube": Text("YouTube", "YouTube"),
        "news": Text("báo điện tử", "news"),
        "forum": Text("diễn đàn", "forums"),
    },
    "stage": {
        "soon": Text("sắp đến hạn", "due soon"),
        "today": Text("đến hạn hôm nay", "due today"),
        "overdue": Text("quá hạn", "overdue"),
        "route": Text("chuyển xử lý", "routing"),
        "accept": Text("nhận xử lý", "acceptance"),
        "resolve": Text("giải quyết", "resolution"),
    },
    "state": {
        "online": Text("đang hoạt động", "working"),
        "offline": Text("mất kết nối", "offline"),
        "faulty": Text("hỏng", "faulty"),
        "retired": Text("đã thu hồi", "retired"),
    },
    "topic": {
        "giao_thong": Text("giao thông", "traffic"),
        "moi_truong": Text("môi trường", "environment"),
        "dat_dai": Text("đất đai", "land"),
        "thu_tuc_hanh_chinh": Text("thủ tục hành chính", "administrative procedures"),
        "y_te": Text("y tế", "health"),
        "giao_duc": Text("giáo dục", "education"),
        "an_ninh_trat_tu": Text("an ninh trật tự", "security and order"),
    },
    "verdict": {
        "satisfied": Text("hài lòng", "satisfied"),
        "neutral": Text("bình thường", "neutral"),
        "dissatisfied": Text("không hài lòng", "dissatisfied"),
    },
}
"""label -> its values that no figure by class has: what readings can be broken down by besides."""
EVERYWHERE: Words = {
    "none": Text("không rõ", "not stated"),
    "other": Text("khác", "other"),
    "yes": Text("có", "yes"),
    "no": Text("không", "no"),
}
"""Values of any label."""

CLASS_TITLES: Words = {
    "category": Text("theo lĩnh vực", "by category"),
    "channel": Text("theo hình thức nộp", "by channel"),
    "complete": Text("theo tính đầy đủ", "by completeness"),
    "disease": Text("theo bệnh", "by disease"),
    "electronic": Text("theo kết quả điện tử", "by electronic result"),
    "exam": Text("theo kỳ thi", "by examination"),
    "facility": Text("theo cơ sở", "by facility"),
    "fee": Text("theo nghĩa vụ tài chính", "by fee"),
    "field": Text("theo lĩnh vực", "by field"),
    "handling": Text("theo cách xử lý", "by handling"),
    "in_time": Text("theo tính kịp thời", "by timeliness"),
    "kind": Text("theo loại", "by kind"),
    "layer": Text("theo lớp bản đồ", "by layer"),
    "level": Text("theo cấp học", "by level"),
    "method": Text("theo hình thức thanh toán", "by way of payment"),
    "paid": Text("theo thanh toán", "by payment"),
    "outcome": Text("theo tình hình đúng hạn", "by outcome"),
    "planned": Text("theo kế hoạch", "by whether planned"),
    "portal": Text("theo cổng tiếp nhận", "by portal of origin"),
    "priority": Text("theo mức ưu tiên", "by priority"),
    "procedure": Text("theo thủ tục", "by procedure"),
    "result": Text("theo kết quả", "by result"),
    "service": Text("theo dịch vụ", "by service"),
    "severity": Text("theo mức độ", "by severity"),
    "source": Text("theo nguồn tin", "by source"),
    "stage": Text("theo thời hạn", "by due date"),
    "state": Text("theo tình trạng", "by state"),
    "tone": Text("theo sắc thái", "by tone"),
    "topic": Text("theo chủ đề", "by topic"),
    "unit": Text("theo đơn vị", "by unit"),
    "verdict": Text("theo mức hài lòng", "by verdict"),
    "ward": Text("theo phường, xã", "by ward"),
    "field.channel": Text("theo kênh tiếp nhận", "by channel"),
    "field.stage": Text("theo khâu xử lý", "by step"),
    "procedures.level": Text("theo mức độ trực tuyến", "by online level"),
    "security.category": Text("theo loại nguy cơ", "by threat"),
}
"""What a break-down by a label, or by unit, is called; with the system before it where the label means something else there."""


MEASURED: Words = {
    "account": Text("tài khoản", "accounts"), "alert": Text("cảnh báo", "alerts"),
    "article": Text("tin, bài", "articles"), "bed": Text("giường", "beds"),
    "case": Text("ca", "cases"), "class": Text("lớp", "classes"), "cluster": Text("cụm", "clusters"),
    "commune": Text("xã", "communes"), "copy": Text("bản", "copies"), "course": Text("lớp", "courses"),
    "crisis": Text("vụ", "crises"), "day": Text("ngày", "days"), "decision": Text("quyết định", "decisions"), "device": Text("thiết bị", "devices"),
    "district": Text("đơn vị", "districts"), "document": Text("văn bản", "documents"),
    "dossier": Text("hồ sơ", "dossiers"), "enterprise": Text("doanh nghiệp", "enterprises"),
    "facility": Text("cơ sở", "facilities"), "feature": Text("đối tượng", "features"),
    "incident": Text("sự cố", "incidents"), "level": Text("", ""), "machine": Text("máy", "machines"), "meeting": Text("cuộc họp", "meetings"),
    "mention": Text("lượt", "mentions"), "message": Text("tin", "messages"), "minute": Text("phút", "minutes"),
    "outage": Text("lần", "outages"), "outbreak": Text("ổ dịch", "outbreaks"), "parcel": Text("thửa", "parcels"),
    "person": Text("người", "people"), "petition": Text("phản ánh, kiến nghị", "petitions"), "point": Text("điểm", "points"), "procedure": Text("thủ tục", "procedures"),
    "pupil": Text("học sinh", "pupils"), "rank": Text("", ""), "record": Text("bản ghi", "records"),
    "report": Text("phản ánh", "reports"), "request": Text("yêu cầu", "requests"), "school": Text("trường", "schools"),
    "service": Text("dịch vụ", "services"), "spike": Text("chủ đề", "topics"), "task": Text("nhiệm vụ", "tasks"), "teacher": Text("giáo viên", "teachers"),
    "team": Text("tổ", "teams"), "transaction": Text("giao dịch", "transactions"), "unit": Text("đơn vị", "units"),
    "village": Text("thôn, ấp, khu phố", "villages"), "visit": Text("lượt", "visits"), "yes/no": Text("có/không", "yes/no"),
}  # fmt: skip
"""What an indicator counts; shares and money say it with their sign."""


def words_for(label: str, value: str) -> Text | None:
    """What the value of a label is called; None where no words are known."""
    tables = (CLASSES.get(label), OTHERS.get(label), EVERYWHERE)
    return next((words[value] for words in tables if words and value in words), None)


def label_text(label: str, value: str, language: Language) -> str:
    """A class's value as people say it; where no words are known, the value without its underscores."""
    text = words_for(label, value)
    return text.said(language) if text else value.replace("_", " ")


def event_name(event: str, language: Language) -> str:
    """What an event (`dossier.submitted`) is called."""
    text = EVENTS.get(event)
    return text.said(language) if text else re.sub(r"[._]", " ", event)


def source_name(source: str, language: Language) -> str:
    """What a source is called: `/simulator/social/forum` -> `Mô phỏng: diễn đàn`. One that names itself otherwise is
    called by its own path."""
    first, *steps = [step for step in source.split("/") if step]
    text = SOURCES.get(first) if source.startswith("/") else None
    if text is None:
        return source
    apart = [step for step in steps if step not in SYSTEMS] or steps
    more = ", ".join(_step(step, language) for step in apart)
    return f"{text.said(language)}: {more}" if more else text.said(language)


def _step(step: str, language: Language) -> str:
    if step in SYSTEMS:
        return Text(*SYSTEMS[step][1:]).said(language)
    if text := CHANNELS_OF_SOURCES.get(step):
        return text.said(language)
    try:
        unit = units.get(step)
    except units.UnknownUnit:
        return step.replace("_", " ")
    return unit.name_vi if language == "vi" else unit.name_en


def title(label: str, system: str) -> Text:
    """What a break-down of a system's figures by a label is called."""
    return CLASS_TITLES.get(f"{system}.{label}") or CLASS_TITLES[label]


def labels(formula: Formula) -> tuple[str, ...]:
    """The labels by which a formula can be broken down: those that all its measures have.

    None where it rests on a statement, a number of different values, a mean of units or points of index 766, as
    `services.readings` says too.
    """
    if isinstance(formula, Statement | Distinct | UnitMean | Score):
        return ()
    if isinstance(formula, Combine | Ratio):
        first, *others = map(labels, children(formula))
        return tuple(label for label in first if all(label in other for other in others))
    return MEASURES[formula.measure].labels
