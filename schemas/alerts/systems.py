"""Alerts of the eight systems: what leaders and officials of the locality must hear of."""

from __future__ import annotations

from decimal import Decimal

from schemas.alerts.alert import WHOLE, Alert, by_class, figure, missed, number, printed
from schemas.indicators import find

OVERDUE_CRITICAL = Decimal("0.039")
"""The share of overdue dossiers at which leaders step in themselves, whatever the target."""
EVERY = 'unit=~".+"'
AFTERNOON = "(hour() >= 7 < 10)"
"""From 14:00 to 17:00 in Viet Nam; Prometheus counts in UTC."""

_OVERDUE_SHARE = find("overdue_share")[0]
_ATTENDANCE = figure("attendance_share", EVERY, "today")
_CASES = by_class("disease_cases", "week")
_NEGATIVE = figure("mentions_negative", WHOLE, "today")

ALERTS = (
    # Administrative procedures.
    Alert(
        "DossiersOverdue", "procedures", "warning", f"{figure('dossiers_open_overdue')} > 0",
        "<unit>: <count> hồ sơ đang giải quyết đã quá hạn",
        "<unit>: open dossiers overdue: <count>",
        "Mở danh sách hồ sơ quá hạn, giao người giải quyết dứt điểm; hồ sơ chưa trả được phải có văn bản xin lỗi và hẹn lại.",
        "Open the list of overdue dossiers and assign each; who cannot be served yet gets an apology and a new date.",
        by_unit=True, family="overdue_dossiers",
    ),
    Alert(
        "OverdueShareAboveTarget", "procedures", "warning", missed(_OVERDUE_SHARE, EVERY),
        "<unit>: tỷ lệ hồ sơ quá hạn từ đầu tháng là <percent>, vượt mức cho phép <target>",
        "<unit>: <percent> of this month's dossiers are overdue, more than the <target> allowed",
        "Xem lĩnh vực và bộ phận có nhiều hồ sơ quá hạn nhất, phân công lại người xử lý trước khi hết ngày.",
        "See which field and desk has most of them, and reassign work before the day ends.",
        hold="10m", keep="10m", by_unit=True, family="overdue_share", aimed="overdue_share",
    ),
    Alert(
        "OverdueShareCritical", "procedures", "critical",
        f"{printed('overdue_share', figure('overdue_share', EVERY))} > {number(OVERDUE_CRITICAL)}",
        "<unit>: tỷ lệ hồ sơ quá hạn từ đầu tháng lên tới <percent>, vượt ngưỡng nghiêm trọng 3,9%",
        "<unit>: <percent> of this month's dossiers are overdue, beyond the critical 3.9%",
        "Báo cáo lãnh đạo UBND; họp ngay với đơn vị, rà từng hồ sơ quá hạn và chốt ngày trả kết quả.",
        "Tell the leaders; meet the unit at once, go through the overdue dossiers one by one and fix dates.",
        hold="10m", keep="10m", by_unit=True, family="overdue_share",
    ),
    Alert(
        "DossiersDueToday", "procedures", "info", f"{figure('dossiers_due_today')} > 0 and on() {AFTERNOON}",
        "<unit>: đã sang buổi chiều mà còn <count> hồ sơ đến hạn trả hôm nay chưa có kết quả",
        "<unit>: dossiers due today without a result, and it is afternoon: <count>",
        "Hoàn thành trước 17 giờ, hoặc xin lỗi và hẹn lại trước khi hồ sơ quá hạn.",
        "Finish them before 17:00, or apologise and agree on a new date before they are overdue.",
        by_unit=True, family="overdue_dossiers",
    ),
    # Education.
    Alert(
        "AttendanceDrop", "education", "warning",
        f"{_ATTENDANCE} < 0.9 or {_ATTENDANCE} and ignoring(period) "
        f"{_ATTENDANCE} < ignoring(period) {figure('attendance_share', EVERY)} - 0.05",
        "<unit>: tỷ lệ chuyên cần hôm nay chỉ đạt <percent>",
        "<unit>: attendance today is only <percent>",
        "Gọi các trường vắng nhiều nhất hỏi nguyên nhân; nghi dịch bệnh hoặc thiên tai thì báo ngay ngành y tế, công an.",
        "Call the schools with most absences; where illness or a disaster is behind it, tell health and police at once.",
        hold="30m", by_unit=True,
    ),
    # Health.
    Alert(
        "DiseaseCasesRising", "health", "warning",
        f"{_CASES} >= 5 unless ignoring(period) "
        f"({_CASES} <= ignoring(period) 1.5 * {by_class('disease_cases', 'week_before')})",
        "Số ca <disease> trong 7 ngày qua là <count>, tăng hơn một nửa so với 7 ngày trước đó",
        "<count> cases of <disease> in the last 7 days, up by more than half on the 7 days before",
        "Trung tâm Y tế xác minh địa bàn có ca bệnh, khoanh vùng, xử lý ổ dịch và truyền thông phòng bệnh.",
        "The health centre checks where the cases are, contains them and informs residents.",
        hold="30m", keep="1h",
    ),
    Alert(
        "OutbreakOpen", "health", "critical", f"{figure('outbreaks_open')} > 0",
        "<unit>: <count> ổ dịch đang hoạt động",
        "<unit>: outbreaks going on: <count>",
        "Kích hoạt phương án chống dịch của địa bàn, cử tổ công tác, báo cáo Sở Y tế theo quy định.",
        "Start the unit's plan against epidemics, send the team, report to the Department of Health as prescribed.",
        by_unit=True,
    ),
    Alert(
        "BedsNearlyFull", "health", "warning", f"{figure('bed_occupancy')} > 0.95",
        "<unit>: công suất sử dụng giường bệnh <percent>, gần như không còn giường trống",
        "<unit>: bed occupancy is <percent>, hardly a bed is free",
        "Điều phối người bệnh sang cơ sở còn giường; xem xét kê thêm giường tạm.",
        "Send patients to facilities with free beds; consider temporary beds.",
        hold="15m", keep="30m", by_unit=True,
    ),
    # Information security.
    Alert(
        "CriticalSecurityAlertOpen", "security", "critical", f"{figure('security_alerts_critical_open')} > 0",
        "<unit>: <count> cảnh báo an toàn thông tin mức nghiêm trọng chưa xử lý",
        "<unit>: critical security alerts open: <count>",
        "Cô lập máy bị ảnh hưởng khỏi mạng, giữ nguyên hiện trạng, báo đội ứng cứu sự cố.",
        "Take the machines concerned off the network, leave them as they are, call the incident response team.",
        by_unit=True,
    ),
    Alert(
        "SecurityIncidentOpen", "security", "critical", f"{figure('security_incidents_open')} > 0",
        "<unit>: <count> sự cố an toàn thông tin đang xử lý",
        "<unit>: security incidents open: <count>",
        "Theo phương án ứng cứu: khoanh vùng, thu thập chứng cứ, báo cáo cơ quan chuyên trách trong thời hạn quy định.",
        "Follow the response plan: contain, keep the evidence, report to the authority within the time prescribed.",
        by_unit=True,
    ),
    Alert(
        "CitizenServiceDown", "security", "critical", f"{figure('services_down')} > 0",
        "<unit>: <count> dịch vụ phục vụ người dân đang gián đoạn",
        "<unit>: services for citizens down: <count>",
        "Gọi đơn vị vận hành dịch vụ, đăng thông báo gián đoạn, chuyển người dân sang tiếp nhận tại quầy.",
        "Call whoever runs the service, post a notice, serve citizens at the counter meanwhile.",
        by_unit=True,
    ),
    Alert(
        "AntivirusCoverageLow", "security", "warning", f"{figure('antivirus_coverage', EVERY)} < 0.9",
        "<unit>: chỉ <percent> máy tính cài phần mềm diệt vi-rút",
        "<unit>: only <percent> of machines have antivirus",
        "Lập danh sách máy chưa cài, cài đặt trong tuần; máy không cài được thì ngắt khỏi mạng nội bộ.",
        "List the machines without it and install it this week; take those that cannot have it off the network.",
        hold="1h", keep="1h", by_unit=True,
    ),
    # Field reports.
    Alert(
        "ReportsNotRouted", "field", "warning", f"{figure('reports_unrouted_late')} > 0",
        "<unit>: <count> phản ánh quá thời hạn phân loại mà chưa chuyển đơn vị xử lý",
        "<unit>: reports not forwarded in time: <count>",
        "Trực tổng đài phân loại và chuyển ngay; thiếu người thì gọi người trực dự phòng.",
        "Whoever is on duty sorts and forwards them now; short of hands, call the reserve.",
        by_unit=True, family="overdue_routing",
    ),
    Alert(
        "ReportsNotAccepted", "field", "warning", f"{figure('reports_unaccepted_late')} > 0",
        "<unit>: <count> phản ánh đã chuyển nhưng quá hạn mà đơn vị chưa tiếp nhận",
        "<unit>: reports forwarded but not taken in time: <count>",
        "Gọi đầu mối của đơn vị yêu cầu tiếp nhận; không thuộc thẩm quyền thì trả lại ngay để chuyển nơi khác.",
        "Call the unit's contact to take them; what is not theirs goes back at once to be forwarded elsewhere.",
        by_unit=True, family="overdue_acceptance",
    ),
    Alert(
        "ReportsOverdue", "field", "warning", f"{figure('reports_overdue')} > 0",
        "<unit>: <count> phản ánh quá hạn chưa xử lý xong",
        "<unit>: reports overdue without a result: <count>",
        "Đơn vị trả lời người dân về tiến độ ngay hôm nay và ấn định ngày xử lý xong; phản ánh khẩn báo lãnh đạo.",
        "The unit tells the citizens today how things stand and fixes a date; leaders hear of the urgent ones.",
        by_unit=True, family="overdue_reports",
    ),
    # Social listening.
    Alert(
        "NegativeMentionsSpike", "social", "warning",
        f"{_NEGATIVE} >= 20 and ignoring(period) "
        f"{_NEGATIVE} > ignoring(period) 2 * {figure('mentions_negative', WHOLE, 'week')} / 7",
        "Hôm nay đã có <count> lượt đề cập tiêu cực, hơn gấp đôi bình quân ngày trong tuần",
        "<count> negative mentions today, more than twice the week's daily mean",
        "Xem chủ đề và nguồn đăng, xác minh sự việc với đơn vị liên quan, chuẩn bị thông tin phản hồi.",
        "See the topics and where they spread, check the facts with the unit concerned, prepare an answer.",
        hold="5m", keep="30m",
    ),
    Alert(
        "CrisisOpen", "social", "critical", f"{figure('crises_open')} > 0",
        "<unit>: <count> khủng hoảng truyền thông đang xử lý",
        "<unit>: media crises going on: <count>",
        "Lãnh đạo phân công người phát ngôn; thống nhất thông tin trước khi trả lời báo chí và mạng xã hội.",
        "The leaders name one speaker; agree on the facts before press and networks are answered.",
        by_unit=True,
    ),
)  # fmt: skip
