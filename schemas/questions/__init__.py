"""What a question in words asks for: an indicator, a unit, a period. By tables and counting, without a model; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from schemas.indicators import Indicator
from schemas.questions import names, periods, unit_names
from schemas.questions.periods import Days
from schemas.questions.words import tokens
from schemas.units import Unit

BREAKDOWNS = (
    ("unit", r"(?:theo|tung|cac|moi) (?:tung )?(?:don vi|dia phuong|xa|phuong|huyen)|by unit|per unit"),
    ("day", r"theo (?:tung )?ngay|tung ngay|hang ngay|moi ngay|by day|daily"),
    ("month", r"theo (?:tung )?thang|tung thang|hang thang|moi thang|by month|monthly"),
    ("field", r"theo (?:tung )?linh vuc|tung linh vuc|by field"),
)
"""What one row is of -> how it is said."""


@dataclass(frozen=True)
class Found:
    """How a question is read. `indicators`: the nearest first, with how well each fits (0 to 1); none: nothing does.
    `units`: more than one where the name is not clear."""

    indicators: tuple[tuple[Indicator, float], ...]
    units: tuple[Unit, ...]
    days: Days | None
    by: str | None


def read(question: str, today: date) -> Found:
    """Read a question in Vietnamese, with or without its accents, or in English; `NoMoment`: see `periods`."""
    rest, days = periods.take(tokens(question), today)
    rest, by = periods.take_one(rest, BREAKDOWNS)
    rest, units = unit_names.take(rest, days.last if days else today)
    return Found(tuple(names.nearest(rest)), units, days, by)
