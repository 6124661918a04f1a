"""The board's words in both languages, and numbers, moments and units as each language writes them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from schemas import units
from schemas.calendar import VN
from schemas.indicators import Indicator
from schemas.registry import SYSTEMS
from services.readings import Period, Reading
from services.readings.reasons import Reason

Language = Literal["vi", "en"]

WORDS: dict[str, tuple[str, str]] = {
    "title": ("Trung tâm điều hành thông minh", "Intelligent Operations Centre"),
    "short_title": ("IOC", "IOC"),
    "pages": ("Các trang", "Pages"),
    "wall": ("Màn hình tổng", "Wall"),
    "worklist": ("Việc cần xử lý", "Worklist"),
    "map": ("Bản đồ", "Map"),
    "alarms": ("Cảnh báo", "Alarms"),
    "quality": ("Chất lượng dữ liệu", "Data quality"),
    "sources": ("Nguồn dữ liệu", "Sources"),
    "people": ("Tài khoản", "People"),
    "theme": ("Sáng/tối", "Light/dark"),
    "account": ("Tên đăng nhập", "Account"),
    "password": ("Mật khẩu", "Password"),
    "log_in": ("Đăng nhập", "Log in"),
    "log_out": ("Đăng xuất", "Log out"),
    "wrong_password": ("Tên đăng nhập hoặc mật khẩu không đúng.", "Wrong account or password."),
    "too_many": ("Sai quá nhiều lần. Vui lòng thử lại sau 5 phút.", "Too many failures. Try again in 5 minutes."),
    "as_of": ("Số liệu lúc", "As of"),
    "last_event": ("Cập nhật", "Last event"),
    "never": ("chưa có dữ liệu", "no data yet"),
    "no_data": ("không có dữ liệu", "no data"),
    "whole": ("Toàn địa bàn", "Whole locality"),
    "all_figures": ("Tất cả chỉ tiêu", "All figures"),
    "by_unit": ("Theo đơn vị", "By unit"),
    "unit": ("Đơn vị", "Unit"),
    "figure": ("Chỉ tiêu", "Figure"),
    "value": ("Giá trị", "Value"),
    "before": ("Kỳ so sánh", "Compared"),
    "change": ("Tăng, giảm", "Change"),
    "know": ("Nguồn gốc", "Source"),
    "how": ("Căn cứ?", "How do we know?"),
    "span_day": ("Ngày", "Day"),
    "span_week": ("7 ngày", "7 days"),
    "span_month": ("Tháng", "Month"),
    "span_year": ("Năm", "Year"),
    "against_previous": ("So với kỳ trước", "Against the period before"),
    "against_year": ("So với cùng kỳ năm trước", "Against last year"),
    "exact": ("chính xác", "exactly"),
    "this_figure": ("Liên kết đến số liệu này", "Link to this figure"),
    "back": ("Về trang hệ thống", "Back to the system"),
    "formula": ("Công thức", "Formula"),
    "findings": ("Số liệu chưa khớp", "Findings"),
    "no_findings": ("Không có mâu thuẫn nào được phát hiện.", "No disagreement is known."),
    "events": ("Sự kiện làm căn cứ ({}), trích", "Events behind it ({}), a sample"),
    "part": ("Thành phần", "Part"),
    "role": ("Vai trò", "Role"),
    "role_numerator": ("tử số", "numerator"),
    "role_denominator": ("mẫu số", "denominator"),
    "role_term": ("số hạng", "term"),
    "source": ("Nguồn", "Source"),
    "number_events": ("Số sự kiện", "Events"),
    "happened": ("Xảy ra", "Happened"),
    "recorded": ("Ghi nhận", "Recorded"),
    "when": ("Thời điểm", "When"),
    "event": ("Sự kiện", "Event"),
    "id": ("Mã (đã che)", "Id (masked)"),
    "target": ("chỉ tiêu", "target"),
    "simulated": ("DỮ LIỆU MÔ PHỎNG", "SIMULATED"),
    "shifted": ("DỮ LIỆU DỜI NGÀY", "SHIFTED IN TIME"),
    "database": ("Mất kết nối cơ sở dữ liệu: số liệu dừng lúc", "The database does not answer: figures stopped at"),
    "broker": ("Mất kết nối hệ thống truyền sự kiện: sự kiện mới chưa đến", "The broker does not answer"),
    "stale": ("Nguồn im lặng", "Source silent"),
    "good": ("đạt", "met"),
    "bad": ("không đạt", "not met"),
    "watch": ("cần chú ý", "needs attention"),
    "neutral": ("", ""),
    "missing": ("không có dữ liệu", "no data"),
    "ago_s": ("{} giây trước", "{} s ago"),
    "ago_min": ("{} phút trước", "{} min ago"),
    "ago_h": ("{} giờ trước", "{} h ago"),
    "ago_d": ("{} ngày trước", "{} days ago"),
    "log_in_oidc": ("Đăng nhập bằng tài khoản cơ quan", "Log in with your organisation's account"),
    "oidc_failed": ("Đăng nhập không thành công. Vui lòng thử lại.", "The log-in did not succeed. Please try again."),
    "oidc_away": ("Hệ thống định danh chưa trả lời. Vui lòng thử lại sau.", "The identity provider does not answer."),
    "not_admitted": (
        "Tài khoản của ông/bà chưa được cấp quyền vào trung tâm. Vui lòng liên hệ quản trị viên.",
        "Your account has no access to the centre. Please ask an administrator.",
    ),
    "forbidden": ("Tài khoản này không có quyền thực hiện việc đó.", "This account may not do that."),
    "stale_form": ("Trang đã cũ. Vui lòng tải lại trang và thực hiện lại.", "This page is out of date. Load it again."),
    "unavailable": (
        "Cơ sở dữ liệu chưa sẵn sàng. Trang sẽ tự tải lại.",
        "The database does not answer. This page loads again by itself.",
    ),
    "people_title": ("Tài khoản và quyền hạn", "Accounts and rights"),
    "full_name": ("Họ và tên", "Full name"),
    "right_role": ("Vai trò", "Role"),
    "right_viewer": ("Người xem", "Viewer"),
    "right_operator": ("Trực ban", "Operator"),
    "right_supervisor": ("Chỉ huy", "Supervisor"),
    "right_admin": ("Quản trị", "Administrator"),
    "right_units": ("Phạm vi đơn vị", "Units"),
    "right_units_hint": (
        "Tên hoặc mã, cách nhau bằng dấu chấm phẩy; để trống: toàn địa bàn",
        "Names or codes with semicolons between; empty: the whole locality",
    ),
    "way_in": ("Cách đăng nhập", "Way in"),
    "way_password": ("Mật khẩu", "Password"),
    "way_oidc": ("Tài khoản cơ quan", "Organisation's account"),
    "way_groups": ("Tài khoản cơ quan, quyền theo nhóm", "Organisation's account, rights by group"),
    "last_seen": ("Truy cập gần nhất", "Last seen"),
    "account_state": ("Trạng thái", "State"),
    "active": ("Hoạt động", "Active"),
    "disabled": ("Đã khóa", "Disabled"),
    "disable": ("Khóa tài khoản", "Disable"),
    "enable": ("Mở khóa", "Enable"),
    "edit": ("Sửa", "Edit"),
    "save": ("Lưu", "Save"),
    "saved": ("Đã lưu.", "Saved."),
    "set_password": ("Đặt mật khẩu", "Set password"),
    "new_password": ("Mật khẩu mới", "New password"),
    "new_account": ("Thêm tài khoản", "Add an account"),
    "add_account": ("Thêm", "Add"),
    "audit_log": ("Nhật ký thao tác", "Audit"),
    "who": ("Người thực hiện", "Who"),
    "deed": ("Thao tác", "Action"),
    "about": ("Đối tượng", "About"),
    "from_where": ("Từ địa chỉ", "From"),
    "deed_login": ("Đăng nhập", "Logged in"),
    "deed_login.failed": ("Đăng nhập không thành công", "Log-in refused"),
    "deed_logout": ("Đăng xuất", "Logged out"),
    "deed_account.added": ("Thêm tài khoản", "Account added"),
    "deed_account.changed": ("Sửa quyền tài khoản", "Rights changed"),
    "deed_account.password": ("Đặt lại mật khẩu", "Password set"),
    "deed_account.disabled": ("Khóa tài khoản", "Account disabled"),
    "deed_account.enabled": ("Mở khóa tài khoản", "Account enabled"),
    "bad_name": (
        "Tên đăng nhập gồm 2 đến 40 ký tự: chữ thường không dấu, chữ số, dấu chấm, gạch nối, gạch dưới.",
        "An account's name has 2 to 40 characters: a-z, 0-9, full stop, hyphen, underscore.",
    ),
    "name_taken": ("Tên đăng nhập này đã có người dùng.", "There is an account of this name already."),
    "no_account": ("Không có tài khoản này.", "There is no such account."),
    "bad_password": (
        "Mật khẩu phải có từ 10 đến 200 ký tự và không chứa tên đăng nhập.",
        "A password has 10 to 200 characters and does not contain the account's name.",
    ),
    "bad_role": ("Không có vai trò này.", "There is no such role."),
    "bad_unit": ("Không có đơn vị này, hoặc tên chưa rõ.", "There is no such unit, or its name is not clear."),
    "last_admin": (
        "Phải còn ít nhất một tài khoản quản trị đang hoạt động.",
        "At least one administrator who can log in must remain.",
    ),
    "other_language": ("English", "Tiếng Việt"),
    "billion": ("tỷ đ", "bn đ"),
    "million": ("triệu đ", "m đ"),
    # the map
    "map_reports": ("Phản ánh hiện trường", "Field reports"),
    "map_report": ("Phản ánh", "Report"),
    "map_layers": ("Lớp bản đồ", "Layers"),
    "map_layer": ("Lớp", "Layer"),
    "map_category": ("Lĩnh vực phản ánh", "Category"),
    "map_status": ("Trạng thái", "Status"),
    "map_any": ("Tất cả", "All"),
    "map_only_overdue": ("Chỉ phản ánh quá hạn", "Overdue reports only"),
    "map_overdue": ("quá hạn", "overdue"),
    "map_since": ("Từ lúc", "Since"),
    "map_due": ("Hạn xử lý", "Due"),
    "map_what": ("Đối tượng", "What"),
    "map_count": ("Số lượng", "Number"),
    "map_now": ("Hiện tại", "Now"),
    "map_then": ("Tình hình lúc {}", "As of {}"),
    "map_slider": ("Xem lại thời điểm", "Go back to"),
    "map_slider_means": (
        "Phản ánh đang mở và đối tượng có trên bản đồ tại thời điểm đã chọn, tính theo lúc sự việc xảy ra, kể cả sự "
        "việc được ghi nhận muộn hơn.",
        "Reports open and features standing at the chosen moment, by when things happened, also where they were "
        "recorded later.",
    ),
    "map_reports_n": ("{} phản ánh đang mở", "{} open reports"),
    "map_features_n": ("{} đối tượng", "{} features"),
    "map_overdue_n": ("{} quá hạn", "{} overdue"),
    "map_nowhere_n": ("{} phản ánh không có tọa độ", "{} reports without a place"),
    "map_label": (
        "Bản đồ phản ánh và đối tượng; cùng nội dung ở bảng bên dưới",
        "Map of reports and features; the same as a table below",
    ),
    "map_keys": (
        "Bàn phím: mũi tên để di chuyển, + và − để phóng to, thu nhỏ, Home để xem toàn bộ, Tab và Enter để mở điểm.",
        "Keys: arrows move the map, + and − zoom, Home shows all, Tab and Enter open what stands on it.",
    ),
    "map_in": ("Phóng to", "Zoom in"),
    "map_out": ("Thu nhỏ", "Zoom out"),
    "map_all": ("Xem toàn bộ", "Show all"),
    "map_card": ("Chi tiết", "Details"),
    "map_list": ("Danh sách", "List"),
    "map_to_list": ("Mở danh sách việc cần xử lý", "Open the worklist"),
    "and_more": ("và {} mục khác", "and {} more"),
    "close": ("Đóng", "Close"),
    "needs_script": ("Bản đồ cần JavaScript.", "The map needs JavaScript."),
    "outlines": ("Ranh giới, lớp riêng (GeoJSON)", "Outlines of one's own (GeoJSON)"),
    "outlines_hint": (
        "Chỉ giữ lại hình, tên (name) và mã đơn vị (unit); mọi thuộc tính khác bị bỏ. Tọa độ WGS 84, tối đa 8 MB.",
        "Only shapes, names (name) and unit codes (unit) are kept, nothing else. WGS 84, at most 8 MB.",
    ),
    "outlines_put": ("Thêm tệp", "Add a file"),
    "outlines_closed": (
        "Chưa cấu hình thư mục dữ liệu (IOC_DATA) nên không thể lưu tệp.",
        "No data folder is set (IOC_DATA), so no file can be kept.",
    ),
    "outline_kept": ("Đã thêm lớp {}.", "Layer {} was added."),
    "outline_large": ("Tệp quá lớn: {}.", "The file is too large: {}."),
    "outline_no_geojson": ("Tệp không phải GeoJSON. {}", "The file is no GeoJSON. {}"),
    "outline_empty": ("Tệp không có hình nào. {}", "The file holds no shape. {}"),
    "outline_shape": ("Chỉ nhận đường và vùng; sai ở {}.", "Lines and areas only; wrong at {}."),
    "outline_outside": (
        "Tọa độ nằm ngoài Việt Nam hoặc không theo WGS 84 (kinh độ, vĩ độ): {}.",
        "A position lies outside Việt Nam, or is not WGS 84 (longitude, latitude): {}.",
    ),
    "outline_personal": ("Tên có thông tin cá nhân: {}.", "A name holds personal data: {}."),
    "outline_full": ("Chỉ giữ được {} tệp; hãy gỡ bớt.", "No more than {} files are kept; remove one."),
    "remove": ("Gỡ", "Remove"),
    "layer_unit": ("Đơn vị hành chính", "Units"),
    "layer_one_stop": ("Bộ phận một cửa", "One-stop offices"),
    "layer_school": ("Trường học", "Schools"),
    "layer_clinic": ("Cơ sở y tế", "Clinics"),
    "layer_police": ("Công an", "Police"),
    "layer_camera": ("Camera", "Cameras"),
    "layer_loudspeaker": ("Loa truyền thanh", "Loudspeakers"),
    "layer_wifi": ("Wifi công cộng", "Public Wi-Fi"),
    "layer_sensor": ("Trạm quan trắc", "Sensors"),
    "layer_market": ("Chợ", "Markets"),
    "layer_park": ("Công viên", "Parks"),
    "layer_heritage": ("Di tích", "Heritage"),
    "layer_other": ("Khác", "Other"),
    "category_road": ("Giao thông", "Roads"),
    "category_lighting": ("Chiếu sáng", "Lighting"),
    "category_waste": ("Rác thải", "Waste"),
    "category_water": ("Cấp thoát nước", "Water"),
    "category_construction": ("Trật tự xây dựng", "Construction"),
    "category_security": ("An ninh trật tự", "Public order"),
    "category_environment": ("Môi trường", "Environment"),
    "category_procedure": ("Thủ tục hành chính", "Procedures"),
    "category_health": ("Y tế", "Health"),
    "category_other": ("Khác", "Other"),
    "report_received": ("mới tiếp nhận", "received"),
    "report_verified": ("đã xác minh", "verified"),
    "report_routed": ("đã chuyển xử lý", "routed"),
    "report_accepted": ("đang xử lý", "accepted"),
    "report_reopened": ("mở lại", "reopened"),
    # sources
    "sorted_by": ("Sắp xếp theo", "Sorted by"),
    "sources_system": ("Hệ thống", "System"),
    "sources_source": ("Nguồn", "Source"),
    "sources_events": ("Số sự kiện", "Events"),
    "sources_rate": ("Mỗi phút", "Per minute"),
    "sources_happened": ("Xảy ra lần cuối", "Last happened"),
    "sources_recorded": ("Ghi nhận lần cuối", "Last recorded"),
    "sources_late": ("Độ trễ", "Delay"),
    "sources_silent": ("Tình trạng", "State"),
    "sources_strip": ("{} ngày qua, từng giờ", "Last {} days, by hour"),
    "sources_said": ("{} nguồn, trong đó {} nguồn im lặng quá lâu.", "{} sources, {} of them silent for too long."),
    "sources_means": (
        "Độ trễ: từ lúc xảy ra đến lúc ghi nhận, trung vị của 7 ngày qua. Mỗi phút: bình quân 5 phút gần nhất. Dải "
        "màu: giờ có sự kiện xảy ra; chỗ trống là giờ không có. Dữ liệu dời ngày không tính độ trễ.",
        "Delay: from happening to being recorded, the median of the last 7 days. Per minute: the mean of the last 5 "
        "minutes. Strip: filled where something happened in the hour. Data shifted in time have no delay.",
    ),
    "sources_most_late": ("95 % ghi nhận trong {}", "95 % recorded within {}"),
    "sources_regular": ("đều đặn", "regular"),
    "sources_any_silence": ("chỉ gửi khi có việc", "sends only when something happens"),
    "sources_allowed": ("được phép im lặng {}", "may be silent for {}"),
    "sources_allowed_work": ("được phép im lặng {} làm việc", "may be silent for {} of working time"),
    "sources_too_many": ("quá nhiều sự kiện để vẽ", "too many events to draw"),
    "sources_nothing": ("không có trong {} ngày", "nothing in {} days"),
    "sources_gaps": ("{} trong {} giờ không có sự kiện", "nothing in {} of {} hours"),
    "origin_simulated": ("mô phỏng", "simulated"),
    "origin_shifted": ("dời ngày", "shifted"),
    "span_s": ("{} giây", "{} s"),
    "span_min": ("{} phút", "{} min"),
    "span_h": ("{} giờ", "{} h"),
    "span_d": ("{} ngày", "{} days"),
    "sources_replayed": ("dữ liệu phát lại", "a past replayed"),
    # data quality
    "quality_findings": ("Số liệu chưa khớp ({})", "Findings ({})"),
    "finding": ("Nội dung", "What disagrees"),
    "finding_left": ("Vế thứ nhất", "First side"),
    "finding_right": ("Vế thứ hai", "Second side"),
    "finding_apart": ("Chênh lệch", "Apart"),
    "finding_see": ("Sự kiện cần xem", "Events to look at"),
    "period": ("Kỳ", "Period"),
    "quality_late": ("Ghi nhận muộn ({})", "Recorded late ({})"),
    "quality_late_means": (
        "Sự kiện của {} ngày qua được ghi nhận muộn hơn {} giờ so với lúc xảy ra; không tính dữ liệu dời ngày.",
        "Events of the last {} days recorded more than {} hours after they happened; data shifted in time not counted.",
    ),
    "quality_none": ("Không có.", "None."),
    "quality_too_many": ("Quá nhiều sự kiện, chưa đếm được. Hãy thử lại sau.", "Too many events to count now."),
    "longest_delay": ("Trễ nhất", "Longest delay"),
    "last_ones": ("Những sự kiện ghi nhận muộn gần nhất", "The last ones recorded late"),
    "delay": ("Độ trễ", "Delay"),
    "last_ended": ("Những hồ sơ được báo gần nhất", "The last ones told"),
    "quality_ends": ("Kết thúc đúng hạn, báo sau hạn ({})", "Ended in time, told after the due date ({})"),
    "quality_ends_means": (
        "Hồ sơ ghi ngày kết thúc trong hạn, nhưng việc kết thúc chỉ được ghi nhận sau hạn và muộn hơn {} giờ so với "
        "ngày ghi. Đây là báo cáo để đối chiếu, không phải kết luận.",
        "Dossiers whose end lies before the due date, while it was recorded after that date and more than {} hours "
        "after the end that was given. A report to look into, not a verdict.",
    ),
    "dossiers": ("Hồ sơ", "Dossiers"),
    "dossier": ("Hồ sơ", "Dossier"),
    "ended": ("Ngày kết thúc", "Ended"),
    "due": ("Hạn trả", "Due"),
    "quarantine": ("Khu cách ly ({})", "Quarantine ({})"),
    "quarantine_means": (
        "Thông điệp sai mẫu, chưa tính vào số liệu nào. Cán bộ giám sát sửa và gửi lại, hoặc loại bỏ có lý do.",
        "Messages that could not be understood and count in no figure. Supervisors mend or discard them.",
    ),
    "quarantine_empty": ("Không có thông điệp nào trong khu cách ly.", "Nothing lies in the quarantine."),
    "quarantine_closed": (
        "Chưa kết nối được hệ thống truyền sự kiện, không đọc được khu cách ly.",
        "The broker does not answer: the quarantine cannot be read.",
    ),
    "quarantine_latest": ("Hiển thị {} thông điệp mới nhất.", "The latest {} are shown."),
    "quarantine_one": ("Thông điệp số {} trong khu cách ly", "Message {} in the quarantine"),
    "quarantine_gone": ("Không còn thông điệp này trong khu cách ly.", "Nothing lies there under this number."),
    "seq": ("Số", "No."),
    "reason_code": ("Mã lý do", "Reason code"),
    "reason": ("Lý do", "Reason"),
    "field": ("Trường", "Field"),
    "subject": ("Gửi theo chủ đề", "Sent as"),
    "bytes": ("Dung lượng", "Size"),
    "as_it_came": ("Nội dung nhận được", "As it came"),
    "mend": ("Sửa và gửi lại", "Mend and resubmit"),
    "mended_event": ("Sự kiện đã sửa (JSON)", "The mended event (JSON)"),
    "resubmit": ("Gửi lại", "Resubmit"),
    "discard": ("Loại bỏ", "Discard"),
    "discard_note": ("Lý do loại bỏ", "Why it is not needed"),
    "still_invalid": ("Vẫn chưa hợp lệ: {}", "Still not valid: {}"),
    "note_missing": ("Phải ghi lý do loại bỏ.", "Say why it is not needed."),
    "not_yours": (
        "Sự kiện đã sửa thuộc đơn vị ngoài phạm vi của tài khoản.",
        "The mended event belongs to a unit that is not yours.",
    ),
    "broker_refused": ("Chưa gửi được: {}", "It could not be sent: {}"),
    "said_resubmitted": ("Đã gửi lại thông điệp.", "The message was resubmitted."),
    "said_discarded": ("Đã loại bỏ thông điệp.", "The message was discarded."),
}  # fmt: skip
SIGNS = {"good": "✓", "bad": "▲", "watch": "●", "neutral": "", "missing": "–"}
"""A state is told by a sign as well as a colour: not everybody sees colours."""
_MONEY = ((Decimal(10) ** 9, "billion", 2), (Decimal(10) ** 6, "million", 1))


def word(key: str, language: Language) -> str:
    """A text of the board."""
    vi, en = WORDS[key]
    return vi if language == "vi" else en


def system_name(slug: str, language: Language) -> str:
    """A system's name."""
    _, vi, en = SYSTEMS[slug]
    return vi if language == "vi" else en


def unit_name(code: str | None, language: Language) -> str:
    """A unit's name; None is the whole locality."""
    if code is None:
        return word("whole", language)
    unit = units.get(code)
    return unit.name_vi if language == "vi" else unit.name_en


def name_of(indicator: Indicator, language: Language) -> str:
    """An indicator's name."""
    return indicator.vi if language == "vi" else indicator.en


def why(reason: Reason | None, language: Language) -> str:
    """Why there is no figure; empty where there is one."""
    return "" if reason is None else reason.vi if language == "vi" else reason


def state_of(r: Reading) -> str:
    """`good` or `bad` against the target; `watch` where there should be none and there is some; else `neutral`."""
    if r.printed is None:
        return "missing"
    if r.met is not None:
        return "good" if r.met else "bad"
    counts = r.indicator.unit not in ("%", "minute", "VND")
    return "watch" if r.indicator.better == "lower" and counts and r.printed > 0 else "neutral"


def number(value: Decimal, decimals: int, language: Language) -> str:
    """1234.5 -> `1.234,5` in Vietnamese, `1,234.5` in English."""
    text = f"{value:,.{decimals}f}"
    return text.translate(str.maketrans(",.", ".,")) if language == "vi" else text


def figure(r: Reading, language: Language) -> str:
    """A reading as the wall shows it: rounded as published, large amounts of money shortened."""
    if r.printed is None:
        return "–"
    if r.indicator.unit == "VND":
        for size, name, decimals in _MONEY:
            if r.printed >= size:
                return f"{number(r.printed / size, decimals, language)} {word(name, language)}"
        return f"{number(r.printed, 0, language)} đ"
    text = number(r.printed, r.indicator.decimals, language)
    return f"{text} %" if r.indicator.unit == "%" else text


def signed(r: Reading, language: Language) -> str:
    """A reading with the sign of its state before it."""
    sign = SIGNS[state_of(r)]
    return f"{sign} {figure(r, language)}" if sign and r.printed is not None else figure(r, language)


def days(period: Period) -> str:
    """A period's days, as written in Viet Nam."""
    first, last = f"{period.first:%d/%m/%Y}", f"{period.last:%d/%m/%Y}"
    return first if first == last else f"{first} – {last}"


def clock_time(t: datetime) -> str:
    """The local time of day."""
    return t.astimezone(VN).strftime("%H:%M:%S")


def day_and_time(t: datetime) -> str:
    """The local day and time, as written in Viet Nam."""
    return t.astimezone(VN).strftime("%d/%m/%Y %H:%M")


def ago(then: datetime | None, now: datetime, language: Language) -> str:
    """How long ago, in one unit."""
    if then is None:
        return word("never", language)
    seconds = max(int((now - then).total_seconds()), 0)
    for key, length in (("ago_d", 86_400), ("ago_h", 3600), ("ago_min", 60)):
        if seconds >= 2 * length:
            return word(key, language).format(seconds // length)
    return word("ago_s", language).format(seconds)
