"""Numbers as people write them, in one parser: `1234`, `1.234`, `1 234`, `1'234`, `2.050,0`, `0.8`.

A point or a comma may stand between thousands or before decimals. What can be read in both ways is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

LONGEST = 40
"""Characters of a number; what is longer is none."""

_GROUPS = "[1-9][0-9]{0,2}(?:{mark}[0-9]{3})+"
_FORMS = tuple(
    (re.compile(whole + decimals), thousands, decimal)
    for thousands, whole in ((mark, _GROUPS.replace("{mark}", re.escape(mark))) for mark in ". ,'")
    for decimal, decimals in ((mark, f"(?:{re.escape(mark)}[0-9]+)?") for mark in ".,")
    if thousands != decimal
) + tuple((re.compile(f"[0-9]+(?:{re.escape(mark)}[0-9]+)?"), "", mark) for mark in ".,")


class NoNumber(ValueError):
    """The text is no number, or could be two; the message says which, and `readings` has them."""

    def __init__(self, message: str, *readings: Decimal) -> None:
        super().__init__(message)
        self.readings = readings


def read(text: str, whole: bool = False) -> Decimal:
    """The only number that a text can mean, exact. A `whole` one has no decimals but zeros: `1.234` is 1234 there."""
    readings = sorted(set(_readings(text)))
    if not readings:
        raise NoNumber(f"{text!r} is no number")
    meant = [number for number in readings if number == number.to_integral_value()] if whole else readings
    if not meant:
        raise NoNumber(f"{text!r} is no whole number", *readings)
    if len(meant) > 1:
        either = " or as ".join(map(plain, meant))
        message = f"{text!r} can be read in two ways, as {either}; which is meant? Write thousands without a mark"
        raise NoNumber(message, *meant)
    return meant[0]


def plain(number: Decimal) -> str:
    """A number in digits, with a point before its decimals and no zeros behind them."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def grouped(number: Decimal, decimals: int, language: Literal["vi", "en"] = "vi") -> str:
    """1234.5 -> `1.234,5` in Vietnamese, `1,234.5` in English; a number that has no more decimals than these."""
    text = f"{number:,.{decimals}f}"
    return text.translate(_SWAPPED) if language == "vi" else text


def exact(number: Decimal, language: Literal["vi", "en"] = "vi") -> str:
    """A number with all its digits."""
    return grouped(number, max(-int(number.normalize().as_tuple().exponent), 0), language)


_ALIKE = str.maketrans("\N{MINUS SIGN}\N{RIGHT SINGLE QUOTATION MARK}", "-'")
_SWAPPED = str.maketrans(",.", ".,")


def _readings(text: str) -> Iterator[Decimal]:
    plain = unicodedata.normalize("NFKC", text).strip().translate(_ALIKE)
    sign, digits = ("-", plain[1:]) if plain.startswith("-") else ("", plain)
    if len(digits) > LONGEST or any(sign.isnumeric() and not sign.isdecimal() for sign in text):
        return
    for form, thousands, decimal in _FORMS:
        if form.fullmatch(digits):
            yield Decimal(sign + digits.replace(thousands, "").replace(decimal, "."))
