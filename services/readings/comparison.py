"""A figure held against the same of another period: what may be said of the difference, if anything. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from services.readings.read import Reading

SMALL = 30
"""Of fewer a per cent says nothing: one case more would be three."""
LARGEST = Decimal(500)
"""A change of more per cent than this tells of a base that was no base."""


@dataclass(frozen=True)
class Change:
    """By how much the printed figure moved: in `points` of a share, in `percent` of what it was, or as a `number` in
    the figure's own unit where per cent would mislead. `better`: None where that cannot be said."""

    by: Decimal
    kind: Literal["points", "percent", "number"]
    better: bool | None


def change(now: Reading, before: Reading) -> Change | None:
    """The change from `before`, a period that its sources covered; None where one of the two has no value."""
    if now.printed is None or before.printed is None:
        return None
    by, indicator = now.printed - before.printed, now.indicator
    small = any(r.base is not None and r.base < SMALL for r in (now, before))
    better = None if not by or small or indicator.better is None else (by > 0) == (indicator.better == "higher")
    if indicator.unit == "%":
        return Change(by, "points", better)
    percent = by / abs(before.printed) * 100 if before.printed else None
    counted = indicator.unit not in ("VND", "minute")
    if percent is None or abs(percent) > LARGEST or small or (counted and abs(before.printed) < SMALL):
        return Change(by, "number", better)
    return Change(percent, "percent", better)
