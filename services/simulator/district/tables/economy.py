"""System 2: what the wards state each evening of the month so far, the corrections of next morning, the month's targets."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from schemas import economy as e
from schemas.calendar import month_end
from services.simulator.district.rng import Dice
from services.simulator.district.workflows import Life, Step, Workflow

SYSTEM = "economy"
# indicator -> (the least and the most that thirty days add, in units of `step`; `step`)
_STATED = (("enterprises_new", 2, 12, 1), ("paperless_meetings", 4, 20, 1), ("budget_revenue", 12_000, 60_000, 100_000))
_CORRECTED = (("public_investment", 6_000, 30_000, 1_000_000), ("production_value", 27_000, 270_000, 1_000_000))
_TARGETS = (("budget_revenue", 100_000), ("public_investment", 1_000_000))


def _so_far(x: Life, table: tuple[tuple[str, int, int, int], ...]) -> dict[str, Any]:
    """A ward's pace is its own and holds for the month, so that no day's figure is below the one before."""
    name, low, high, step = table[x.number]
    day = x.began.date()
    value = Decimal(_month(x, name, low, high) * day.day // 30 * step)
    return {"indicator": name, "period_start": day.replace(day=1), "period_end": day, "value": value}


def _month(x: Life, name: str, low: int, high: int) -> int:
    """What thirty days of this month add."""
    return Dice(f"{x.cohort.tag}/{name}/{x.cohort.ward.unit}/{x.began:%Y-%m}").between(0, low, high)


def _corrected(x: Life, t: datetime) -> e.IndicatorRevised:
    said = _so_far(x, _CORRECTED)
    share = Decimal(x.dice.between(2, 97, 103)) / 100
    return e.IndicatorRevised(**{**said, "value": (said["value"] * share).quantize(Decimal(1))}, revision=1)


def _target(x: Life, t: datetime) -> e.IndicatorTargetSet:
    """A month's plan lies near what the ward will do."""
    name, step = _TARGETS[x.number]
    low, high = next(row[1:3] for row in (*_STATED, *_CORRECTED) if row[0] == name)
    share = Dice(f"{x.cohort.tag}/plan/{name}/{x.cohort.ward.unit}/{x.began:%Y-%m}").between(0, 96, 108)
    day, target = x.began.date(), Decimal(_month(x, name, low, high) * share // 100 * step)
    return e.IndicatorTargetSet(
        indicator=name, period_start=day.replace(day=1), period_end=month_end(day), target=target
    )


COURSES = (
    Workflow("stated", SYSTEM, "office_evening", (Step(lambda x, t: e.IndicatorReported(**_so_far(x, _STATED))),), fixed=len(_STATED), door="wards"),
    Workflow("stated_and_corrected", SYSTEM, "office_evening", (Step(lambda x, t: e.IndicatorReported(**_so_far(x, _CORRECTED))), Step(_corrected, 100, door="statistics")), fixed=len(_CORRECTED), door="wards"),
    Workflow("target", SYSTEM, "week_begins", (Step(_target),), fixed=len(_TARGETS), door="finance"),
)  # fmt: skip
