"""System 7, field reports (phản ánh hiện trường) and the 1022 hotline: from a citizen's message to a rated result."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from schemas.daily import not_over
from schemas.envelope import EntityRef, EventData
from schemas.fold import Measure
from schemas.offices import numbered
from schemas.report import LABELS as _REPORT
from schemas.report import LEVELS, RANK, REACHED, STAGES, Stage, fold_report, repeats, shows
from schemas.types import (
    Code,
    Instant,
    Latitude,
    Longitude,
    OfficeCode,
    Place,
    Priority,
    Reason,
    Reference,
    Score,
    UnitCode,
    Ward,
)

SYSTEM = "field"
Category = Literal[
    "road", "lighting", "waste", "water", "construction", "security", "environment", "procedure", "health", "other"
]
__all__ = ["EVENTS", "FOLDS", "LEVELS", "MEASURES", "REACHED", "STAGES", "SYSTEM", "fold_report"]


class ReportEvent(EventData, system=SYSTEM, entities={"report": ("code",)}):
    """Every report event names the report by its code."""

    code: Code


class ReportReceived(ReportEvent, event="report.received"):
    """A report came in, by the hotline, the app or else. The reporter is not named."""

    channel: Literal["hotline_1022", "app", "web", "zalo", "officer"] = Field(description="how the report came in")
    category: Category = Field(description="what the report is about")
    priority: Priority = Field("normal", description="urgent or normal; decides the service levels")
    ward: Ward | None = None
    place: Place | None = Field(None, description="public place in words; no home address")
    latitude: Latitude | None = None
    longitude: Longitude | None = None


class ReportVerified(ReportEvent, event="report.verified"):
    """It was checked and is real."""


class ReportRefused(ReportEvent, event="report.refused"):
    """It is no case for the authorities, not true, or (reason `duplicate`) the same as another report of the unit,
    `duplicate_of`, with whose end its citizen is answered."""

    reason: Reason
    duplicate_of: Reference | None = Field(
        None, description="code of the report that this one repeats; its end is this one's answer"
    )

    @model_validator(mode="after")
    def _repeats_another(self) -> Self:
        if self.duplicate_of is not None and (self.reason != "duplicate" or self.duplicate_of == self.code):
            raise ValueError("duplicate_of names another report, and the reason is then 'duplicate'")
        return self

    @classmethod
    def touched(cls, unit: str, fields: Mapping[str, Any]) -> list[EntityRef]:
        """The report, and the one that it repeats."""
        master = fields.get("duplicate_of")
        return [*super().touched(unit, fields), *([EntityRef("report", master)] if master else [])]


class ReportRouted(ReportEvent, event="report.routed"):
    """It was forwarded to the unit that has to handle it."""

    to_unit: UnitCode = Field(description="code of the unit that has to handle it")


class ReportAccepted(ReportEvent, event="report.accepted"):
    """The handling unit took it."""


class ReportResolved(ReportEvent, event="report.resolved"):
    """It was done: answered at once (`answered`) or handled by a unit (`handled`); absent where the source says
    neither."""

    handling: Literal["answered", "handled"] | None = Field(None, description="answered at once, or handled by a unit")


class ReportReopened(ReportEvent, event="report.reopened"):
    """The citizen does not accept the result."""


class ReportRated(ReportEvent, event="report.rated"):
    """The citizen rated the handling, 1 (worst) to 5."""

    score: Score


class ReportOverdue(ReportEvent, event="report.overdue"):
    """Published by `deadlines`, once per stage and due time: the level was not kept."""

    stage: Stage = Field(description="which service level was not kept")
    due_at: Instant = Field(description="when the stage was due")
    office: OfficeCode | None = Field(
        None, description="the unit whose case is meant, where several units use one number"
    )

    def contradiction(self, time: datetime) -> str | None:
        """The level must have passed."""
        return not_over("data.due_at", self.due_at, time)


EVENTS: tuple[type[EventData], ...] = (
    ReportReceived, ReportVerified, ReportRefused, ReportRouted, ReportAccepted,
    ReportResolved, ReportReopened, ReportRated, ReportOverdue,
)  # fmt: skip

_SIGNS = ("reports_received", "reports_resolved", "reports_handed")
MEASURES = (
    Measure("reports_received", "report", _REPORT, "Phản ánh tiếp nhận", "Reports received", covered_by=_SIGNS),
    Measure(
        "reports_resolved",
        "report",
        (*_REPORT, "handling", "outcome"),
        "Phản ánh đã kết thúc",
        "Reports ended, each time after a reopening included",
        covered_by=_SIGNS,
    ),
    Measure("reports_open", "report", _REPORT, "Phản ánh đang xử lý", "Open reports (steps)", covered_by=_SIGNS),
    Measure(
        "reports_waiting",
        "report",
        _REPORT,
        "Phản ánh chờ phân loại",
        "Open reports that nobody has touched (steps)",
        covered_by=_SIGNS,
    ),
    Measure(
        "reports_late",
        "report",
        (*_REPORT, "stage"),
        "Phản ánh quá hạn",
        "Open reports beyond a service level (steps)",
        covered_by=_SIGNS,
    ),
    Measure(
        "reports_answered",
        "report",
        _REPORT,
        "Trả lời trực tiếp",
        "Reports answered directly",
        covered_by=_SIGNS,
    ),
    Measure(
        "reports_routed",
        "report",
        _REPORT,
        "Chuyển cơ quan xử lý",
        "Reports forwarded to a unit",
        covered_by=_SIGNS,
    ),
    Measure(
        "reports_handed",
        "report",
        _REPORT,
        "Phản ánh nhận từ (trừ đi: chuyển cho) đơn vị khác",
        "Reports taken over from other units less those handed on (steps)",
        covered_by=_SIGNS,
    ),
    Measure(
        "reports_duplicates",
        "report",
        _REPORT,
        "Phản ánh trùng chờ kết quả của phản ánh gốc",
        "Duplicates that wait for the end of the report they repeat (steps)",
        covered_by=_SIGNS,
    ),
    Measure("reports_reopened", "report", _REPORT, "Phản ánh mở lại", "Reports reopened", covered_by=_SIGNS),
    Measure(
        "report_minutes",
        "minute",
        _REPORT,
        "Thời gian xử lý",
        "Minutes from receipt, or reopening, to the result",
        covered_by=_SIGNS,
    ),
    Measure("report_ratings", "point", ("verdict",), "Điểm hài lòng", "Ratings, 1 to 5", covered_by=_SIGNS),
)

FOLDS = {
    "report": numbered(fold_report, "report.received", ends=REACHED["resolve"], rank=RANK, shows=shows, beside=repeats)
}
