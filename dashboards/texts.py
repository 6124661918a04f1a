"""Words in both languages: what panels are called, what class values and states mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from schemas.indicators.indicator import Indicator
from schemas.registry import SYSTEMS

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = ("vi", "en")


class Text(NamedTuple):
    """The same words in both languages."""

    vi: str
    en: str

    def said(self, language: Language) -> str:
        """The words in one of them."""
        return self.vi if language == "vi" else self.en


Words = Mapping[str, Text]

FOLDERS = Text("Trung tâm điều hành", "Operations centre")
NO_DATA = Text("không có dữ liệu", "no data")
WHOLE = Text("Toàn địa bàn", "Whole locality")
LANGUAGE_LINK = Text("English", "Tiếng Việt")
"""The link to the other language, in that language."""
OVERVIEW = Text("Toàn cảnh điều hành", "Overview")
PLATFORM = Text("Sức khoẻ nền tảng", "Platform health")

TITLES: Words = {
    "overview": OVERVIEW,
    **{slug: Text(vi, en) for slug, (_, vi, en) in SYSTEMS.items()},
    "platform": PLATFORM,
}
"""The ten dashboards, in the order of the menu."""

ORIGINS: Words = {
    "real": Text("Số liệu thật", "Real data"),
    "shifted": Text("SHIFTED: số liệu thật đã dời ngày", "SHIFTED: real data moved in time"),
    "simulated": Text("SIMULATED: số liệu mô phỏng", "SIMULATED: simulated data"),
}
COMPARE: Words = {
    "previous": Text("Kỳ trước liền kề", "Period just before"),
    "year": Text("Cùng kỳ năm trước", "Same period last year"),
}
SEVERITIES: Words = {
    "critical": Text("nghiêm trọng", "critical"),
    "warning": Text("cảnh báo", "warning"),
    "info": Text("thông tin", "info"),
}
STATUSES: Words = {
    "active": Text("chưa ai nhận", "nobody has it"),
    "acknowledged": Text("đã tiếp nhận", "acknowledged"),
    "assigned": Text("đã phân công", "assigned"),
    "cleared": Text("đã kết thúc", "over"),
}
REACHED: Words = {"1": Text("đạt", "reached"), "0": Text("chưa đạt", "not reached")}
STALE: Words = {"0": Text("đúng nhịp", "in rhythm"), "1": Text("im lặng quá lâu", "silent too long")}
UP: Words = {"1": Text("đang chạy", "up"), "0": Text("không trả lời", "down")}
WRITABLE: Words = {"1": Text("nhận tin", "takes messages"), "0": Text("ngừng nhận tin", "takes no more")}

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


def name(indicator: Indicator) -> Text:
    """What a figure is called; money says its currency, since a suffix would cost the grouping of its digits."""
    money = " (đ)" if indicator.unit == "VND" else ""
    return Text(indicator.vi + money, indicator.en + money.replace("đ", "VND"))


def aim(indicator: Indicator) -> Text:
    """The target as it is printed, with the decimal sign of each language: `≤ 0,5%`; empty without one."""
    if indicator.target is None:
        return Text("", "")
    sign = "≤" if indicator.better == "lower" else "≥"
    text = f"{sign} {indicator.target.normalize():f}{'%' if indicator.unit == '%' else ''}"
    return Text(text.replace(".", ","), text)
