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
    "cut_off": (
        "Mất kết nối với máy chủ: số liệu dừng tại đây. Đang kết nối lại…",
        "The board does not answer: figures stand still. Connecting again…",
    ),
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
    "map_to_case": ("Mở phản ánh này", "Open this report"),
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
        "Thông điệp sai mẫu, chưa tính vào số liệu nào. Cán bộ giám sát sửa và gửi lại, hoặc loại bỏ có lý do. "
        "Hiển thị {} thông điệp mới nhất.",
        "Messages that could not be understood and count in no figure. Supervisors mend or discard them. "
        "The latest {} are shown.",
    ),
    "quarantine_empty": ("Không có thông điệp nào trong khu cách ly.", "Nothing lies in the quarantine."),
    "quarantine_closed": (
        "Chưa kết nối được hệ thống truyền sự kiện, không đọc được khu cách ly.",
        "The broker does not answer: the quarantine cannot be read.",
    ),
    "quarantine_one": ("Thông điệp số {} trong khu cách ly", "Message {} in the quarantine"),
    "quarantine_gone": ("Không còn thông điệp này trong khu cách ly.", "Nothing lies there under this number."),
    "seq": ("Số", "No."),
    "refused_too_large": ("quá 256 KiB", "larger than 256 KiB"),
    "refused_not_utf8": ("không phải UTF-8", "not UTF-8"),
    "refused_not_json": ("không phải một đối tượng JSON", "not one JSON object"),
    "refused_unknown_type": ("không có loại sự kiện này", "no such event type"),
    "refused_missing_field": ("thiếu trường bắt buộc", "a field is missing"),
    "refused_extra_field": ("trường không được phép", "a field that is not allowed"),
    "refused_bad_value": ("giá trị sai kiểu, sai mẫu", "a wrong value"),
    "refused_wrong_unit": ("đơn vị không có hoặc không còn hiệu lực", "unit unknown or not valid then"),
    "refused_impossible_time": ("thời gian không thể có", "an impossible time"),
    "refused_personal_data": ("có thông tin cá nhân", "personal data"),
    "refused_wrong_subject": ("gửi sai chủ đề", "sent under a wrong subject"),
    "refused_conflict": ("trùng mã nhưng khác nội dung", "same id, other content"),
    "refused_unstorable": ("không lưu được (lỗi hệ thống)", "could not be stored (our fault)"),
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
    # worklist and alarms
    "show": ("Lọc", "Filter"),
    "show_all": ("Bỏ lọc", "Show all"),
    "any": ("tất cả", "all"),
    "sort": ("Sắp xếp theo cột này", "Sort by this column"),
    "prev": ("‹ Trang trước", "‹ Previous"),
    "next": ("Trang sau ›", "Next ›"),
    "rows": ("{} dòng · trang {}/{}", "{} rows · page {} of {}"),
    "pages_of_list": ("Trang của danh sách", "Pages of the list"),
    "search_code": ("Mã hồ sơ, mã phản ánh", "Code contains"),
    "search_alarm": ("Nội dung, mã", "Text or code contains"),
    "filter_name": ("Tên bộ lọc", "Name of this filter"),
    "save_filter": ("Lưu bộ lọc", "Save filter"),
    "case": ("Mã", "Case"),
    "case_kind": ("Loại", "Kind"),
    "case_stage": ("Tình trạng", "Stage"),
    "case_group": ("Lĩnh vực", "Field"),
    "case_channel": ("Kênh tiếp nhận", "Channel"),
    "case_handling": ("Xử lý", "Handling"),
    "case_procedure": ("Mã thủ tục", "Procedure"),
    "case_status": ("Trạng thái", "Status"),
    "assignee": ("Người được giao", "Assigned to"),
    "deadline": ("Hạn xử lý", "Deadline"),
    "until": ("đến", "until"),
    "report": ("Phản ánh", "Report"),
    "stage_overdue": ("quá hạn", "overdue"),
    "stage_today": ("đến hạn hôm nay", "due today"),
    "stage_soon": ("còn không quá 3 ngày làm việc", "due within 3 working days"),
    "stage_route": ("quá hạn chuyển xử lý", "late to be routed"),
    "stage_accept": ("quá hạn tiếp nhận xử lý", "late to be accepted"),
    "stage_resolve": ("quá hạn trả kết quả", "late to be resolved"),
    "handling_open": ("chưa ai nhận", "nobody has it"),
    "handling_acknowledged": ("đã tiếp nhận", "acknowledged"),
    "handling_assigned": ("đã giao", "assigned"),
    "handling_quiet": ("chưa có cảnh báo", "no alarm yet"),
    "extended": ("đã hẹn lại", "new date given"),
    "all_rows": ("Chọn tất cả dòng trên trang", "Choose all rows of this page"),
    "chosen": ("Đã chọn {} dòng", "{} rows chosen"),
    "deeds": ("Thao tác với các dòng đã chọn", "What to do with the rows chosen"),
    "do_acknowledge": ("Tiếp nhận", "Acknowledge"),
    "do_assign": ("Giao xử lý", "Assign"),
    "do_comment": ("Ghi ý kiến", "Comment"),
    "do_extend": ("Xin lỗi, hẹn lại", "Apologise, new date"),
    "do_close": ("Kết thúc", "Close"),
    "note": ("Nội dung", "Note"),
    "note_optional": ("Ghi chú (không bắt buộc)", "Note (optional)"),
    "reason_late": ("Lý do trễ hạn (in trên phiếu)", "Reason for the delay (printed)"),
    "new_day": ("Ngày hẹn mới", "New date"),
    "done_acknowledge": ("đã tiếp nhận", "acknowledged"),
    "done_assign": ("đã giao", "assigned"),
    "done_comment": ("đã ghi ý kiến", "commented"),
    "done_close": ("đã kết thúc", "closed"),
    "done_extend": ("đã hẹn lại", "new date given"),
    "outcome": ("{} dòng đã thực hiện, {} dòng không", "{} done, {} not done"),
    "no_alarm": ("chưa có cảnh báo nào để xử lý", "there is no alarm about it yet"),
    "no_dossier": ("chỉ hẹn lại được với hồ sơ", "only a dossier gets a new date"),
    "not_done": ("không thực hiện được", "not done"),
    "not_tried": ("chưa thực hiện", "not tried"),
    "notifier_away": (
        "dịch vụ cảnh báo không trả lời, chưa thay đổi gì; hãy thử lại",
        "the notifier does not answer; nothing was changed, try again",
    ),
    "broker_away": (
        "hệ thống truyền sự kiện không trả lời, chưa thay đổi gì; hãy thử lại",
        "the broker does not answer; nothing was changed, try again",
    ),
    "board_away": (
        "Mất kết nối với trung tâm: chưa thay đổi gì, hãy thử lại.",
        "The board does not answer: try again.",
    ),
    "note_too_long": ("Nội dung dài quá 400 ký tự.", "The note is longer than 400 characters."),
    "note_personal": (
        "Nội dung có số định danh, số điện thoại hoặc thư điện tử của công dân: hãy bỏ đi.",
        "The note holds a citizen number, a phone or an e-mail: take it out.",
    ),
    "assignee_missing": ("Hãy nhập người được giao.", "Say to whom it is assigned."),
    "deadline_past": ("Hạn xử lý đã qua.", "The deadline has passed already."),
    "bad_moment": ("Thời điểm không hợp lệ.", "This is no moment."),
    "bad_day": ("Ngày hẹn mới không hợp lệ.", "The new date is no date."),
    "day_past": ("Ngày hẹn mới phải sau hôm nay.", "The new date must lie ahead."),
    "reason_missing": (
        "Hãy nhập lý do trễ hạn (3 đến 400 ký tự).",
        "Give the reason for the delay (3 to 400 characters).",
    ),
    "not_open": ("hồ sơ đã kết thúc", "it is not open any more"),
    "no_promise": ("hồ sơ chưa có ngày hẹn", "nothing was promised yet"),
    "extended_before": ("đã hẹn lại một lần, không được hẹn thêm", "it was given a new date before"),
    "awaits_papers": ("đang chờ bổ sung giấy tờ", "it awaits papers"),
    "no_working_day": ("ngày hẹn mới không phải ngày làm việc", "the new date is no working day"),
    "day_not_later": ("ngày hẹn mới không sau ngày đã hẹn", "the new date is not later than the promised one"),
    "day_too_far": ("ngày hẹn mới xa quá một năm", "the new date is more than a year away"),
    "print_letters": ("In phiếu xin lỗi (mẫu 04)", "Print the apology (form 04)"),
    "print": ("In", "Print"),
    "nothing_waits": ("Không có việc nào phù hợp.", "Nothing matches."),
    "worklist_file": ("viec-can-xu-ly", "worklist"),
    "origin": ("Dữ liệu", "Data"),
    "not_found": (
        "Không có trang này, hoặc tài khoản này không được xem.",
        "There is no such page, or not for this account.",
    ),
    "received_at": ("Tiếp nhận", "Received"),
    "ended_at": ("Kết thúc", "Ended"),
    "handler": ("Đơn vị xử lý", "Handled by"),
    "what": ("Nội dung", "What"),
    "how_it_stands": ("Tình trạng", "How it stands"),
    "who_did_what": ("Ai đã làm gì", "Who did what"),
    "what_happened": ("Quá trình giải quyết", "What happened"),
    "nothing_done": ("Chưa có thao tác nào.", "Nothing was done yet."),
    "step_raised": ("phát sinh cảnh báo", "raised"),
    "step_refreshed": ("cập nhật", "refreshed"),
    "step_notified": ("đã báo", "notified"),
    "step_failed": ("không báo được", "could not notify"),
    "step_escalated": ("chuyển cấp trên", "escalated"),
    "step_acknowledged": ("tiếp nhận", "acknowledged"),
    "step_assigned": ("giao xử lý", "assigned"),
    "step_commented": ("ý kiến", "commented"),
    "step_deadline_passed": ("quá hạn xử lý", "deadline passed"),
    "step_extended": ("xin lỗi, hẹn lại ngày trả", "apologised, gave a new date"),
    "step_cleared": ("kết thúc", "cleared"),
    "keys": ("Phím tắt", "Keyboard"),
    "shut": ("Đóng", "Close"),
    "key_systems": ("mở một trong tám hệ thống", "open one of the eight systems"),
    "key_wall": ("về màn hình tổng", "back to the wall"),
    "key_search": ("đến ô tìm kiếm của danh sách", "to the search field of a list"),
    "key_tab": ("đi đến và mở ô, liên kết", "go to a tile or link, and open it"),
    "key_help": ("mở bảng này", "open this list"),
    "points": ("điểm", "points"),
    "share": ("So với lớn nhất", "Against the largest"),
    "better": ("tốt hơn", "better"),
    "worse": ("kém hơn", "worse"),
    "to_worklist": ("Việc", "Worklist"),
    "times": ("số lần", "count"),
    "note_empty": ("Hãy nhập nội dung.", "Write a note."),
    "alarm": ("Cảnh báo", "Alarm"),
    "alarm_status": ("Tình trạng", "Status"),
    "alarm_active": ("chưa ai nhận", "nobody has it"),
    "alarm_acknowledged": ("đã tiếp nhận", "acknowledged"),
    "alarm_assigned": ("đã giao", "assigned"),
    "alarm_cleared": ("đã kết thúc hôm nay", "cleared today"),
    "severity": ("Mức độ", "Severity"),
    "severity_critical": ("nghiêm trọng", "critical"),
    "severity_warning": ("cảnh báo", "warning"),
    "severity_info": ("thông tin", "information"),
    "system": ("Hệ thống", "System"),
    "platform": ("Nền tảng", "Platform"),
    "since_when": ("Từ lúc", "Since"),
    "about_what": ("Đối tượng", "About"),
    "what_to_do": ("Việc cần làm", "What to do"),
    "runbook": ("Hướng dẫn xử lý", "Runbook"),
    "critical_waiting": ("{} cảnh báo nghiêm trọng chưa ai nhận", "{} critical alarms that nobody has"),
    "no_alarms": ("Không có cảnh báo.", "No alarms."),
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
