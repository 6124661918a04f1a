"""System 4, health: visits, beds, notifiable diseases, outbreaks, electronic health records. Counts, no patient."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.daily import Daily
from schemas.envelope import EventData
from schemas.fold import Fold, Measure
from schemas.notes import latest
from schemas.offices import lifecycle
from schemas.retraction import DailyRetraction
from schemas.types import Count, Reference, Slug, Ward

SYSTEM = "health"
Disease = Literal[
    "anthrax", "chickenpox", "cholera", "covid_19", "dengue", "diphtheria", "hand_foot_mouth", "influenza_a",
    "leptospirosis", "malaria", "measles", "meningococcal", "mpox", "mumps", "pertussis", "plague", "rabies", "rubella",
    "tetanus", "tuberculosis", "typhoid", "viral_encephalitis", "viral_hepatitis", "zika", "other",
]  # fmt: skip
NotifiableDisease = Annotated[Disease, Field(description="notifiable disease")]
Facility = Annotated[Slug, Field(description="code of the hospital or health station")]
Cases = Annotated[Count, Field(description="cases known so far")]


class VisitsReported(Daily, event="visits.reported", system=SYSTEM, entities={"visits": ("unit", "facility", "day")}):
    """A facility reported the visits of a day, and how many of them under health insurance."""

    parts: ClassVar = {"insured": "visits"}

    facility: Facility
    visits: Count = Field(description="visits of the day")
    insured: Count = Field(description="visits under health insurance, a part of `visits`")


class BedsReported(Daily, event="beds.reported", system=SYSTEM, entities={"beds": ("unit", "facility", "day")}):
    """A facility reported its beds and the patients in them; a crowded ward has more patients than beds."""

    facility: Facility
    beds: Count = Field(description="beds of the facility")
    occupied: Count = Field(description="patients in beds; may exceed `beds`")


class DiseaseEvent(EventData, system=SYSTEM, entities={"disease": ("case",)}):
    """Every event of a case names it by its number in the register, never the patient."""

    case: Reference = Field(description="number of the case in the register; no patient")


class DiseaseNotified(DiseaseEvent, event="disease.notified"):
    """A case of a notifiable disease was suspected and reported."""

    disease: NotifiableDisease
    ward: Ward | None = None


class DiseaseConfirmed(DiseaseEvent, event="disease.confirmed"):
    """The laboratory or a doctor confirmed the case."""


class DiseaseClosed(DiseaseEvent, event="disease.closed"):
    """The case needs no more watching."""

    outcome: Literal["recovered", "died", "ruled_out", "transferred"] | None = Field(
        None, description="how the case ended"
    )


class OutbreakEvent(EventData, system=SYSTEM, entities={"outbreak": ("outbreak",)}):
    """Every event of an outbreak names it by its number."""

    outbreak: Reference = Field(description="number of the outbreak")


class OutbreakDeclared(OutbreakEvent, event="outbreak.declared"):
    """An outbreak (ổ dịch) was declared."""

    disease: NotifiableDisease
    ward: Ward | None = None
    cases: Cases | None = None


class OutbreakClosed(OutbreakEvent, event="outbreak.closed"):
    """The outbreak is over."""

    cases: Cases | None = None


class HealthRecordLinked(
    Daily, event="health_record.linked", system=SYSTEM, entities={"health_record": ("unit", "facility", "day")}
):
    """Electronic health records that a facility newly linked to VNeID on a day."""

    facility: Facility
    linked: Count = Field(description="records newly linked on that day")


class VisitsRetracted(
    DailyRetraction, event="visits.retracted", system=SYSTEM, entities={"visits": ("of_unit", "facility", "day")}
):
    """A facility's report of the visits of a day was taken back."""

    facility: Facility


class BedsRetracted(
    DailyRetraction, event="beds.retracted", system=SYSTEM, entities={"beds": ("of_unit", "facility", "day")}
):
    """A facility's report of its beds was taken back."""

    facility: Facility


class HealthRecordRetracted(
    DailyRetraction,
    event="health_record.retracted",
    system=SYSTEM,
    entities={"health_record": ("of_unit", "facility", "day")},
):
    """A facility's report of newly linked health records was taken back."""

    facility: Facility


EVENTS: tuple[type[EventData], ...] = (
    VisitsReported, BedsReported, DiseaseNotified, DiseaseConfirmed, DiseaseClosed,
    OutbreakDeclared, OutbreakClosed, HealthRecordLinked,
    VisitsRetracted, BedsRetracted, HealthRecordRetracted,
)  # fmt: skip

_CASE = ("disease", "ward")
MEASURES = (
    Measure("visits", "visit", ("facility",), "Lượt khám chữa bệnh", "Visits", covered_by=("visits",)),
    Measure(
        "visits_insured",
        "visit",
        ("facility",),
        "Lượt khám bảo hiểm y tế",
        "Visits under health insurance",
        covered_by=("visits",),
    ),
    Measure("beds", "bed", ("facility",), "Giường bệnh", "Beds (as of a day)", covered_by=("beds",)),
    Measure(
        "beds_occupied",
        "bed",
        ("facility",),
        "Giường bệnh đang sử dụng",
        "Occupied beds (as of a day)",
        covered_by=("beds",),
    ),
    Measure("disease_cases", "case", _CASE, "Ca bệnh truyền nhiễm báo cáo", "Notified cases of disease"),
    Measure("disease_cases_confirmed", "case", _CASE, "Ca bệnh xác định", "Confirmed cases of disease"),
    Measure("disease_cases_closed", "case", _CASE, "Ca bệnh kết thúc theo dõi", "Closed cases of disease"),
    Measure("outbreaks_declared", "outbreak", _CASE, "Ổ dịch phát hiện", "Outbreaks declared"),
    Measure("outbreaks_closed", "outbreak", _CASE, "Ổ dịch kết thúc", "Outbreaks closed"),
    Measure(
        "health_records_linked",
        "record",
        ("facility",),
        "Sổ sức khỏe điện tử liên kết mới",
        "Health records newly linked to VNeID",
        covered_by=("health_records_linked",),
    ),
)

FOLDS: dict[str, Fold] = {
    "visits": latest({"visits": "visits", "visits_insured": "insured"}, ("facility",), "day"),
    "beds": latest({"beds": "beds", "beds_occupied": "occupied"}, ("facility",), "day"),
    "disease": lifecycle(
        opens="disease.notified",
        closes="disease.closed",
        opened="disease_cases",
        closed="disease_cases_closed",
        labels=_CASE,
        steps={"disease.confirmed": "disease_cases_confirmed"},
    ),
    "outbreak": lifecycle(
        opens="outbreak.declared",
        closes="outbreak.closed",
        opened="outbreaks_declared",
        closed="outbreaks_closed",
        labels=_CASE,
    ),
    "health_record": latest({"health_records_linked": "linked"}, ("facility",), "day"),
}
