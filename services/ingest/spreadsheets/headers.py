"""Where a sheet's table begins and which column is which: headers of up to four rows, merged or not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b

from services.ingest.spreadsheets.cells import text_of
from services.ingest.spreadsheets.template import PERIOD, ROW_PERIOD, Column, Template, patterns
from services.ingest.spreadsheets.words import bare, heading_of
from services.ingest.spreadsheets.workbook import Sheet, Value

HIGHEST, LATEST, LEAST = 4, 40, 2
"""Rows of a header; the row by which it begins; columns that must be known by it."""
NUMBERING = frozenset({"stt", "tt", "so tt", "so thu tu", "row_no", "no"})
_NUMBER = re.compile(r"\(?\s*(\d{1,2}|[a-d])\s*\)?(\s*=.*)?", re.IGNORECASE)
_MONTH = re.compile(
    r"(?<!\d )\bthang (?P<months>0?[1-9]|1[0-2])\b(?: (?:nam )?(?P<year>20\d{2}))?|\bnam (?P<of>20\d{2})\b"
)
Path = tuple[str, ...]


@dataclass
class Header:
    """What was found: rows from `first` up to `end` (excluded), and which column each canonical name is.

    `years` and `months`: the numbers that a header names; `twice`: columns that are headed like one that is taken;
    `unknown`: columns with a header that the form has not.
    """

    first: int
    end: int
    columns: dict[str, int]
    paths: list[Path]
    spans: dict[str, Mapping[str, int]] = field(default_factory=dict)
    twice: dict[int, str] = field(default_factory=dict)
    unknown: list[int] = field(default_factory=list)
    numbering: int | None = None
    words: str = ""
    """All that stands in its cells, brackets and all: `Số tiền (triệu đồng)` is not `Số tiền (tỷ đồng)`."""

    def mark(self, template: Template) -> str:
        """The same for every workbook of the form with these headers."""
        return f"{template.name}-{blake2b(self.words.encode(), digest_size=8).hexdigest()}"

    @property
    def has_days(self) -> bool:
        """Whether rows have days of their own."""
        return not self.columns.keys().isdisjoint({PERIOD, ROW_PERIOD[1]})

    def choose(self, column: Column, place: int) -> None:
        """Take a column of the sheet for one of the form, with the numbers that its own header names."""
        self.columns[column.name] = place
        self.spans[column.name] = named(self.paths[place], column)

    def missing(self, template: Template) -> list[str]:
        """The required columns that were not found, and what may stand for them neither."""
        lacking = [column for column in template.columns if column.required and column.name not in self.columns]
        return [column.name for column in lacking if column.unless not in self.columns]


def find(sheet: Sheet, template: Template, start: int = 0) -> Header | None:
    """The header by which most columns of the form are known, from the row `start` on; the first, if several are."""
    best: tuple[int, int, int] | None = None
    found = None
    for first, end, paths in _blocks(sheet, start):
        columns, twice, spans = _assign(paths, template)
        if len(columns) < LEAST:
            continue
        merit = (len(columns), first - end, -first)
        if best is None or merit > best:
            best, found = merit, Header(first, end, columns, paths, spans, twice)
    if found is None:
        return None
    cells = sheet.rows[found.first : found.end]
    found.words = "\n".join("\t".join(bare(text_of(cell)) for cell in row) for row in cells)
    for number, path in enumerate(found.paths):
        if number not in found.columns.values() and number not in found.twice and path:
            if path[-1] in NUMBERING and found.numbering is None:
                found.numbering = number
            else:
                found.unknown.append(number)
    if _is_numbers(sheet.rows[found.end] if found.end < len(sheet.rows) else []):
        found.end += 1
    return found


def _blocks(sheet: Sheet, start: int) -> Iterator[tuple[int, int, list[Path]]]:
    rows = [[heading(cell) for cell in row] for row in sheet.rows[start : start + LATEST + HIGHEST]]
    for first in range(min(LATEST, len(rows))):
        if not any(rows[first]):
            continue
        for end in range(first + 1, min(first + HIGHEST, len(rows)) + 1):
            yield start + first, start + end, _paths(rows[first:end])


def heading(value: Value) -> str:
    """The plain words of a header's cell; `số lượng hồ sơ` are `số hồ sơ`."""
    return heading_of(value) if isinstance(value, str) else ""


def _paths(rows: Sequence[Sequence[str]]) -> list[Path]:
    """For each column its headers from the top down. An empty cell with headers below belongs to the one on its left,
    if that has headers below it as well and the same above: so merged cells need not be known."""
    width = max(len(row) for row in rows)
    whole = [[*row, *[""] * (width - len(row))] for row in rows]
    below = [[any(row[column] for row in whole[level + 1 :]) for column in range(width)] for level in range(len(whole))]
    for level, row in enumerate(whole[:-1]):
        for column in range(1, width):
            left = column - 1
            above = [upper[left] == upper[column] for upper in whole[:level]]
            if not row[column] and row[left] and below[level][column] and below[level][left] and all(above):
                row[column] = row[left]
    return [tuple(row[column] for row in whole if row[column]) for column in range(width)]


def _assign(
    paths: Sequence[Path], template: Template
) -> tuple[dict[str, int], dict[int, str], dict[str, Mapping[str, int]]]:
    columns: dict[str, int] = {}
    twice: dict[int, str] = {}
    spans: dict[str, Mapping[str, int]] = {}
    fits = [
        (fit, column, number)
        for number, path in enumerate(paths)
        for column in template.columns
        if path and (fit := _fit(path, column.known_by))[0]
    ]
    for fit, column, number in sorted(fits, key=lambda one: (paths[one[2]][-1] != one[1].name, -one[0][0], one[2])):
        if number in columns.values():
            continue
        if column.name in columns:
            if paths[columns[column.name]][-1] != column.name:  # what bears the very name is it
                twice.setdefault(number, column.name)
            continue
        columns[column.name] = number
        spans[column.name] = _numbers(fit)
    return columns, {number: name for number, name in twice.items() if number not in columns.values()}, spans


Fit = tuple[int, Mapping[str, str]]


def _numbers(fit: Fit) -> dict[str, int]:
    return {name: int(value) for name, value in fit[1].items() if value}


def named(path: Path, column: Column) -> dict[str, int]:
    """The numbers that a path names as a column's header."""
    return _numbers(_fit(path, column.known_by))


def months(path: Path) -> dict[str, int]:
    """The last month and year that a column's headers name: `Tháng 10` over `Số giao dịch`."""
    found = [one for part in path for one in _MONTH.finditer(part)]
    named = {"months": [one["months"] for one in found], "year": [one["year"] or one["of"] for one in found]}
    return {name: int(last) for name, values in named.items() if (last := next(filter(None, reversed(values)), None))}


@lru_cache(maxsize=65536)
def _fit(path: Path, headers: tuple[str, ...]) -> Fit:
    """How well a path fits a column (0: not), and the numbers within; a fit by more steps is a better one."""
    return max((_steps(path, steps) for steps in patterns(headers)), key=lambda fit: fit[0])


def _steps(path: Path, steps: Sequence[re.Pattern[str]]) -> Fit:
    last = steps[-1].fullmatch(path[-1])
    if not last:
        return 0, {}
    above = iter(path[:-1])
    if not all(any(step.fullmatch(part) for part in above) for step in steps[:-1]):
        return 0, {}
    return 2 * len(steps) - (len(path) > len(steps)), last.groupdict()


def _is_numbers(row: Sequence[Value]) -> bool:
    """Whether a row only counts the columns: `(1) (2) (3)=(4)+(5) …`."""
    texts = [text_of(cell) for cell in row]
    found = [_NUMBER.fullmatch(text) for text in texts if text]
    if len(found) < LEAST + 1 or not all(found):
        return False
    numbers = [int(one[1]) for one in found if one and one[1].isdigit()]
    return len(numbers) >= LEAST and numbers == list(range(numbers[0], numbers[0] + len(numbers))) and numbers[0] <= 4
