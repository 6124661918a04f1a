"""System 4: what clinics tell in the evening, and cases of disease from suspicion to the end of watching."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from schemas import health as h
from services.simulator.district.workflows import Life, Step, Workflow

SYSTEM = "health"
DAY = 1440
_FACILITIES = ("tram_y_te", "phong_kham_da_khoa", "benh_vien")
_VISITS = {"tram_y_te": 3, "phong_kham_da_khoa": 6, "phong_kham_tu": 2, "benh_vien": 14}
"""A day's, for each hundredth of the district's people that live in the ward."""
_DISEASES: tuple[h.Disease, ...] = ("dengue", "dengue", "hand_foot_mouth", "hand_foot_mouth", "chickenpox", "measles", "mumps")  # fmt: skip
_OUTCOMES: tuple[Literal["recovered", "ruled_out", "transferred"], ...] = ("recovered", "recovered", "recovered", "ruled_out", "transferred")  # fmt: skip


def _visits(x: Life, facility: str, revision: int = 0) -> h.VisitsReported:
    visits = x.dice.between(1, 70, 130) * _VISITS[facility] * x.cohort.ward.share // 100 + 3 * revision
    insured = visits * x.dice.between(2, 70, 96) // 100
    return h.VisitsReported(day=x.began.date(), facility=facility, visits=visits, insured=insured, revision=revision)


def _beds(x: Life, t: datetime) -> h.BedsReported:
    beds = (5, 12, 6 * x.cohort.ward.share)[x.number]
    return h.BedsReported(
        day=x.began.date(), facility=_FACILITIES[x.number], beds=beds, occupied=beds * x.dice.between(1, 55, 94) // 100
    )


def _linked(x: Life, t: datetime) -> h.HealthRecordLinked:
    return h.HealthRecordLinked(
        day=x.began.date(), facility=_FACILITIES[x.number], linked=x.dice.between(1, 0, 2 * x.cohort.ward.share)
    )


def _disease(x: Life) -> h.Disease:
    return x.cohort.dice.pick(1, _DISEASES)


_NOTIFIED = Step(lambda x, t: h.DiseaseNotified(case=x.code("CB"), disease=_disease(x), ward=x.cohort.ward.unit))
_CONFIRMED = Step(lambda x, t: h.DiseaseConfirmed(case=x.code("CB")), plus=1.2 * DAY, door="laboratory")
_CLOSED = Step(lambda x, t: h.DiseaseClosed(case=x.code("CB"), outcome=x.dice.pick(2, _OUTCOMES)), plus=8 * DAY)
_RULED_OUT = Step(lambda x, t: h.DiseaseClosed(case=x.code("CB"), outcome="ruled_out"), plus=1.5 * DAY)
_DECLARED = Step(lambda x, t: h.OutbreakDeclared(outbreak=x.code("OD"), disease=_disease(x), ward=x.cohort.ward.unit, cases=x.dice.between(1, 3, 12)))  # fmt: skip
_OVER = Step(lambda x, t: h.OutbreakClosed(outbreak=x.code("OD"), cases=x.dice.between(1, 3, 12) + 2), plus=6 * DAY)

COURSES = (
    Workflow("visits", SYSTEM, "evening", (Step(lambda x, t: _visits(x, _FACILITIES[x.number])),), fixed=len(_FACILITIES), door="clinics"),
    Workflow("visits_corrected", SYSTEM, "evening", (Step(lambda x, t: _visits(x, "phong_kham_tu")), Step(lambda x, t: _visits(x, "phong_kham_tu", 1), plus=960)), fixed=1, door="clinics"),
    Workflow("beds", SYSTEM, "evening", (Step(_beds),), fixed=len(_FACILITIES), door="hospitals"),
    Workflow("records", SYSTEM, "evening", (Step(_linked),), fixed=len(_FACILITIES), door="vneid"),
    Workflow("case_confirmed", SYSTEM, "people", (_NOTIFIED, _CONFIRMED, _CLOSED), often=0.9, door="cdc"),
    Workflow("case_ruled_out", SYSTEM, "people", (_NOTIFIED, _RULED_OUT), often=0.5, door="cdc"),
    Workflow("outbreak", SYSTEM, "people", (_DECLARED, _OVER), often=0.04, door="cdc"),
)  # fmt: skip
