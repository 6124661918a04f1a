"""The parts of a year that a title names, in one plain spelling: months in figures, each with its year beside it."""

from __future__ import annotations

import re

from services.ingest.spreadsheets.words import bare

ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
_SPELLED = ("mot", "hai", "ba", r"tu(?! (?:\d|ngay|thang|dau))", r"nam(?! \d{4}| nay| truoc| sau)", "sau", "bay",
            "tam", "chin", "muoi(?! mot| hai)", "muoi mot", "muoi hai")  # fmt: skip
"""`tháng tư` is a month and `tháng từ 1/11` none; `tháng năm 2024` is none that is known."""
_PART = r"(?:\b\d{1,2} thang(?! \d{1,2}\b)(?: (?:dau|cuoi) nam)?|(?<!\d )\bthang \d{1,2}\b|\bquy \d\b)"
"""What may stand without its year: `tháng 11 và 11 tháng năm 2024`."""
_YEAR = r"((?:19|20)\d{2})(?!\d)"
_OF_YEAR = rf"(?:/| nam ){_YEAR}"
_TILL = r"\s*(?:-|–|den(?: het)?)\s*(?:ngay )?"
_DAY = r"(\d{1,2})(?:/| thang )(\d{1,2})"
_NO_DAY = r"(?<![\d/.-])(?<!thang )(?<!quy )(?<!tuan )(?<!so )"
_SPELLINGS = (
    (r"\bnua (dau|cuoi) nam\b", r"6 thang \1 nam"),
    (rf"(?<!\d )\bthang (\d{{1,2}}){_TILL}(\d{{1,2}}){_OF_YEAR}", r"thang \1 nam \3 - thang \2 nam \3"),
    (rf"({_PART})(?:[\s(,;:./-]|cua|so lieu|nam)*\b{_YEAR}", r"\1 nam \2"),
    (r"\bt(\d{1,2})[./-](\d{4})(?!\d)", r"thang \1 nam \2"),
    (rf"{_NO_DAY}(\d{{1,2}})({_TILL}){_DAY}{_OF_YEAR}", r"\1/\4/\5\2\3/\4/\5"),
    (rf"\bdau nam(?: \d{{4}})?{_TILL}{_DAY}{_OF_YEAR}", r"dau nam 1/1/\3 - \1/\2/\3"),
)
"""As it may be written -> as it is read: `từ 01-30/11/2024`, `từ đầu năm đến 30/11/2024`."""
_ASIDE = re.compile(
    r"\b(?:bieu|mau|phu luc|bang)(?: mau| bieu)?(?: so)?:? (?:\d{1,2}|[ivx]+)[a-z]?\b(?:[./-]\w+)*"
    r"|\bii\.\d{2}[a-z]?\b|\b\d{1,2} ?(?:h|gio)(?: ?\d{2})?(?= ngay)"
)
"""Numbers of forms and hours of a day, which are no days: `Biểu số 06 tháng 11 năm 2024`, `từ 0h ngày 23/10/2024`."""
_LONGEST = 500
"""Letters of a title."""
_UNDATED = re.compile(rf"({_PART})((?:[\s,;+&()–-]|va|den|tu|luy ke|uoc|dau nam)+)({_PART} nam (\d{{4}}))")


def _in_figures(names: tuple[str, ...]) -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(rf"(?<!\d )\b(thang|quy) {name}\b"), rf"\1 {number}") for number, name in enumerate(names, 1)]


_ALL = [*_in_figures(_SPELLED), *_in_figures(ROMAN), *((re.compile(pattern), plain) for pattern, plain in _SPELLINGS)]


def spelled(line: str) -> str:
    """A line in plain words, its months and quarters in figures, each part of a year with the year it is of."""
    words = " ".join(_ASIDE.sub(" ", bare(line[:_LONGEST])).split())
    for pattern, plainer in _ALL:
        words = pattern.sub(plainer, words)
    while (dated := _UNDATED.sub(r"\1 nam \4\2\3", words)) != words:
        words = dated
    return words
