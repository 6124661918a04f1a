"""What an alarm is: what is to be raised, what stands in the table, and the steps of its history."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NamedTuple, get_args

from schemas.offices import case_id
from schemas.registry import SYSTEMS
from schemas.types import Severity as Level

Severity = Literal["info", "warning", "critical"]
SEVERITIES: dict[Severity, tuple[str, str]] = {
    "info": ("Thông tin", "Information"),
    "warning": ("Cảnh báo", "Warning"),
    "critical": ("Nghiêm trọng", "Critical"),
}
"""In rising order, with their names in Vietnamese and English."""
RANKS = {name: rank for rank, name in enumerate(SEVERITIES)}
LEVELS = {name: rank for rank, name in enumerate(get_args(Level))}
"""How bad incidents and crises are by themselves, in rising order: finer than the severities."""
PLATFORM = "platform"
NAMES: dict[str, tuple[str, str]] = {
    **{slug: (vi, en) for slug, (_, vi, en) in SYSTEMS.items()},
    PLATFORM: ("Nền tảng", "Platform"),
}
"""System -> its name in Vietnamese and English."""
RUNBOOKS = {
    "DossierAssigned": "DossiersOverdue",
    "DossierOverdue": "DossiersOverdue",
    "ReportOverdue": "ReportsOverdue",
    "IncidentOpened": "SecurityIncidentOpen",
    "CrisisOpened": "CrisisOpen",
    "AlertingSilent": "Watchdog",
    "NotificationFailing": "NotificationsStuck",
}
"""Type of alarm -> its runbook, which is the one of the alert about the same; an alert's own has its name."""
Way = Literal["event", "rule", "own"]
Step = Literal[
    "raised", "refreshed", "notified", "failed", "escalated", "acknowledged", "assigned", "commented",
    "deadline_passed", "reopened", "cleared",
]  # fmt: skip
OURSELVES = "notifier"
"""Who did what nobody did by hand."""


class Key(NamedTuple):
    """What is unique among active alarms."""

    originator: str
    type: str


class Raise(NamedTuple):
    """An alarm to be raised, or refreshed where it is active. `due_at` with `kind` and `entity`: what was not kept.
    `level`: how bad what it is about is by itself, if that is known."""

    way: Way
    originator: str
    type: str
    severity: Severity
    system: str
    unit: str
    origin: str
    vi: str
    en: str
    do_vi: str
    do_en: str
    dashboard: str
    kind: str | None = None
    entity: str | None = None
    stage: str | None = None
    due_at: datetime | None = None
    office: str | None = None
    level: str | None = None

    @property
    def key(self) -> Key:
        """What is unique among active alarms, of one office."""
        return Key(self.originator, self.type)

    @property
    def case(self) -> tuple[str, str]:
        """Kind and id of what it is about, with its office where that has to be said."""
        return self.kind or "", case_id(self.entity or "", self.office) if self.office else self.entity or ""


class Alarm(NamedTuple):
    """An alarm as it stands in the table; the columns are told of there."""

    id: int
    way: Way
    originator: str
    type: str
    severity: Severity
    system: str
    unit: str
    origin: str
    vi: str
    en: str
    do_vi: str
    do_en: str
    dashboard: str
    kind: str | None
    entity: str | None
    stage: str | None
    due_at: datetime | None
    raised_at: datetime
    refreshed_at: datetime
    times: int
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    assignee: str | None
    deadline: datetime | None
    cleared_at: datetime | None
    cleared_by: str | None
    since: datetime
    next_at: datetime | None
    ended_at: datetime | None = None
    office: str | None = None
    level: str | None = None


class Happened(NamedTuple):
    """A step of an alarm's history that is about to be written: who did what, and why."""

    alarm: int
    step: Step
    by: str = OURSELVES
    note: str = ""


def rise(before: Any, after: Any) -> tuple[str, str] | None:
    """From what to what an alarm rises: by severity, or within one by level; None: it does not."""
    if before.severity != after.severity:
        return (before.severity, after.severity) if RANKS[after.severity] > RANKS[before.severity] else None
    if before.level and after.level and LEVELS[after.level] > LEVELS[before.level]:
        return before.level, after.level
    return None


def own(type: str, originator: str, severity: Severity, texts: tuple[str, str, str, str]) -> Raise:
    """An alarm about the notifier itself; the texts say what is the matter and what to do, vi, en, vi, en."""
    return Raise("own", originator, type, severity, PLATFORM, "all", "real", *texts, dashboard=dashboard(PLATFORM))


def dashboard(system: str, unit: str = "all") -> str:
    """The path of a system's board, for one unit."""
    return f"/d/ioc-{system}?var-unit={unit}"
