"""Charts of a report: of each system at most one, of its first headline figure that has a course in the period, else of
one that has several units, beside the period before where data covered that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import zip_longest

from schemas import units
from schemas.indicators import Indicator
from schemas.text.dates import day_of_year
from services.readings import Period, Reading
from services.readings.read import round_half_up
from services.reports.content import Bar, Chart
from services.reports.figures import Figures, in_words, period_before
from services.reports.tables import SYSTEM, measured_in

BY_DAY = timedelta(days=62)
"""A longer period is drawn by month."""
UNITS = 8
"""So many names fit below a chart."""
LONGEST_NAME = 12
LEAST = {"day": 5, "month": 3, "unit": 2}
"""So many values make a series."""
_SIZES = (("tỷ đồng", Decimal(10) ** 9), ("triệu đồng", Decimal(10) ** 6))


def chart_of(figures: Figures, period: Period, table: str) -> Chart | None:
    """The chart that stands below the table of a system; None below another, or where no figure has a series."""
    system = table.removeprefix(SYSTEM)
    chosen = [i for i in figures.indicators if f"{SYSTEM}{i.system}" == table and i.headline]
    by = "day" if period.last - period.first <= BY_DAY else "month"
    for step in (by, "unit"):
        for indicator in chosen:
            now = figures.course(indicator.code, period, step)
            if any(r.value for r in now) and sum(r.value is not None for r in now) >= LEAST[step]:
                return _drawn(figures, period, f"chart_{system}", indicator, now, step)
    return None


def _drawn(
    figures: Figures, period: Period, code: str, indicator: Indicator, now: Sequence[Reading], step: str
) -> Chart:
    earlier = period_before(period)
    compared = figures.before(indicator.code, period) is not None
    then = figures.course(indicator.code, earlier, step) if compared else []
    if step == "unit":
        before = {r.group: r.printed for r in then}
        rows = sorted((r for r in now if r.printed is not None), key=lambda r: (-(r.printed or 0), r.group))[:UNITS]
        found = [(_short(units.on(r.group, period.last)), r.printed, before.get(r.group)) for r in rows]
    else:
        pairs = zip_longest(now, then[: len(now)])
        found = [(_label(a.group), a.printed, b.printed if b else None) for a, b in pairs]
    size, measured = _size(indicator, [value for _, *values in found for value in values if value is not None])
    decimals = indicator.decimals if size == 1 else 2
    aim = figures.one(indicator.code, period).target

    def sized(value: Decimal | None) -> Decimal | None:
        return None if value is None else round_half_up(value / size, decimals)

    bars = tuple(Bar(label, sized(a), sized(b)) for label, a, b in found)
    title = f"{indicator.vi}{f', {len(bars)} đơn vị cao nhất' if step == 'unit' else ''}"
    return Chart(
        code, title, measured, in_words(period), in_words(earlier) if compared else "", bars, decimals, sized(aim)
    )


def _label(group: str) -> str:
    """`05/11` of a day, `11` of a month."""
    return day_of_year(date.fromisoformat(group)) if len(group) > len("2026-11") else group[5:]


def _short(unit: units.Unit) -> str:
    name = units.place_of(unit)
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _size(indicator: Indicator, values: Sequence[Decimal]) -> tuple[Decimal, str]:
    """By what values are divided to stand at an axis, and what they then count."""
    if indicator.unit == "VND":
        largest = max(map(abs, values), default=Decimal(0))
        for measured, size in _SIZES:
            if largest >= size:
                return size, measured
    return Decimal(1), measured_in(indicator)
