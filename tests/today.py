"""What every ward of a test's district has done a moment ago. At night, on a Sunday and in the first hours of a month a
district has done nothing yet, and figures of the day and the month would be empty."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import cycle

from schemas import education, field, health, procedures
from schemas.calendar import local_day
from schemas.envelope import Event, EventData
from schemas.registry import make
from services.simulator.district.geography import WARDS, Ward

SOURCE = "/simulator/today"
FIELDS = ("justice", "land", "construction", "health", "education")
PATIENTS = 6
"""Of each ward: so many are told to the public, where fewer are not."""


def of_today(now: datetime) -> Iterator[Event]:
    """Events of the seconds before `now`, as the simulator sends them."""
    for ward in WARDS:
        for number, data in enumerate(_of_ward(ward, local_day(now))):
            time = now - timedelta(seconds=1) + timedelta(milliseconds=number)
            yield make(
                data, source=SOURCE, id=f"TODAY-{ward.number}-{number}", time=time, unit=ward.unit, origin="simulated"
            )


def _of_ward(ward: Ward, today: date) -> Iterator[EventData]:
    name = f"TODAY-{ward.number}"
    for number, of in zip(range(1 + ward.share // 3), cycle(FIELDS), strict=False):
        code = f"H99.12-{today:%y%m%d}-9{ward.number:02}{number:02}"
        yield procedures.DossierAccepted(
            code=code, procedure="2.000815", field=of, channel="online", online_level="full", limit_days=3
        )
        yield procedures.DossierResolved(code=code)
    yield procedures.PaymentMade(transaction=name, kind="fee", amount=20_000, method="qr_code", dossier=code)
    yield procedures.PaymentMade(transaction=f"{name}-2", kind="tax", amount=1_200_000, method="qr_code", dossier=code)
    yield field.ReportReceived(code=name, channel="app", category="road", priority="normal")
    yield field.ReportResolved(code=name, handling="handled")
    yield field.ReportRated(code=name, score=4)
    yield education.AttendanceReported(
        day=today, school=f"today_{ward.number}", level="primary", enrolled=842, present=829
    )
    yield education.SchoolFeeReported(
        day=today, level="primary", amount=186_500_000, cashless_amount=171_200_000, payments=373, cashless_payments=342
    )
    yield health.VisitsReported(day=today, facility=f"today_{ward.number}", visits=418, insured=371)
    for patient in range(PATIENTS):
        yield health.DiseaseNotified(case=f"{name}-{patient}", disease="dengue")
