"""System 6, information security: alerts, incidents, outages of services, coverage of antivirus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.calendar_history import CalendarHistory
from schemas.daily import Daily
from schemas.envelope import EventData
from schemas.fold import Fact, Fold, Folded, Latest, Measure
from schemas.notes import Revised
from schemas.offices import lifecycle
from schemas.retraction import DailyRetraction
from schemas.types import Code, Count, HowBad, Reference, Slug

SYSTEM = "security"
Threat = Literal[
    "malware", "intrusion", "phishing", "denial_of_service", "defacement", "data_leak", "vulnerability",
    "misuse", "other",
]  # fmt: skip
ThreatCategory = Annotated[Threat, Field(description="kind of threat")]


class AlertEvent(EventData, system=SYSTEM, entities={"alert": ("code",)}):
    """Every event of an alert names it by its code in the monitoring system."""

    code: Code


class AlertRaised(AlertEvent, event="alert.raised"):
    """The monitoring raised an alert."""

    severity: HowBad
    category: ThreatCategory


class AlertAcknowledged(AlertEvent, event="alert.acknowledged"):
    """Someone on duty took the alert."""


class AlertClosed(AlertEvent, event="alert.closed"):
    """The alert needs nothing more."""

    verdict: Literal["fixed", "false_alarm", "risk_accepted", "incident"] | None = Field(
        None, description="what the alert turned out to be"
    )


class AntivirusReported(Daily, event="antivirus.reported", system=SYSTEM, entities={"antivirus": ("unit", "day")}):
    """A unit reported its machines and on how many of them the antivirus is installed."""

    parts: ClassVar = {"installs": "machines"}

    installs: Count = Field(description="machines with antivirus")
    machines: Count | None = Field(None, description="machines in use")


class OutageEvent(EventData, system=SYSTEM, entities={"outage": ("outage",)}):
    """A service is down from one event to the other; the outage's number joins them."""

    outage: Reference = Field(description="number that joins the two events of an outage")


class ServiceDown(OutageEvent, event="service.down"):
    """A service stopped answering, or was switched off for planned work."""

    service: Slug = Field(description="code of the service")
    planned: bool = Field(False, description="switched off on purpose")


class ServiceUp(OutageEvent, event="service.up"):
    """The service answers again."""


class IncidentEvent(EventData, system=SYSTEM, entities={"incident": ("code",)}):
    """Every event of an incident names it by its code."""

    code: Code


class IncidentOpened(IncidentEvent, event="incident.opened"):
    """An attack or a failure was declared an incident."""

    severity: HowBad
    category: ThreatCategory


class IncidentContained(IncidentEvent, event="incident.contained"):
    """It can't spread any more."""


class IncidentClosed(IncidentEvent, event="incident.closed"):
    """What it touched works again and the report is written."""


class AntivirusRetracted(
    DailyRetraction, event="antivirus.retracted", system=SYSTEM, entities={"antivirus": ("of_unit", "day")}
):
    """A unit's report of its machines and their antivirus was taken back."""


EVENTS: tuple[type[EventData], ...] = (
    AlertRaised, AlertAcknowledged, AlertClosed, AntivirusReported, ServiceDown, ServiceUp,
    IncidentOpened, IncidentContained, IncidentClosed, AntivirusRetracted,
)  # fmt: skip

_THREAT = ("category", "severity")
_OUTAGE = ("planned", "service")
MEASURES = (
    Measure("security_alerts", "alert", _THREAT, "Cảnh báo an toàn thông tin", "Security alerts raised"),
    Measure("security_alerts_acknowledged", "alert", _THREAT, "Cảnh báo đã tiếp nhận", "Security alerts acknowledged"),
    Measure("security_alerts_closed", "alert", _THREAT, "Cảnh báo đã xử lý", "Security alerts closed"),
    Measure(
        "alert_acknowledge_minutes",
        "minute",
        _THREAT,
        "Thời gian tiếp nhận cảnh báo",
        "Minutes from an alert to its acknowledgement",
    ),
    Measure("alert_close_minutes", "minute", _THREAT, "Thời gian xử lý cảnh báo", "Minutes from an alert to its end"),
    Measure(
        "antivirus_installs",
        "machine",
        (),
        "Máy đã cài phần mềm diệt vi-rút",
        "Machines with antivirus (as of a day)",
        covered_by=("antivirus_installs",),
    ),
    Measure(
        "antivirus_machines", "machine", (), "Máy tính", "Machines (as of a day)", covered_by=("antivirus_machines",)
    ),
    Measure(
        "antivirus_covered",
        "machine",
        (),
        "Máy đã cài phần mềm diệt vi-rút, nơi báo cáo cả tổng số máy",
        "Machines with antivirus where all machines are reported too",
        covered_by=("antivirus_machines",),
    ),
    Measure("service_outages", "outage", _OUTAGE, "Lượt gián đoạn dịch vụ", "Outages begun"),
    Measure("service_restorations", "outage", _OUTAGE, "Lượt khôi phục dịch vụ", "Outages ended"),
    Measure("outage_minutes", "minute", _OUTAGE, "Thời gian gián đoạn", "Minutes of ended outages"),
    Measure("security_incidents", "incident", _THREAT, "Sự cố an toàn thông tin", "Security incidents opened"),
    Measure(
        "security_incidents_contained", "incident", _THREAT, "Sự cố đã khoanh vùng", "Security incidents contained"
    ),
    Measure("security_incidents_closed", "incident", _THREAT, "Sự cố đã khắc phục", "Security incidents closed"),
    Measure(
        "incident_contain_minutes",
        "minute",
        _THREAT,
        "Thời gian khoanh vùng sự cố",
        "Minutes from an incident to its containment",
    ),
    Measure(
        "incident_close_minutes", "minute", _THREAT, "Thời gian khắc phục sự cố", "Minutes from an incident to its end"
    ),
)

_ANTIVIRUS = Latest(
    {"antivirus_installs": "installs", "antivirus_machines": "machines", "antivirus_covered": "installs"}, day="day"
)


def fold_antivirus(id: str, facts: Sequence[Fact], calendars: CalendarHistory) -> Folded:
    """The highest revision counts. Coverage is a share of reported machines, so installs without them are no part."""
    folded = _ANTIVIRUS(id, facts, calendars)
    if folded.state.get("machines") is None:
        folded.points = [point for point in folded.points if point.measure != "antivirus_covered"]
    return folded


FOLDS: dict[str, Fold] = {
    "alert": lifecycle(
        opens="alert.raised",
        closes="alert.closed",
        opened="security_alerts",
        closed="security_alerts_closed",
        labels=_THREAT,
        steps={"alert.acknowledged": "security_alerts_acknowledged"},
        minutes={"alert.acknowledged": "alert_acknowledge_minutes", "alert.closed": "alert_close_minutes"},
    ),
    "antivirus": Revised(fold_antivirus),
    "outage": lifecycle(
        opens="service.down",
        closes="service.up",
        opened="service_outages",
        closed="service_restorations",
        labels=_OUTAGE,
        minutes={"service.up": "outage_minutes"},
    ),
    "incident": lifecycle(
        opens="incident.opened",
        closes="incident.closed",
        opened="security_incidents",
        closed="security_incidents_closed",
        labels=_THREAT,
        steps={"incident.contained": "security_incidents_contained"},
        minutes={"incident.contained": "incident_contain_minutes", "incident.closed": "incident_close_minutes"},
    ),
}
