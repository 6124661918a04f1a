"""System 1: dossiers in all their ways, taxes and fees paid and refunded, procedures published, holidays announced."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple, cast

from schemas import procedures as p
from schemas.calendar import Limit
from schemas.types import Channel
from services.simulator.district.hours import CALENDAR, next_holiday
from services.simulator.district.workflows import Life, Step, Workflow, utc

SYSTEM = "procedures"
DAY = 480
"""Working minutes."""


class Offer(NamedTuple):
    """A procedure that the wards offer, with what is due for it."""

    procedure: str
    field: str
    level: Literal["none", "partial", "full"]
    kind: Literal["tax", "fee"]


OFFERS: dict[int, tuple[Offer, ...]] = {
    1: (Offer("2.000815", "justice", "partial", "fee"), Offer("2.000884", "justice", "none", "fee")),
    2: (Offer("1.001193", "justice", "full", "fee"), Offer("1.000656", "justice", "full", "fee")),
    3: (Offer("1.004873", "justice", "full", "fee"), Offer("1.001612", "business", "full", "fee")),
    5: (Offer("1.012756", "land", "partial", "tax"), Offer("2.000720", "business", "full", "fee")),
    7: (Offer("1.003554", "land", "none", "tax"), Offer("1.001776", "social_protection", "full", "fee")),
    10: (Offer("1.012783", "land", "partial", "tax"), Offer("1.009994", "construction", "partial", "fee")),
}
"""Limit in working days -> the procedures that have it."""
_ALL = tuple(offer for offers in OFFERS.values() for offer in offers)
_SCORES = (5, 5, 5, 5, 5, 4, 4, 4, 3, 2, 1)


def _offer(x: Life) -> Offer:
    return x.cohort.dice.pick(1, OFFERS[x.cohort.course.limit])


def _submitted(x: Life, t: datetime) -> p.DossierSubmitted:
    offer, channel = _offer(x), cast(Channel, x.cohort.course.way)
    return p.DossierSubmitted(
        code=x.dossier_code(),
        procedure=offer.procedure,
        field=offer.field,
        channel=channel,
        online_level=offer.level,
        portal="national" if channel == "online" and x.cohort.dice.happens(2, 70) else "provincial",
    )


def _accepted(x: Life, t: datetime) -> p.DossierAccepted:
    """Some counters name the date, others the limit."""
    papers = x.dice.between(1, 2, 6)
    limit = x.cohort.course.limit
    named = x.dice.happens(2, 60)
    return p.DossierAccepted(
        code=x.dossier_code(),
        promised_at=utc(CALENDAR.due_at(t, Limit(days=limit))) if named else None,
        limit_days=None if named else limit,
        components=papers,
        digitised_components=papers if x.dice.happens(3, 85) else 0,
        reused_components=1 if x.dice.happens(4, 70) else 0,
        store_components=1 if x.dice.happens(5, 30) else 0,
        identity_verified=x.dice.happens(6, 88),
    )


def _extended(x: Life, t: datetime) -> p.DossierExtended:
    return p.DossierExtended(code=x.dossier_code(), promised_at=utc(CALENDAR.due_at(t, Limit(days=4))))


def _payment_requested(x: Life, t: datetime) -> p.DossierPaymentRequested:
    kind = _offer(x).kind
    return p.DossierPaymentRequested(code=x.dossier_code(), kind=kind, amount=_amount(x, kind))


def _dossier_paid(x: Life, t: datetime) -> p.PaymentMade:
    kind = _offer(x).kind
    return p.PaymentMade(
        transaction=x.code("TXN"), kind=kind, amount=_amount(x, kind), method=_method(x), dossier=x.dossier_code()
    )


def _resolved(x: Life, t: datetime) -> p.DossierResolved:
    return p.DossierResolved(code=x.dossier_code(), electronic_result=x.dice.happens(7, 78))


def _returned(x: Life, t: datetime) -> p.DossierReturned:
    return p.DossierReturned(code=x.dossier_code(), channel=cast(Channel, x.cohort.course.way))


def _rated(x: Life, t: datetime) -> p.DossierRated:
    return p.DossierRated(code=x.dossier_code(), score=x.dice.pick(8, _SCORES))


def _amount(x: Life, kind: str) -> int:
    return x.dice.between(9, 200, 6_000) * 1000 if kind == "tax" else x.dice.between(9, 3, 60) * 2500


def _method(x: Life) -> Literal["portal", "bank_transfer", "qr_code", "card", "cash"]:
    return x.dice.pick(10, ("portal", "portal", "portal", "qr_code", "qr_code", "bank_transfer", "card", "cash"))


def _paid(x: Life, t: datetime) -> p.PaymentMade:
    kind = cast(Literal["tax", "fee"], x.cohort.course.way)
    return p.PaymentMade(transaction=x.code("TXN"), kind=kind, amount=_amount(x, kind), method=_method(x))


def _refunded(x: Life, t: datetime) -> p.PaymentRefunded:
    """All of it, or half."""
    amount = _amount(x, x.cohort.course.way)
    return p.PaymentRefunded(
        transaction=x.code("TXN"), amount=amount if x.dice.happens(11, 70) else amount // 2, reason="paid_twice"
    )


def _offered(x: Life, t: datetime) -> p.ProcedurePublished:
    """Each procedure of a ward, before anybody asks for it."""
    return _publication(x, _ALL[x.number], offered=True)


def _published(x: Life, t: datetime) -> p.ProcedurePublished:
    """Now and then one is published anew, or one that nobody files online is given up."""
    offer = x.dice.pick(1, _ALL)
    return _publication(x, offer, offered=offer.level != "none" or x.dice.happens(2, 96))


def _publication(x: Life, offer: Offer, *, offered: bool) -> p.ProcedurePublished:
    return p.ProcedurePublished(
        procedure=offer.procedure,
        field=offer.field,
        online_level=offer.level,
        offered=offered,
        has_fee=True,
        in_time=x.dice.happens(3, 94),
        complete=x.dice.happens(4, 97),
    )


def _announced(x: Life, t: datetime) -> p.CalendarChanged:
    """The government confirms a day off that the calendar expects."""
    day = next_holiday(t.date())
    assert day is not None, "the hours of this course name only such days"
    return p.CalendarChanged(day=day, working=False, name=CALENDAR.name_of(day) or "Nghỉ lễ")


_SUBMITTED = Step(_submitted)
_ACCEPTED = Step(_accepted, 20)
_HANDLING = Step(lambda x, t: p.DossierProcessing(code=x.dossier_code()), 60)
_TAKEN = (_SUBMITTED, _ACCEPTED, _HANDLING)
_SYNCHRONISED = Step(lambda x, t: p.DossierSynchronised(code=x.dossier_code()), 90, door="portal")
_FEE = (Step(_payment_requested, 150), Step(_dossier_paid, 150, 95, door="payments"))


def _done(worked: float) -> tuple[Step, ...]:
    return Step(_resolved, worked), Step(_returned, worked + 25)


def _praise(worked: float) -> Step:
    return Step(_rated, worked + 25, 200, door="ratings")


def _papers(requested: float, came: float) -> tuple[Step, ...]:
    return (
        Step(lambda x, t: p.DossierSupplementRequested(code=x.dossier_code()), requested),
        Step(lambda x, t: p.DossierSupplementReceived(code=x.dossier_code()), came),
    )


_REFUSED = Step(lambda x, t: p.DossierRefused(code=x.dossier_code(), reason=x.dice.pick(12, ("not_competent", "wrong_form"))), 55)  # fmt: skip
_WITHDRAWN = Step(lambda x, t: p.DossierWithdrawn(code=x.dossier_code()), 1.4 * DAY)
_STOPPED = Step(lambda x, t: p.DossierStopped(code=x.dossier_code(), reason="no_supplement"), 11 * DAY)

COURSES = (
    Workflow("dossier_same_day", SYSTEM, "counter", (_SUBMITTED, _ACCEPTED, *_done(190)), often=60, limit=1, way="counter", door="one_stop"),
    Workflow("dossier_online", SYSTEM, "online", (*_TAKEN, _SYNCHRONISED, *_done(2 * DAY), _praise(2 * DAY)), often=45, limit=3, way="online", door="one_stop"),
    Workflow("dossier_paid", SYSTEM, "online", (*_TAKEN, _SYNCHRONISED, *_FEE, *_done(3.6 * DAY)), often=40, limit=5, way="online", door="one_stop"),
    Workflow("dossier_on_the_day", SYSTEM, "counter", (*_TAKEN, *_done(3 * DAY)), often=16, limit=3, way="counter", door="one_stop"),
    Workflow("dossier_by_post", SYSTEM, "counter", (*_TAKEN, _SYNCHRONISED, *_done(5 * DAY)), often=8, limit=7, way="post", door="one_stop"),
    Workflow("dossier_supplemented", SYSTEM, "counter", (*_TAKEN, *_papers(1.2 * DAY, 3 * DAY), *_done(8 * DAY), _praise(8 * DAY)), often=12, limit=10, way="counter", door="one_stop"),
    Workflow("dossier_overdue", SYSTEM, "counter", (*_TAKEN, *_done(4 * DAY)), often=0.4, limit=2, way="counter", door="one_stop"),
    Workflow("dossier_extended", SYSTEM, "online", (*_TAKEN, Step(_extended, 6 * DAY), *_done(9 * DAY)), often=2, limit=5, way="online", door="one_stop"),
    Workflow("dossier_forgotten", SYSTEM, "counter", (*_TAKEN, *_done(9 * DAY)), often=0.1, limit=2, way="counter", door="one_stop"),
    Workflow("dossier_refused", SYSTEM, "online", (_SUBMITTED, _REFUSED), often=6, limit=3, way="online", door="one_stop"),
    Workflow("dossier_withdrawn", SYSTEM, "online", (*_TAKEN, _WITHDRAWN), often=3, limit=5, way="online", door="one_stop"),
    Workflow("dossier_stopped", SYSTEM, "counter", (*_TAKEN, *_papers(1.5 * DAY, 99 * DAY)[:1], _STOPPED), often=2, limit=10, way="counter", door="one_stop"),
    Workflow("tax_paid", SYSTEM, "online", (Step(_paid),), often=8, way="tax", door="payments"),
    Workflow("fee_paid", SYSTEM, "online", (Step(_paid),), often=8, way="fee", door="payments"),
    Workflow("fee_refunded", SYSTEM, "online", (Step(_paid), Step(_refunded, 2 * DAY)), often=0.3, way="fee", door="payments"),
    Workflow("procedure", SYSTEM, "office_evening", (Step(_published),), fixed=2, door="portal"),
    Workflow("holiday", SYSTEM, "holiday_ahead", (Step(_announced),), fixed=1, only="phuong_chon_thanh", door="portal"),
)  # fmt: skip
AT_FIRST = (Workflow("procedures_of_a_ward", SYSTEM, "machines", (Step(_offered),), at_first=len(_ALL), door="portal"),)
