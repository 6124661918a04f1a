"""When people file: the shape of a week and of a day, at the counter and online. Moments are local, to the second."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random

from schemas.calendar import VN

FIRST_DAY = date(2024, 11, 1)
END = date(2024, 11, 30)
CLOSE = datetime.combine(END + timedelta(days=1), time(), VN)
"""The first moment after the scenario: what would happen from here on has not happened."""

OCTOBER = (date(2024, 10, 23), date(2024, 10, 31))
TO_23RD = (FIRST_DAY, date(2024, 11, 23))
REST = (date(2024, 11, 24), END)

_HALF_HOUR = 1800
# Half hour of the day (its start) -> how many of a hundred or so come in it.
_OFFICE = {"07:00": 3, "07:30": 6, "08:00": 9, "08:30": 9, "09:00": 9, "09:30": 8, "10:00": 7, "10:30": 5, "11:00": 3,
           "13:30": 6, "14:00": 8, "14:30": 8, "15:00": 7, "15:30": 5, "16:00": 3, "16:30": 1}  # fmt: skip
_LEISURE = {"09:00": 2, "10:00": 2, "12:00": 2, "12:30": 2, "17:30": 1, "19:00": 2, "19:30": 3, "20:00": 3, "20:30": 3,
            "21:00": 2, "21:30": 1}  # fmt: skip
WEEK = {"counter": (13, 11, 10, 10, 9, 0, 0), "online": (26, 22, 20, 20, 18, 4, 3)}


def _slots(*shapes: dict[str, int]) -> tuple[timedelta, ...]:
    """One entry per weight, so that a plain choice has the shape."""
    starts = [(time.fromisoformat(text), weight) for shape in shapes for text, weight in shape.items()]
    return tuple(timedelta(hours=t.hour, minutes=t.minute) for t, weight in starts for _ in range(weight))


_SLOTS = {"counter": _slots(_OFFICE), "online": _slots(_OFFICE, _LEISURE), "weekend": _slots(_LEISURE)}


def filings(span: tuple[date, date], count: int, door: str, rng: Random) -> Iterator[datetime]:
    """`count` moments within the days of `span` at which people file at the `door`, `counter` or `online`."""
    first, last = span
    days = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    weights = [WEEK[door][day.weekday()] for day in days]
    for day in rng.choices(days, weights, k=count):
        yield moment(day, "weekend" if day.weekday() >= 5 else door, rng)


def moment(day: date, shape: str, rng: Random) -> datetime:
    """A moment of the day: `counter` hours, `online` ones (evenings too), or those of a `weekend`."""
    start = datetime.combine(day, time(), VN) + rng.choice(_SLOTS[shape])
    return start + timedelta(seconds=rng.randrange(_HALF_HOUR))
