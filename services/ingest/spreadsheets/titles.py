"""What stands above and below a table: the days it is about, the day and number of its report, the unit of its money,
and whose it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

from schemas import units
from schemas.text import dates, moments
from services.ingest.spreadsheets.cells import text_of
from services.ingest.spreadsheets.periods import ROMAN, spelled
from services.ingest.spreadsheets.words import bare, unmarked
from services.ingest.spreadsheets.workbook import Value

Span = tuple[date, date]
PERIOD_CELL, UNIT_CELL = "A1", "B1"
"""Where a form's period and unit are asked for."""
_DAY = r"(\d{1,2})(?:[/.-]| thang )(\d{1,2})(?:(?:[/.-]| nam )(\d{4}))?(?!\d)"
_DATE = re.compile(rf"(?<![\d/.]){_DAY}")
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_TO = re.compile(r"\s*(?:den|->|–|-|\.\.)(?:\s+het)?(?:\s+ngay)?\s*")
_MONTHS = re.compile(r"(\d{1,2}) thang(?: (dau|cuoi) nam)?(?: nam |/| )(\d{4})(?!\d)")
_MONTHS_TO = re.compile(r"thang (\d{1,2}) nam (\d{4})\s*(?:den|->|–|-)(?: het)?\s*thang (\d{1,2}) nam (\d{4})(?!\d)")
_MONTH = re.compile(r"(?:thang |^t|\bt|^)(\d{1,2})(?:/| nam |-)(\d{4})(?!\d)")
_ISO_MONTH = re.compile(r"(\d{4})-(\d{2})(?!\d)")
_QUARTER = re.compile(r"quy (\d)(?:/| nam )(\d{4})")
_YEAR = re.compile(r"(?:nam |^)(\d{4})(?!\d|\s*-\s*20)")
_NARROWER = re.compile(
    r"\b(?:tuan|quy|thang|ngay|dot|hoc ky)\s+(?:\d|[ivx]+\b)|\d thang\b|\bthang nam \d|\b(?:dau|cuoi) nam\b"
)
"""A part of a year: where the year stands beside it, or in another line, the whole year is not meant."""
_WHOLE_YEAR = 3
_YEARS = re.compile(r"(?<![\d/.-])(\d{4})(?![\d/.-])")
_UNTIL = re.compile(r"\b(?:den het|luy ke(?: den)?(?: het)?) $")
_PART_OF_MONTH = re.compile(r"\b(?:nua (?:dau|cuoi)|ngay (?:dau|cuoi)|dau|giua|cuoi|(?:ky|dot|tuan) \w+) thang \d")
_SO_FAR = re.compile(r"\bluy ke\b|\bnam \d{4}\W.*\bden\b")
_SIGNED = re.compile(r"^[^\d:;,]{2,40},\s*ngay (\d{1,2}) thang (\d{1,2}) nam (\d{4})$")
_DOCUMENT = re.compile(r"\b(?:bao cao|cong van|quyet dinh|ke hoach|van ban|bc|cv)\b.* so\b|^\W*(?:kem theo|so:)")
_NUMBER = re.compile(r"(?<![\w/])(\d{1,5}/[0-9A-ZĐ][0-9A-Za-zĐđ./\-]{0,50}[0-9A-Za-zĐđ])")
_CALLED = re.compile(
    r"\b(?:(?:thang|thg|t)|(?P<quarter>quy|q))[\s._-]*(?P<number>\d{1,2}|[ivx]+)\b"
    r"(?:[\s._/-]+(?:nam )?(?P<year>\d{4}))?"
    r"|^(?P<month>\d{1,2})[._-](?P<of>\d{4})$"
)
_LONGEST_PART = 20
"""Letters of a cell that is but a part of a title: `Tháng`, `11`, `năm`, `2024`."""
_LABEL = re.compile(r"\b(ngày|tháng|quý|năm|từ|đến)\s*:", re.IGNORECASE)
_OF_DAYS = re.compile(r"\b(?:ngày|đến)\b", re.IGNORECASE)
"""What makes a date a day: the one beside *Tháng* is a month."""
_OWNER = re.compile(r"^\W*(?:đơn vị(?: báo cáo)?|địa bàn)\s*:\s*(.+)$", re.IGNORECASE)
_WITHIN = re.compile(r"trên địa bàn\s+(.+?)\s*(?:\(|,|$|tháng|quý|năm|từ)", re.IGNORECASE)
_COMMITTEE = re.compile(r"\b(?:uỷ|ủy) ban nhân dân\b", re.IGNORECASE)


@dataclass
class Titles:
    """What the lines say; each list has what was found, once each, in the order of the lines."""

    spans: list[Span] = field(default_factory=list)
    signed: date | None = None
    document: str | None = None
    measured: list[str] = field(default_factory=list)
    """The lines that may say in what figures are counted."""
    units: list[str] = field(default_factory=list)

    def complete(self, above: Titles) -> None:
        """Take what they do not say from the titles of the table above in the same sheet."""
        self.spans, self.units = self.spans or above.spans, self.units or above.units
        self.measured = self.measured or above.measured
        self.signed, self.document = self.signed or above.signed, self.document or above.document


def read(above: Sequence[str], below: Sequence[str] = ()) -> Titles:
    """The titles of a sheet."""
    found = Titles()
    ranked: list[tuple[int, Span]] = []
    for line in (*above, *below):
        if signed := _signed(line):
            found.signed = found.signed or signed
        if number := _number(line):
            found.document = found.document or number
        if re.search(r"don vi|dvt", bare(line)):
            found.measured.append(line)
    for line in above:
        if not _signed(line):
            ranked += _spans(spelled(line))
    lines = [spelled(line) for line in above if not _signed(line)]
    best = min((rank for rank, _ in ranked), default=0)
    if best == _WHOLE_YEAR and any(map(_NARROWER.search, lines)):
        ranked = []
    found.spans = list(dict.fromkeys(span for rank, span in ranked if rank == best))
    found.units = _owners(above, found.spans[0][1] if found.spans else None)
    return found


def lines(several: Iterable[Sequence[Value]]) -> list[str]:
    """The texts of rows, cell by cell; of a row whose cells are but parts of a title also what they say together."""
    found: list[str] = []
    for row in several:
        cells = [cell for cell in row if text_of(cell)]
        found += [text_of(cell) for cell in cells if isinstance(cell, str)]
        if len(cells) > 1 and isinstance(cells[0], str) and (together := _together(cells)):
            found.append(together)
    return found


def _together(cells: Sequence[Value]) -> str | None:
    parts = [text_of(cell) for cell in cells]
    together = _LABEL.sub(r"\1", " ".join(parts))
    of_month = any(isinstance(cell, date) for cell in cells) and not _OF_DAYS.search(together)
    return None if of_month or max(map(len, parts)) > _LONGEST_PART else together


def called(sheet: str, year: int) -> Span | None:
    """The month or quarter that a sheet is called by, of that year where it names none: `T10`, `Quý III`, `10.2024`."""
    found = _CALLED.search(bare(sheet))
    if not found:
        return None
    number = found["number"] or found["month"]
    month = ROMAN.index(number) + 1 if number in ROMAN else int(number) if number.isdigit() else 0
    of = int(found["year"] or found["of"] or year)
    if found["quarter"]:
        return _months(of, 3 * month - 2, 3 * month) if 1 <= month <= 4 and _is_year(of) else None
    return _months(of, month, month) if 1 <= month <= 12 and _is_year(of) else None


def span(text: str) -> Span:
    """The days that a text names: `11/2024`, `23/10/2024 - 23/11/2024`, `quý 4/2024`, `2024`. ValueError if none, or
    several."""
    found = sorted(_spans(spelled(text)))
    if not found:
        raise ValueError(f"{text!r} names no period; write 11/2024, 23/10/2024 - 23/11/2024, quý 4/2024, 2024 or a day")
    if several := {one for rank, one in found if rank == found[0][0] and one != found[0][1]}:
        raise ValueError(f"{text!r} names several periods: {'; '.join(map(written, sorted({found[0][1], *several})))}")
    return found[0][1]


def written(span: Span) -> str:
    """A span as people write it."""
    return dates.days(*span)


def _signed(line: str) -> date | None:
    """The day of a signature or of a document that is named, which is no period."""
    words = bare(line).strip(" ()")
    found = _SIGNED.match(words)
    if not found and _DOCUMENT.search(words):
        found = next((one for one in _DATE.finditer(words) if one[3]), None)
    return _date(*found.groups()) if found and found.groups()[2] else None


def _number(line: str) -> str | None:
    found = _NUMBER.search(line) if _DOCUMENT.search(bare(line).strip(" (")) else None
    return found[1] if found and re.search("[A-Z]", found[1]) else None


def _date(day: str, month: str, year: str | None) -> date | None:
    try:
        return date(int(year or 0), int(month), int(day)) if _is_year(int(year or 0)) else None
    except ValueError:
        return None


def _spans(words: str) -> Iterator[tuple[int, Span]]:
    """The spans that a line of plain words names, the clearest way of naming them first."""
    iso = list(_ISO.finditer(words))
    others = _DATE.finditer(_ISO.sub(lambda one: " " * len(one[0]), words))
    found = sorted([*others, *iso], key=lambda one: one.start())
    days = [_day(one) for one in found]
    rest = words
    for number, (first, last) in enumerate(pairwise(found)):
        if _TO.fullmatch(words, first.end(), last.start()) and (end := days[number + 1]):
            start = days[number] or _before(first, end)
            if start and start <= end:
                yield (1 if words[: first.start()].endswith("dau nam ") else 0), (start, end)
    if _PART_OF_MONTH.search(words):
        return
    for one in reversed(found):
        rest = rest[: one.start()] + " ; " + rest[one.end() :]
    for one in _MONTHS.finditer(rest):
        count, year = int(one[1]), int(one[3])
        if 1 <= count <= 12 and _is_year(year):
            yield 1, _months(year, 13 - count, 12) if one[2] == "cuoi" else _months(year, 1, count)
    rest = _MONTHS.sub(" ; ", rest)
    for one in _MONTHS_TO.finditer(rest):
        since, until = (int(one[2]), int(one[1])), (int(one[4]), int(one[3]))
        if since <= until and all(_is_year(year) and 1 <= month <= 12 for year, month in (since, until)):
            yield 1, (date(*since, 1), _months(*until, until[1])[1])
    rest = _MONTHS_TO.sub(" ; ", rest)
    for one in (*_MONTH.finditer(rest), *_ISO_MONTH.finditer(rest)):
        year, month = sorted((int(one[1]), int(one[2])), reverse=True)
        if 1 <= month <= 12 and _is_year(year):
            yield 1, _months(year, month, month)
            if _UNTIL.search(rest[: one.start()]):
                yield 1, _months(year, 1, month)
    for one in _QUARTER.finditer(rest):
        quarter = int(one[1])
        if 1 <= quarter <= 4 and _is_year(int(one[2])):
            yield 1, _months(int(one[2]), 3 * quarter - 2, 3 * quarter)
    if len(found) == 1 and days[0]:
        yield 2, (days[0], days[0])
        if _SO_FAR.search(words):
            yield from ((2, (first, days[0])) for first in (days[0].replace(day=1), days[0].replace(month=1, day=1)))
    years = () if _NARROWER.search(words) or not _YEAR.search(rest) else _YEARS.findall(rest)
    for year in map(int, years):
        if _is_year(year):
            yield _WHOLE_YEAR, _months(year, 1, 12)


def _day(found: re.Match[str]) -> date | None:
    if found.re is _ISO:
        return _date(found[3], found[2], found[1])
    return _date(*found.groups()) if found[3] else None


def _before(found: re.Match[str], end: date) -> date | None:
    """A day without a year, before another."""
    if found.re is _ISO or found[3]:
        return None
    this, last = (_date(found[1], found[2], str(year)) for year in (end.year, end.year - 1))
    return this if this and this <= end else last


def _is_year(year: int) -> bool:
    return year in moments.YEARS


def _months(year: int, first: int, last: int) -> Span:
    after = date(year + last // 12, last % 12 + 1, 1)
    return date(year, first, 1), after - timedelta(days=1)


def unit(text: str, day: date | None = None) -> units.Unit:
    """The unit that a cell names, however it is written. Raises `units.UnknownUnit`, `units.AmbiguousUnit`."""
    name = re.sub(r"\([^()]*\)|[*†]", " ", _COMMITTEE.sub("UBND", text))
    return units.find(" ".join(unmarked(name).split()), day)


def _owners(lines: Sequence[str], day: date | None) -> list[str]:
    """The units that the lines say the form is of: named as its owner, else its area, else standing alone."""
    for pattern in (_OWNER, _WITHIN, re.compile("(.+)")):
        found: dict[str, None] = {}
        for line in lines:
            match = pattern.search(line.strip())
            try:
                if match:
                    found[unit(match[1], day).code] = None
            except units.UnknownUnit:
                continue
        if found:
            return list(found)
    return []
