"""The figures of a report, asked of `readings` as `ioc query` asks them, each question once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from psycopg import Connection

from schemas import units
from schemas.calendar import local_day, month_end
from schemas.indicators import CATALOGUE, Indicator
from schemas.text import numbers
from schemas.text.dates import day as written_day
from schemas.text.dates import day_and_time
from schemas.units import ancestors
from services.readings import Period, Reading, read, sheet
from services.readings.coverage import covers, data_since
from services.readings.memo import memoised
from services.reports.content import Figure, roman
from services.reports.texts import OWN, Place, Texts, filled, places

DAY = timedelta(days=1)


class Figures:
    """Readings of one unit (None: the whole locality), for one snapshot."""

    def __init__(self, conn: Connection, unit: str | None, texts: Texts) -> None:
        self.conn = memoised(conn)
        self.unit = unit
        self.indicators = [replace(CATALOGUE[code], vi=vi) for code, vi in texts.figures.items() if code in CATALOGUE]
        self.findings = texts.findings
        self.origins: set[str] = set()

    def one(self, code: str, period: Period) -> Reading:
        """The figure of a period."""
        return self.course(code, period)[0]

    def course(self, code: str, period: Period, by: str | None = None) -> list[Reading]:
        """The figure of each group, as `readings.read` gives it."""
        readings = read(self.conn, CATALOGUE[code], self.unit, period, by)
        self.origins.update(origin for reading in readings for origin in reading.origins)
        return readings

    def by(self, codes: Iterable[str], period: Period, by: str) -> dict[str, dict[str, Reading]]:
        """group -> code -> reading, of the groups that have any value."""
        columns = sheet(self.conn, [CATALOGUE[code] for code in codes], self.unit, period, by, aligned=True)
        rows = {row[0].group: {r.indicator.code: r for r in row} for row in zip(*columns, strict=True)}
        found = {group: row for group, row in rows.items() if any(r.value is not None for r in row.values())}
        self.origins.update(origin for row in rows.values() for reading in row.values() for origin in reading.origins)
        return found

    def before(self, code: str, period: Period) -> Reading | None:
        """The figure of the period before, where that was covered by data and both are over; else None."""
        earlier = period_before(period)
        if not period.is_over or not covers(self.conn, CATALOGUE[code], self.unit, earlier):
            return None
        reading = self.one(code, earlier)
        return None if reading.value is None else reading

    def since(self, code: str, period: Period) -> date | None:
        """From which day on the figure has data."""
        return data_since(self.conn, CATALOGUE[code], self.unit, period)

    def root(self, period: Period) -> str | None:
        """The unit that the report is of: the one asked for, else the province that all units with dossiers are in by
        the report's day."""
        if self.unit:
            return self.unit
        groups, day = self.by(["ii06_03", "ii06_06"], period, "unit"), local_day(period.as_of)
        provinces = {units.heir(([*ancestors(code)] or [units.get(code)])[-1].code, day) for code in groups}
        return provinces.pop() if len(provinces) == 1 else None

    def name(self, period: Period) -> str:
        """What the report calls the unit, by its name on the last day."""
        root = self.root(period)
        return units.on(root, period.last).name_vi if root else "toàn địa bàn"

    def sentence(self, text: str, period: Period) -> str | None:
        """A sentence with its figures; None where one of them is missing."""
        words: dict[Place, str] = {}
        for place in places(text):
            word = self._own(place.code, period) if place.code in OWN else self._word(place, period)
            if word is None:
                return None
            words[place] = word
        return filled(text, words)

    def _own(self, name: str, period: Period) -> str:
        own = {"unit": self.name(period), "period": in_words(period), "as_of": day_and_time(period.as_of)}
        return own[name]

    def _word(self, place: Place, period: Period) -> str | None:
        match place.view:
            case "before":
                reading = self.before(place.code, period)
            case "year":
                reading = self.one(place.code, year_so_far(period))
            case "change":
                change = self.change(place.code, period)
                return None if change is None else _moved(change, CATALOGUE[place.code])
            case _:
                reading = self.one(place.code, period)
        return None if reading is None or reading.printed is None else figure(reading).text

    def change(self, code: str, period: Period) -> Decimal | None:
        """By how much the printed figure differs from that of the period before."""
        now, before = self.one(code, period), self.before(code, period)
        if now.printed is None or before is None or before.printed is None:
            return None
        return now.printed - before.printed


def exactly(value: Decimal) -> Figure:
    """A number with all its decimals."""
    return Figure(value, max(0, -int(value.as_tuple().exponent)))


def figure(reading: Reading) -> Figure:
    """A reading as it is printed."""
    reason = reading.reason.vi if reading.reason else ""
    return Figure(reading.printed, reading.indicator.decimals, reason)


def _moved(change: Decimal, indicator: Indicator) -> str:
    if not change:
        return "không đổi"
    return f"{'tăng' if change > 0 else 'giảm'} {numbers.grouped(abs(change), indicator.decimals)}"


# --- periods ---


def whole_months(period: Period) -> int:
    """Of how many whole months it is made; 0 where it begins or ends within one."""
    first, last = period.first, period.last
    if first.day != 1 or last != month_end(last):
        return 0
    return (last.year - first.year) * 12 + last.month - first.month + 1


def period_before(period: Period) -> Period:
    """As many whole months before whole months, else as many days."""
    last, months = period.first - DAY, whole_months(period)
    if months:
        first = last.replace(day=1)
        for _ in range(months - 1):
            first = _a_month_before(first)
    elif period.first == _a_month_before(period.last):  # a month that closes on a day of its own
        first, last = _a_month_before(period.first), period.first
    else:
        first = period.first - (period.last - period.first) - DAY
    return replace(period, first=first, last=last)


def year_so_far(period: Period) -> Period:
    """From the first of January of the year in which the period ends."""
    return replace(period, first=period.last.replace(month=1, day=1))


def closing(period: Period, day: int | None) -> Period:
    """A whole month as an office counts it that closes on a day: from that day of the month before."""
    if day is None or whole_months(period) != 1:
        return period
    return replace(period, first=_a_month_before(period.first).replace(day=day), last=period.first.replace(day=day))


def in_words(period: Period) -> str:
    """`tháng 11 năm 2024`, `quý IV năm 2024`, `6 tháng đầu năm 2024`, `năm 2024`, or its days."""
    first, last, months = period.first, period.last, whole_months(period)
    month = f"{first.month:02}" if first.month < 3 else f"{first.month}"
    named = {
        (first.month, 1): f"tháng {month} năm",
        (first.month - (first.month - 1) % 3, 3): f"quý {roman(first.month // 3 + 1)} năm",
        (1, 6): "6 tháng đầu năm",
        (7, 6): "6 tháng cuối năm",
        (1, 9): "9 tháng đầu năm",
        (1, 12): "năm",
    }
    if name := named.get((first.month, months)):
        return f"{name} {first.year}"
    if first == last:
        return f"ngày {written_day(first)}"
    return f"từ ngày {written_day(first)} đến ngày {written_day(last)}"


def _a_month_before(day: date) -> date:
    before = day.replace(day=1) - DAY
    return before.replace(day=min(day.day, before.day))
