"""What is said of a sheet beside its values, and the box, a ZIP of XML, in which XLSX and ODS say it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from xml.parsers import expat

from services.ingest.spreadsheets.limits import MOST_CELLS

_CHUNK = 1 << 16
ERROR = "#ERROR"
"""An error that does not say which."""


class NoMarks(ValueError):
    """The box is no workbook; the message goes on behind the file's name."""


@dataclass
class Marks:
    """Rows from 0, and (row, column) from 0."""

    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    raised: set[tuple[int, int]] = field(default_factory=set)
    """Texts of which a part stands raised, as the mark of a footnote does."""
    percent: set[tuple[int, int]] = field(default_factory=set)
    unstored: set[tuple[int, int]] = field(default_factory=set)
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    """What a formula came to that has no result: `#DIV/0!`."""
    date1904: bool = False
    merged: list[tuple[tuple[int, int], tuple[int, int]]] = field(default_factory=list)
    """Of an ODS; of the others calamine tells it."""


class Box(NamedTuple):
    """A ZIP, and the names of what is in it."""

    archive: zipfile.ZipFile
    names: set[str]


Start = Callable[[str, Any], None]
Said = Callable[[str], None]


def parse(box: Box, name: str, start: Start, end: Said | None = None, text: Said | None = None) -> None:
    """Have a file of the box told element by element, without the prefixes of their names."""
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda tag, found: start(tag.rpartition(":")[2], found)
    if end is not None:
        parser.EndElementHandler = lambda tag: end(tag.rpartition(":")[2])
    if text is not None:
        parser.CharacterDataHandler = text
    feed(box, name, parser)


def feed(box: Box, name: str, parser: Any) -> None:
    """Give a parser a file of the box, part by part."""
    with box.archive.open(name) as file:
        while chunk := file.read(_CHUNK):
            parser.Parse(chunk, False)
    parser.Parse(b"", True)


def check_area(rows: int, columns: int, sheet: str) -> None:
    """Raises `NoMarks` for a sheet that reaches so far that all that lies between takes too much memory."""
    if rows * columns > MOST_CELLS:
        far = f"reaches to row {rows:,} and column {columns} in the sheet {sheet!r}"
        raise NoMarks(f"{far}, over {MOST_CELLS:,} cells: delete what lies far away")
