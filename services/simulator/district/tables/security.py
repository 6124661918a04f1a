"""System 6: alerts and how fast they are taken, incidents, outages, and every evening who has an antivirus."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

from schemas import security as s
from schemas.types import Severity
from services.simulator.district.workflows import Life, Step, Workflow

SYSTEM = "security"
_THREATS: tuple[s.Threat, ...] = get_args(s.Threat)


def _each(severity: Severity) -> tuple[Severity, ...]:
    return (severity,)


_SEVERITIES: tuple[Severity, ...] = 24 * _each("low") + 11 * _each("medium") + 4 * _each("high") + _each("critical")
_SERVICES = ("cong_dich_vu_cong", "thu_dien_tu", "trang_thong_tin", "hop_khong_giay", "camera_giam_sat")


def _raised(x: Life, t: datetime) -> s.AlertRaised:
    return s.AlertRaised(code=x.code("AL"), severity=x.dice.pick(1, _SEVERITIES), category=x.dice.pick(2, _THREATS))


def _antivirus(x: Life, t: datetime) -> s.AntivirusReported:
    machines = 40 + 3 * x.cohort.ward.share
    return s.AntivirusReported(day=x.began.date(), installs=machines - x.dice.between(1, 0, 20), machines=machines)


def _down(x: Life, t: datetime) -> s.ServiceDown:
    return s.ServiceDown(outage=x.code("GD"), service=x.dice.pick(1, _SERVICES), planned=x.dice.happens(2, 25))


def _opened(x: Life, t: datetime) -> s.IncidentOpened:
    return s.IncidentOpened(
        code=x.code("SC"),
        severity=x.dice.pick(1, ("medium", "medium", "medium", "high", "critical")),
        category=x.dice.pick(2, _THREATS),
    )


_RAISED = Step(_raised)


def _taken(minutes: float) -> Step:
    return Step(lambda x, t: s.AlertAcknowledged(code=x.code("AL")), plus=minutes, door="desk")


def _closed(minutes: float, verdict: str) -> Step:
    return Step(
        lambda x, t: s.AlertClosed.model_validate({"code": x.code("AL"), "verdict": verdict}),
        plus=minutes,
        door="desk",
    )


def _up(minutes: float) -> Step:
    return Step(lambda x, t: s.ServiceUp(outage=x.code("GD")), plus=minutes)


_CONTAINED = Step(lambda x, t: s.IncidentContained(code=x.code("SC")), plus=150)
_REPAIRED = Step(lambda x, t: s.IncidentClosed(code=x.code("SC")), 900, 150)

COURSES = (
    Workflow("alert_false", SYSTEM, "machines", (_RAISED, _taken(6), _closed(40, "false_alarm")), often=16, door="sensors"),
    Workflow("alert_fixed", SYSTEM, "machines", (_RAISED, _taken(25), _closed(500, "fixed")), often=3.6, door="sensors"),
    Workflow("alert_kept_open", SYSTEM, "machines", (_RAISED, _taken(200), _closed(2800, "fixed")), often=0.4, door="sensors"),
    Workflow("antivirus", SYSTEM, "office_evening", (Step(_antivirus),), fixed=1, door="antivirus"),
    Workflow("outage_short", SYSTEM, "machines", (Step(_down), _up(17)), often=0.15, door="probes"),
    Workflow("outage_long", SYSTEM, "machines", (Step(_down), _up(330)), often=0.03, door="probes"),
    Workflow("incident", SYSTEM, "machines", (Step(_opened), _CONTAINED, _REPAIRED), often=0.04, door="desk"),
)  # fmt: skip
