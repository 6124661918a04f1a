"""From a dossier's course to its events, up to the scenario's end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from schemas import procedures as p
from schemas.envelope import Event, EventData
from schemas.types import Channel
from services.simulator.november_2024.dossiers import CALENDAR, Dossier, dossiers
from services.simulator.november_2024.moments import CLOSE
from services.simulator.november_2024.offers import PROFILES, Profile, cells
from services.simulator.november_2024.shift import Shift
from services.simulator.november_2024.splits import shares

OVERDUE_PERMILLE = 5
Method = Literal["portal", "qr_code", "bank_transfer"]
Step = tuple[str, datetime, EventData]

_METHODS: tuple[Method, ...] = ("portal", "portal", "portal", "qr_code", "qr_code", "bank_transfer")
_HANDED_AFTER = tuple(timedelta(minutes=minutes) for minutes in (5, 20, 45, 90, 240, 480, 1100))
_RATED_AFTER = range(300, 90_000)
_SCORES = (5, 5, 5, 5, 5, 5, 5, 4, 4, 4, 4, 3, 2)
_REASONS = ("missing_papers", "wrong_form", "not_competent")


def overdue_counts() -> list[int]:
    """How many dossiers of each unit are overdue; together half a percent of all."""
    totals = [cells(profile).total for profile in PROFILES]
    return shares((sum(totals) * OVERDUE_PERMILLE + 500) // 1000, totals)


def dossier_events(shift: Shift) -> Iterator[Event]:
    """The dossiers and payments of all units, unit by unit, each dossier's events in order."""
    for number, (profile, overdue) in enumerate(zip(PROFILES, overdue_counts(), strict=True), start=1):
        planned, rng = dossiers(profile, overdue)
        for serial, dossier in enumerate(planned, start=1):
            yield from _events(number, serial, profile, dossier, shift, rng)


def _events(number: int, serial: int, profile: Profile, dossier: Dossier, shift: Shift, rng: Random) -> Iterator[Event]:
    code = shift.dossier_code(number, dossier.submitted.date(), serial)
    transaction = f"TXN-{number:02d}D{serial:04d}-{shift.tag}"
    for name, time, data in life(code, transaction, dossier, shift.days, rng):
        if time >= CLOSE:
            return
        yield shift.event(data, id=name if name == transaction else f"{code}-{name}", time=time, unit=profile.unit)


def life(code: str, transaction: str, dossier: Dossier, days: timedelta, rng: Random) -> Iterator[Step]:
    """(name, moment, data) of its steps in order of time, without regard to the scenario's end; what is promised lies
    `days` later."""
    offer = dossier.offer
    yield "submitted", dossier.submitted, p.DossierSubmitted(
        code=code, procedure=offer.procedure, field=offer.field, channel=dossier.channel, online_level=offer.level
    )  # fmt: skip
    if dossier.accepted and dossier.promised:
        yield "accepted", dossier.accepted, _acceptance(code, dossier.promised + days, rng)
        if offer.limit >= 5:
            yield "processing_started", _soon(dossier), p.DossierProcessing(code=code)
    if dossier.supplement:
        requested, came = dossier.supplement
        yield "supplement_requested", requested, p.DossierSupplementRequested(code=code)
        yield "supplement_received", came, p.DossierSupplementReceived(code=code)
    if due := dossier.due:
        yield "payment_requested", due.requested, p.DossierPaymentRequested(code=code, kind=due.kind, amount=due.amount)
        if due.paid:
            yield transaction, due.paid, p.PaymentMade(
                transaction=transaction, kind=due.kind, amount=due.amount, method=rng.choice(_METHODS), dossier=code
            )  # fmt: skip
    yield from _ending(code, dossier, rng)


def over(dossier: Dossier) -> datetime:
    """A moment after which nothing is told of the dossier any more."""
    return CALENDAR.add_working_time(dossier.ended, _HANDED_AFTER[-1]) + timedelta(seconds=_RATED_AFTER.stop)


def _soon(dossier: Dossier) -> datetime:
    assert dossier.accepted is not None
    return CALENDAR.add_working_time(dossier.accepted, dossier.worked() // 25).replace(microsecond=0)


def _acceptance(code: str, promised: datetime, rng: Random) -> p.DossierAccepted:
    """Papers digitised, data reused and identity checked about as often as the province reports for the year."""
    components, randomness = rng.randint(2, 6), rng.randrange(10_000)
    return p.DossierAccepted(
        code=code,
        promised_at=promised,
        components=components,
        digitised_components=components - randomness % 2 if randomness % 100 < 97 else 0,
        reused_components=1 + randomness % 2 if randomness < 7640 else 0,
        store_components=1 if randomness < 3100 else 0,
        identity_verified=randomness < 8800,
    )


def _ending(code: str, dossier: Dossier, rng: Random) -> Iterator[Step]:
    end, ended = dossier.end, dossier.ended
    if end == "refused":
        yield end, ended, p.DossierRefused(code=code, reason=rng.choice(_REASONS))
    elif end == "withdrawn":
        yield end, ended, p.DossierWithdrawn(code=code)
    elif end == "stopped":
        yield end, ended, p.DossierStopped(code=code, reason="no_supplement")
    else:
        electronic = rng.randrange(10_000) < 7794
        yield end, ended, p.DossierResolved(code=code, electronic_result=electronic)
        handed = CALENDAR.add_working_time(ended, rng.choice(_HANDED_AFTER))
        yield "returned", handed, p.DossierReturned(code=code, channel=_way(dossier, electronic))
        if rng.randrange(100) < 16:
            rated = handed + timedelta(seconds=rng.choice(_RATED_AFTER))
            yield "rated", rated, p.DossierRated(code=code, score=rng.choice(_SCORES))


def _way(dossier: Dossier, electronic: bool) -> Channel:
    return (
        "online" if electronic and dossier.channel == "online" else "post" if dossier.channel == "post" else "counter"
    )
