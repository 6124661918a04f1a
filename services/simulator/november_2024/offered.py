"""The procedures that the units offer online, published in the months before the scenario."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from schemas.calendar import VN
from schemas.envelope import Event
from schemas.procedures import ProcedurePublished
from services.simulator.november_2024.offers import PROFILES, offers
from services.simulator.november_2024.shift import Shift

_FIRST = datetime(2024, 1, 8, 9, 0, tzinfo=VN)
_WEEKS = 40


def service_events(shift: Shift) -> Iterator[Event]:
    """One publication per unit and procedure, on Mondays from January to October."""
    for number, profile in enumerate(PROFILES):
        for place, offer in enumerate(offers(profile)):
            data = ProcedurePublished(
                procedure=offer.procedure,
                field=offer.field,
                online_level=offer.level,
                has_fee=offer.obligation is not None,
            )
            time = _FIRST + timedelta(weeks=(7 * number + 3 * place) % _WEEKS, minutes=place)
            yield shift.event(data, id=f"{profile.unit}-{offer.procedure}-{shift.tag}", time=time, unit=profile.unit)
