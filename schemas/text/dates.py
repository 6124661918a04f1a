"""How days and moments are written for people: as in Viet Nam, in its time, the day before the time of day."""

from __future__ import annotations

from datetime import date, datetime

from schemas.zone import VN


def day(d: date) -> str:
    """`29/11/2026`; of an aware moment the local day."""
    return f"{d.astimezone(VN) if isinstance(d, datetime) else d:%d/%m/%Y}"


def day_of_year(d: date) -> str:
    """`29/11`, where the year is known."""
    return day(d)[:5]


def days(first: date, last: date) -> str:
    """`01/11/2026 – 29/11/2026`, or the one day."""
    return day(first) if first == last else f"{day(first)} – {day(last)}"


def clock_time(t: datetime) -> str:
    """`11:43:26`, of an aware moment."""
    return f"{t.astimezone(VN):%H:%M:%S}"


def day_and_time(t: datetime, *, seconds: bool = False) -> str:
    """`29/11/2026 11:43`, of an aware moment."""
    return f"{day(t)} {clock_time(t) if seconds else clock_time(t)[:5]}"


def in_words(d: date) -> str:
    """`ngày 05 tháng 02 năm 2026`, as a document is dated: days below 10 and months 1 and 2 with a leading zero."""
    return f"ngày {d.day:02} tháng {f'{d.month:02}' if d.month < 3 else d.month} năm {d.year}"
