"""What the values of a class are called, in both languages: channels, diseases, categories, layers …"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

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
    "culture": Text("văn hoá", "culture"),
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
    "dossier.submitted": Text("nộp hồ sơ", "submitted"),
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
    "report.received": Text("tiếp nhận phản ánh", "received"),
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
        "chickenpox": Text("thuỷ đậu", "chickenpox"),
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

CLASS_TITLES: Words = {
    "channel": Text("theo hình thức nộp", "by channel"),
    "kind": Text("theo loại", "by kind"),
    "level": Text("theo cấp học", "by level"),
    "disease": Text("theo bệnh", "by disease"),
    "layer": Text("theo lớp bản đồ", "by layer"),
    "severity": Text("theo mức độ", "by severity"),
    "category": Text("theo lĩnh vực", "by category"),
    "tone": Text("theo sắc thái", "by tone"),
}


MEASURED: Words = {
    "account": Text("tài khoản", "accounts"), "alert": Text("cảnh báo", "alerts"), "bed": Text("giường", "beds"),
    "case": Text("ca", "cases"), "class": Text("lớp", "classes"), "cluster": Text("cụm", "clusters"),
    "commune": Text("xã", "communes"), "crisis": Text("vụ", "crises"), "device": Text("thiết bị", "devices"),
    "district": Text("đơn vị", "districts"), "document": Text("văn bản", "documents"),
    "dossier": Text("hồ sơ", "dossiers"), "enterprise": Text("doanh nghiệp", "enterprises"),
    "facility": Text("cơ sở", "facilities"), "feature": Text("đối tượng", "features"),
    "incident": Text("sự cố", "incidents"), "machine": Text("máy", "machines"), "meeting": Text("cuộc họp", "meetings"),
    "mention": Text("lượt", "mentions"), "message": Text("tin", "messages"), "minute": Text("phút", "minutes"),
    "outage": Text("lần", "outages"), "outbreak": Text("ổ dịch", "outbreaks"), "parcel": Text("thửa", "parcels"),
    "person": Text("người", "people"), "procedure": Text("thủ tục", "procedures"), "pupil": Text("học sinh", "pupils"),
    "report": Text("phản ánh", "reports"), "request": Text("yêu cầu", "requests"), "school": Text("trường", "schools"),
    "spike": Text("chủ đề", "topics"), "task": Text("nhiệm vụ", "tasks"), "teacher": Text("giáo viên", "teachers"),
    "team": Text("tổ", "teams"), "transaction": Text("giao dịch", "transactions"), "unit": Text("đơn vị", "units"),
    "visit": Text("lượt", "visits"), "yes/no": Text("có/không", "yes/no"),
}  # fmt: skip
"""What an indicator counts; shares and money say it with their sign."""


def in_words(label: str, value: str, language: Language) -> str:
    """A class's value as people say it; where no words are known, the value without its underscores."""
    text = CLASSES.get(label, {}).get(value)
    return text.said(language) if text else value.replace("_", " ")
