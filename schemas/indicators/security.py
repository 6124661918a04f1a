"""System 6: alerts, antivirus, outages and incidents."""

from __future__ import annotations

from decimal import Decimal

from schemas.indicators.formula import Combine, Last, Ratio, Stock, Sum
from schemas.indicators.indicator import Indicator, rows

SYSTEM = "security"
_CRITICAL = {"severity": ("critical",)}

INDICATORS = rows(
    SYSTEM,
    Indicator("security_alerts", "Cảnh báo an toàn thông tin", "Security alerts", Sum("security_alerts"), "alert", better="lower"),
    Indicator("security_alerts_open", "Cảnh báo chưa xử lý", "Open security alerts", Combine((Stock("security_alerts"),), (Stock("security_alerts_closed"),)), "alert", better="lower", headline=True, classes="severity"),
    Indicator("security_alerts_critical_open", "Cảnh báo nghiêm trọng chưa xử lý", "Open critical alerts", Combine((Stock("security_alerts", _CRITICAL),), (Stock("security_alerts_closed", _CRITICAL),)), "alert", better="lower", headline=True),
    Indicator("alert_acknowledge_time_mean", "Thời gian tiếp nhận cảnh báo bình quân", "Mean time to acknowledge an alert", Ratio(Sum("alert_acknowledge_minutes"), Sum("alert_acknowledge_minutes", of="count"), 1), "minute", 1, better="lower"),
    Indicator("alert_close_time_mean", "Thời gian xử lý cảnh báo bình quân", "Mean time to close an alert", Ratio(Sum("alert_close_minutes"), Sum("alert_close_minutes", of="count"), 1), "minute", 1, better="lower"),
    Indicator("antivirus_installs", "Máy tính cài phần mềm diệt vi-rút", "Antivirus installs", Last("antivirus_installs"), "machine", better="higher"),
    Indicator("antivirus_coverage", "Tỷ lệ máy tính cài phần mềm diệt vi-rút", "Antivirus coverage", Ratio(Last("antivirus_covered"), Last("antivirus_machines")), "%", 2, Decimal(100), "higher", headline=True),
    Indicator("service_outages", "Lượt gián đoạn dịch vụ", "Service outages", Sum("service_outages"), "outage", better="lower"),
    Indicator("services_down", "Dịch vụ đang gián đoạn", "Services down", Combine((Stock("service_outages"),), (Stock("service_restorations"),)), "outage", better="lower", headline=True),
    Indicator("outage_time", "Thời gian gián đoạn", "Minutes of ended outages", Sum("outage_minutes"), "minute", better="lower"),
    Indicator("security_incidents_open", "Sự cố an toàn thông tin đang xử lý", "Open security incidents", Combine((Stock("security_incidents"),), (Stock("security_incidents_closed"),)), "incident", better="lower", headline=True),
)  # fmt: skip
