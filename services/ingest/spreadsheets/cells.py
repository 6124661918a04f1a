"""What one cell means in a column of its kind. What could mean two things, or nothing, is a `Doubt`, never a guess."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from typing import NamedTuple

from schemas.calendar import local_day
from schemas.text import moments, numbers
from schemas.text.dates import day
from services.ingest.spreadsheets.doubt import Doubt
from services.ingest.spreadsheets.template import NUMBERS, Column, Kind
from services.ingest.spreadsheets.words import bare, plain, unmarked
from services.ingest.spreadsheets.workbook import Value

Meaning = Decimal | date | str | bool | None
"""What a cell says; None: nothing."""
MISSING = "missing"
"""The answer that a cell says nothing."""
_MOST: Mapping[Kind, Decimal] = {
    "count": Decimal(10**8), "money": Decimal(10**13), "share": Decimal(100), "number": Decimal(10**15),
}  # fmt: skip
_EPOCH, _EPOCH_1904 = date(1899, 12, 30), date(1904, 1, 1)
_SERIALS = range(20_000, 80_000)
"""Days as Excel counts them: 1954 to 2119."""
_YES = frozenset({"dat", "co", "yes", "1", "da dat", "true"})
_NO = frozenset({"khong dat", "chua dat", "khong", "no", "0", "chua", "false"})
_SLASHED = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})")


class Seen(NamedTuple):
    """A cell's value and what is known of it beside; `scale`: how many đồng, or of what is counted, one is in this
    column."""

    value: Value
    percent: bool = False
    unstored: bool = False
    scale: int = 1
    fraction: bool = False
    date1904: bool = False
    raised: bool = False


def understand(column: Column, seen: Seen) -> Meaning:
    """What the cell says. Raises `Doubt`."""
    value = seen.value
    if seen.unstored:
        raise Doubt("it is a formula whose result is not stored; open the file in Excel or LibreOffice and save it")
    if isinstance(value, str) and not value.strip():
        return None
    if column.kind in NUMBERS:
        return _number(column.kind, seen)
    if column.kind == "date":
        return _date(value, seen.date1904)
    if column.kind == "yes_no":
        return _yes_no(value)
    if column.kind == "choice":
        return _choice(column, text_of(value))
    if column.kind == "measure":
        return text_of(value)
    return _code(text_of(value)) if column.kind == "code" else text_of(value)


def answered(column: Column, text: str) -> Meaning:
    """What a person answered for a cell: a plain number, a day, a word, or `missing`. Raises `Doubt`."""
    if text.strip().lower() in ("", MISSING):
        return None
    if column.kind not in NUMBERS:
        return understand(column, Seen(text))
    if not re.fullmatch(r"-?\d+([.,]\d+)?", text.strip()):
        raise Doubt("an answer is a plain number (1234 or 98.5), or the word `missing`")
    return _within(column.kind, Decimal(text.strip().replace(",", ".")))


def text_of(value: Value) -> str:
    """A cell as people see it, in one line."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date):
        return day(value.date() if isinstance(value, datetime) else value)
    return " ".join(str(value).split())


def is_figure(value: Value) -> bool:
    """Whether a cell has something like a number in it."""
    if isinstance(value, str):
        return bool(re.fullmatch(r"[\d\s.,'’%+\-–—]*(?:\d|[-–—])[\d\s.,%]*", value.strip()))
    return not isinstance(value, bool | time | timedelta)


# --- numbers ---


def _number(kind: Kind, seen: Seen) -> Decimal:
    value = seen.value
    if isinstance(value, bool | datetime | date | time | timedelta):
        raise Doubt("it is a day or a time" if not isinstance(value, bool) else "it is true or false")
    if seen.raised:
        raise Doubt("a part of it is raised, as the mark of a footnote: which is the figure?")
    share = is_share(seen)
    if share and kind in ("count", "money"):
        raise no_share(seen, "đồng" if kind == "money" else "counts")
    whole = kind in ("count", "money") and seen.scale == 1
    if isinstance(value, str):
        number = _text(kind, value.strip().removesuffix("%") if share else value, whole)
    else:
        number = _typed(kind, value, whole)
    if (seen.percent and not isinstance(value, str)) or seen.fraction:
        number *= 100
    return _within(kind, number * seen.scale)


def is_share(seen: Seen) -> bool:
    """Whether a cell is shown in percent, or written so."""
    return seen.percent or (isinstance(seen.value, str) and seen.value.rstrip().endswith("%"))


def no_share(seen: Seen, counted: str = "counts") -> Doubt:
    """The doubt of a share where something is counted."""
    return Doubt(f"it is a share in a column of {counted}", *_of_share(seen))


def _of_share(seen: Seen) -> tuple[Decimal, ...]:
    """The number that stands before a share's sign, which may be what is meant."""
    if isinstance(seen.value, str):
        digits = seen.value.strip().removesuffix("%").strip()
        return (Decimal(digits),) if digits.isdecimal() else ()
    return ()


def _text(kind: Kind, text: str, whole: bool) -> Decimal:
    """A number as offices write it: a stroke is nothing, points in a whole number are between thousands."""
    text = text.strip()
    if text in _STROKES:
        return Decimal(0)
    if _LIKE_A_CODE.fullmatch(text):
        raise Doubt("it begins with a zero, as a code or a phone number does")
    if whole and _POINTS.fullmatch(text):
        return Decimal(text.replace(".", ""))
    if kind == "money" and whole and _COMMA.fullmatch(text):
        raise Doubt(_COMMA_OF_MONEY, *_of_comma(text))
    try:
        return numbers.read(text, whole=whole)
    except numbers.NoNumber as wrong:
        possible = [reading for reading in wrong.readings if reading <= _MOST[kind]]
        if kind == "share" and len(possible) == 1:
            return possible[0]
        if whole and wrong.readings and not all(map(_is_whole, wrong.readings)):
            raise Doubt("it is no whole number", *_larger(kind, wrong.readings[0])) from None
        raise Doubt(_TWO_WAYS if wrong.readings else "it is no number", *reversed(possible)) from None


_STROKES = frozenset("-–—−")
_LIKE_A_CODE = re.compile(r"0\d{2,}.*")
_POINTS = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+")
_COMMA = re.compile(r"[1-9]\d{0,2},\d{3}")
_TWO_WAYS = "its mark may be between thousands or before decimals"
_COMMA_OF_MONEY = "the comma may be between thousands or before decimals, of millions perhaps"


def _of_comma(text: str) -> Iterator[Decimal]:
    """`15,000` is 15000, or 15, or 15 millions."""
    yield Decimal(text.replace(",", ""))
    number = Decimal(text.replace(",", "."))
    if _is_whole(number):
        yield number
    yield number * 10**6


def _larger(kind: Kind, number: Decimal) -> tuple[Decimal, ...]:
    """A decimal in a column of đồng may be of millions or thousands of millions."""
    return (number * 10**6, number * 10**9) if kind == "money" else ()


def _typed(kind: Kind, value: int | float, whole: bool) -> Decimal:
    """A number as it is shown: of a float's digits only fifteen are meant."""
    if isinstance(value, float) and not isfinite(value):
        raise Doubt("it is no number")
    number = Decimal(value) if isinstance(value, int) else Decimal(format(value, ".15g"))
    if whole and not _is_whole(number):
        raise Doubt("it is no whole number", *_larger(kind, number))
    return number


def _is_whole(number: Decimal) -> bool:
    return number == number.to_integral_value()


def _within(kind: Kind, number: Decimal) -> Decimal:
    if kind in ("count", "money") and not _is_whole(number):
        raise Doubt("it is no whole number")
    if kind != "number" and number < 0:
        raise Doubt("it is less than nothing", -number)
    if number > _MOST[kind]:
        raise Doubt("it is more than 100 %" if kind == "share" else "it is more than can be meant")
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -6:
        number = number.quantize(Decimal("0.000001"))
    return number.quantize(Decimal(1)) if _is_whole(number) else number.normalize()


# --- other kinds ---


def _date(value: Value, date1904: bool) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str) and not value.strip().isdecimal():
        return _written(value.strip())
    found = None if isinstance(value, time | timedelta) else serial(float(value), date1904)
    if found is None or found.time() != time():
        raise Doubt("it is no day")
    return found.date()


def serial(number: float, date1904: bool) -> datetime | None:
    """The moment that a workbook counts in days, to the second; None where the number is none that is meant so."""
    if not isfinite(number) or int(number) not in _SERIALS:
        return None
    seconds = timedelta(seconds=round(number * 86_400))
    return datetime.combine(_EPOCH_1904 if date1904 else _EPOCH, time()) + seconds


def _written(text: str) -> date:
    try:
        found = moments.read(text)
        return local_day(found.first) if found.kind == "moment" else found.day()
    except moments.NoMoment as wrong:
        raise Doubt(wrong.why) from None


def swapped(value: Value) -> list[str]:
    """What a day that is none would be with day and month the other way round."""
    found = _SLASHED.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        return []
    try:
        return [day(date(int(found[4]), int(found[1]), int(found[3])))]
    except ValueError:
        return []


def _yes_no(value: Value) -> bool:
    words = plain(text_of(value))
    if words in _YES | _NO:
        return words in _YES
    raise Doubt("it is neither `đạt` nor `không đạt`", "đạt", "không đạt")


def _choice(column: Column, text: str) -> str:
    found = {plain(name): meaning for name, meaning in column.choices.items()}
    found |= {plain(meaning): meaning for meaning in column.meanings}
    for name in (text, unmarked(text)):
        if meaning := found.get(plain(name)):
            return meaning
    raise Doubt("it is none of those that the form knows", *column.meanings)


def _code(text: str) -> str:
    """A code; of a name its plain words, so that a facility keeps one code however it is typed."""
    code = re.sub(r"\W+", "_", bare(text)).strip("_")[:60]
    if not re.fullmatch(r"[a-z][a-z0-9_]*", code):
        raise Doubt("it is no name that a code can be made of: a letter comes first")
    return code
