"""In what figures are counted: `tỷ đồng` is a thousand millions of đồng, `nghìn người` a thousand of persons."""

from __future__ import annotations

import re

from services.ingest.spreadsheets.doubt import Doubt
from services.ingest.spreadsheets.words import bare, plain

MONEY = "VND"
CHOICES = ("đồng", "nghìn đồng", "triệu đồng", "tỷ đồng")
_TENS = {
    "chuc": 10, "tram": 100, "nghin": 10**3, "ngan": 10**3, "thousand": 10**3, "tr": 10**6, "trieu": 10**6,
    "million": 10**6, "ty": 10**9, "ti": 10**9, "billion": 10**9,
}  # fmt: skip
_LONGEST = 1000
"""Letters that are looked at: of a header, or of all titles that name a measure."""
_POWERS = str.maketrans({0x00B3: "^3", 0x2076: "^6", 0x2079: "^9"})
"""Raised figures."""
_DONG = r"(?:dong(?: viet nam)?|vnd|d)(?![a-z])"
_NUMBER = r"10\s?\^\s?\d{1,2}|10{3}(?:0{3}){0,2}(?!\d)|1(?:[ .,]0{3}){1,3}(?!\d)"
_TIMES = rf"(?:(?:{_NUMBER}|(?:{'|'.join(_TENS)})(?:(?![a-z])|(?={_DONG})))[\s.]*)"
_OF_MONEY = re.compile(rf"(?<![a-z\d])({_TIMES}+){_DONG}")
_WHOLLY_MONEY = re.compile(rf"(?:{_TIMES}*{_DONG}|{_NUMBER}|nghin|ngan|trieu|ty|ti)(?:\s*/.*)?")
_OTHERS = re.compile(rf"({_NUMBER}|nghin|ngan(?! hang| sach)|trieu|ty(?! le| suat| trong| so))[\s.]+(?=[a-z])")
_ASIDE = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_MEASURED = re.compile(r"\b(?:don vi(?: tinh)?|dvt)\s*:\s*(.+)")
_CALLED = re.compile(r"\b(?:don vi tinh|dvt)\s*:")
_LIKE_MONEY = re.compile(r"(?<![a-z])(?:dong|vnd|usd|eur|do la|trieu|nghin|ngan|ty)(?![a-z])")


def money(text: str) -> int | None:
    """How many đồng one is, by a header, a title or the cell of a measure; None where it says nothing of that. Raises
    `Doubt` where it says it in words that are not understood, or in two ways."""
    words = _words(text)
    named = [*_ASIDE.findall(words), *_MEASURED.findall(words)]
    parts = (part.strip(" .") for text in (*named, words) for part in re.split(r",\s|;| va ", text))
    found = {_times(part) for part in parts if _WHOLLY_MONEY.fullmatch(part)}
    found |= {_times(one[1]) for one in _OF_MONEY.finditer(words)}
    if len(found) > 1:
        raise Doubt("it names several units of money", *CHOICES)
    if not found and any(map(_LIKE_MONEY.search, named)) and (":" not in words or _CALLED.search(words)):
        raise Doubt("its unit of money is not understood", *CHOICES)
    return found.pop() if found else None


def first_money(*texts: str) -> int | None:
    """What the first of several texts says that says anything of money, as `money`."""
    return next(filter(None, map(money, texts)), None)


def read(text: str) -> tuple[str, int]:
    """What the cell of a measure counts and how many of it one is: `tỷ đồng` is (VND, 10**9), `nghìn người` ("", 1000):
    what is neither money nor a share is not told apart."""
    if scale := money(text):
        return MONEY, scale
    if text.strip() == "%" or plain(text) == "phan tram":
        return "%", 1
    number = _OTHERS.match(_words(text))
    return "", _times(number[1]) if number else 1


def many(*texts: str) -> int:
    """How many of what is counted one is, by what stands in brackets: 1000 of `Số lượt khám (nghìn lượt)`."""
    found = (read(aside[1]) for text in texts for aside in _ASIDE.finditer(text))
    return next((number for kind, number in found if kind == "" and number > 1), 1)


def _words(text: str) -> str:
    return bare(text[:_LONGEST].translate(_POWERS))


def _times(words: str) -> int:
    """The product of the numbers that stand before a unit."""
    scale = 1
    for one in re.finditer(rf"{_NUMBER}|[a-z]+", words.partition("/")[0]):
        digits = re.sub(r"[ .,]", "", one[0])
        power = re.fullmatch(r"10\^(\d+)", digits)
        scale *= 10 ** int(power[1]) if power else int(digits) if digits.isdecimal() else _known(one[0])
    return scale


def _known(word: str) -> int:
    return _TENS.get(word) or _TENS.get(re.sub(_DONG + "$", "", word), 1)
