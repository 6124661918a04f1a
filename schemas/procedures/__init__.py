"""System 1, results of administrative procedures (TTHC): dossiers, payments, the procedures on offer, the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.daily import not_over
from schemas.envelope import EventData
from schemas.fold import Fold
from schemas.notes import Noted
from schemas.offices import numbered
from schemas.procedures import payment_clock, portals
from schemas.procedures.measures import MEASURES
from schemas.procedures.noted import note_refunds, noted_dossier
from schemas.procedures.payment_service_calendar import fold_calendar_day, fold_payment, fold_service
from schemas.procedures.portals import Portal
from schemas.types import (
    JOINS,
    Channel,
    Dong,
    DossierCode,
    Instant,
    Note,
    ProcedureCode,
    Reason,
    Reference,
    Score,
    Slug,
)

SYSTEM = "procedures"
__all__ = ["EVENTS", "FOLDS", "MEASURES", "SYSTEM"]
LONGEST_PROMISE = timedelta(days=366)
FieldOfWork = Annotated[Slug, Field(description="field of work that the procedure belongs to (lĩnh vực)")]
OnlineLevel = Annotated[
    Literal["none", "partial", "full"],
    Field(description="how far it is offered online: not at all, in part (một phần), fully (toàn trình)"),
]
DossierChannel = Annotated[Channel, Field(description="how it came or went: counter, online or post")]
PromisedAt = Annotated[Instant, Field(description="date and time of the promise (ngày hẹn trả)")]
Components = Annotated[int, Field(ge=0, le=200)]
Transaction = Annotated[Reference, Field(description="number of the transaction at the payment service")]
PaymentKind = Annotated[Literal["tax", "fee"], Field(description="tax (nghĩa vụ tài chính) or fee (phí, lệ phí)")]


def office_rules() -> bytes:
    """The office's own tables in one form: what folds of dossiers rest on besides their code."""
    return payment_clock.spelled() + portals.spelled()


def _promise_contradiction(promised: datetime | None, time: datetime) -> str | None:
    if promised is None:
        return None
    if promised < time:
        return f"data.promised_at: {promised.isoformat()} lies before the event's time {time.isoformat()}"
    if promised > time + LONGEST_PROMISE:
        return f"data.promised_at: {promised.isoformat()} lies more than a year after the event's time"
    return None


class DossierEvent(EventData, system=SYSTEM, entities={"dossier": ("code",)}):
    """Every dossier event names the dossier by the code on its receipt."""

    code: Annotated[DossierCode, JOINS]


class DossierSubmitted(DossierEvent, event="dossier.submitted"):
    """A dossier was filed (status 1, Mới đăng ký)."""

    procedure: ProcedureCode
    field: FieldOfWork
    channel: DossierChannel
    online_level: OnlineLevel = "none"
    portal: Portal | None = None


class DossierAccepted(DossierEvent, event="dossier.accepted"):
    """It was received for handling (status 2, Được tiếp nhận), with a promised date or a limit in working time.

    From then on it is with this unit. Sent again with another date it moves no due date: that is a re-promise. The
    optional fields repeat what a counter knows when there was no online filing before.
    """

    procedure: ProcedureCode | None = None
    field: FieldOfWork | None = None
    channel: DossierChannel | None = None
    online_level: OnlineLevel | None = None
    portal: Portal | None = None
    promised_at: PromisedAt | None = None
    limit_days: Annotated[int, Field(ge=1, le=260)] | None = Field(
        None, description="limit in working days, instead of a promised date"
    )
    limit_hours: Annotated[int, Field(ge=1, le=2080)] | None = Field(
        None, description="limit in working hours, instead of a promised date"
    )
    components: Components = Field(0, description="papers (thành phần hồ sơ) in the dossier")
    digitised_components: Components = Field(0, description="components digitised on receipt")
    reused_components: Components = Field(0, description="components reused from earlier dossiers")
    store_components: Components = Field(0, description="components taken from the citizen's personal store")
    identity_verified: bool = Field(
        False, description="the applicant was authenticated against the population database"
    )

    @model_validator(mode="after")
    def _one_deadline(self) -> Self:
        if sum(x is not None for x in (self.promised_at, self.limit_days, self.limit_hours)) != 1:
            raise ValueError("exactly one of promised_at, limit_days and limit_hours is needed")
        if max(self.digitised_components, self.reused_components, self.store_components) > self.components:
            raise ValueError("more digitised, reused or stored components than components")
        return self

    def contradiction(self, time: datetime) -> str | None:
        """The promise must lie after the acceptance, within a year."""
        return _promise_contradiction(self.promised_at, time)


class DossierRefused(DossierEvent, event="dossier.refused"):
    """It was not received (status 3, Không được tiếp nhận)."""

    reason: Reason


class DossierProcessing(DossierEvent, event="dossier.processing_started"):
    """It is being handled (status 4, Đang xử lý); a pause is over, and the wait for a payment."""


class DossierSupplementRequested(DossierEvent, event="dossier.supplement_requested"):
    """More papers were asked for (status 5); the clock stops until they come."""

    reason: Reason = "missing_papers"


class DossierSupplementReceived(DossierEvent, event="dossier.supplement_received"):
    """The papers came; when nothing else is awaited the promised date moves by the working time waited."""


class DossierPaymentRequested(DossierEvent, event="dossier.payment_requested"):
    """A tax or fee must be paid (status 6); the clock stops until it is, where the procedure's does."""

    kind: PaymentKind
    amount: Dong | None = Field(None, description="whole đồng; without it any payment answers the request")


class DossierWithdrawn(DossierEvent, event="dossier.withdrawn"):
    """The citizen asked for it back (status 7)."""


class DossierStopped(DossierEvent, event="dossier.stopped"):
    """Handling was stopped (status 8): paused if `dossier.processing_started` follows, else at its end."""

    reason: Reason


class DossierExtended(DossierEvent, event="dossier.extended"):
    """A letter of apology (form 04) named a new date."""

    promised_at: PromisedAt
    reason: Reason = "apology"

    def contradiction(self, time: datetime) -> str | None:
        """The new promise must lie after the extension, within a year."""
        return _promise_contradiction(self.promised_at, time)


class DossierResolved(DossierEvent, event="dossier.resolved"):
    """It was decided (status 9, Đã xử lý xong)."""

    paper_result: bool = Field(True, description="the procedure ends in a paper")
    electronic_result: bool = Field(False, description="the result was issued as a signed file")


class DossierReturned(DossierEvent, event="dossier.returned"):
    """The result was handed over (status 10, Đã trả kết quả)."""

    channel: DossierChannel = "counter"


class DossierRated(DossierEvent, event="dossier.rated"):
    """The citizen rated the handling, 1 (worst) to 5."""

    score: Score


class DossierDueSoon(DossierEvent, event="dossier.due_soon"):
    """Published by `deadlines`, once per promised date and stage: 3 working days before, and on the day."""

    promised_at: PromisedAt
    stage: Literal["soon", "today"] = Field(description="which warning: 3 working days before, or on the day")


class DossierOverdue(DossierEvent, event="dossier.overdue"):
    """Published by `deadlines`, once per promised date: the date has passed and the dossier is not done."""

    promised_at: PromisedAt

    def contradiction(self, time: datetime) -> str | None:
        """The date must have passed."""
        return not_over("data.promised_at", self.promised_at, time)


class DossierSynchronised(DossierEvent, event="dossier.synchronised"):
    """The national portal has the dossier."""


class PaymentMade(
    EventData, event="payment.made", system=SYSTEM, entities={"payment": ("transaction",), "dossier": ("dossier",)}
):
    """A tax (nghĩa vụ tài chính) or a fee (phí, lệ phí) was paid."""

    transaction: Transaction
    kind: PaymentKind
    amount: Dong
    method: Literal["portal", "bank_transfer", "qr_code", "card", "cash"] = Field(description="how it was paid")
    dossier: DossierCode | None = Field(None, description="dossier that the payment belongs to")


class PaymentRefunded(EventData, event="payment.refunded", system=SYSTEM, entities={"payment": ("transaction",)}):
    """Money went back, all of it or a part."""

    transaction: Transaction
    amount: Dong
    reason: Reason = "other"


class ProcedurePublished(
    EventData, event="procedure.published", system=SYSTEM, entities={"service": ("unit", "procedure")}
):
    """A unit offers a procedure from now on (or offers it differently, or no more: `offered` false)."""

    procedure: ProcedureCode
    field: FieldOfWork
    online_level: OnlineLevel
    offered: bool = Field(True, description="false when the unit offers the procedure no more")
    has_fee: bool = Field(False, description="the procedure costs a tax or a fee")
    in_time: bool = Field(True, description="published within the time allowed")
    complete: bool = Field(True, description="all that must be public about the procedure is public")


class CalendarChanged(EventData, event="calendar.changed", system=SYSTEM, entities={"calendar": ("day",)}):
    """A working day was announced off, or a day off worked; the event's time is the announcement."""

    day: date = Field(description="the day that changes")
    working: bool = Field(description="true: worked, though a day off; false: off, though a working day")
    name: Note = Field(description="what the change is called")

    def contradiction(self, time: datetime) -> str | None:
        """A change more than two years away is a slip of the pen."""
        far = abs(datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC) - time) > timedelta(days=731)
        return f"data.day: {self.day.isoformat()} lies more than two years from the announcement" if far else None


EVENTS: tuple[type[EventData], ...] = (
    DossierSubmitted, DossierAccepted, DossierRefused, DossierProcessing, DossierSupplementRequested,
    DossierSupplementReceived, DossierPaymentRequested, DossierWithdrawn, DossierStopped, DossierExtended,
    DossierResolved, DossierReturned, DossierRated, DossierDueSoon, DossierOverdue, DossierSynchronised,
    PaymentMade, PaymentRefunded, ProcedurePublished, CalendarChanged,
)  # fmt: skip

FOLDS: dict[str, Fold] = {
    # A dossier's code begins with the office that gave it, so it is unique in the country, whoever handles it.
    "dossier": noted_dossier,
    "payment": numbered(fold_payment, "payment.made", checks=(note_refunds,)),
    "service": Noted(fold_service),
    "calendar": Noted(fold_calendar_day),
}
