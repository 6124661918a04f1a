"""Files that people made with whatever machine they have: one reading of bytes as text, and of text as a table.

UTF-8 is read with or without a byte-order mark, lines end as on any system. Another encoding is named, never guessed;
only the tables of offices (`decode_any`) come in what their machines have. What is written into a table is a text
there, and no formula (`harmless`).
"""

from __future__ import annotations

import csv
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from itertools import chain
from pathlib import Path

from schemas.text import old_fonts

BOM = b"\xef\xbb\xbf"
SAVE = "save it as UTF-8 (Notepad: Save as, Encoding; Excel: CSV UTF-8)"
_WIDE = (
    (b"\xff\xfe\0\0", "UTF-32"), (b"\0\0\xfe\xff", "UTF-32"), (b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"),
)  # fmt: skip
_NO_TEXT = {
    b"PK\x03\x04": "an XLSX, ODS or ZIP file",
    b"\xd0\xcf\x11\xe0": "an XLS or DOC file",
    b"\x1f\x8b": "a GZIP file",
}
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a text begins with that office programs would compute."""
_HEAD = 512
_SEPARATORS = ",;\t"
_END = "\ufeff"
"""A line behind the last: what is within quotes then was never closed."""


class Unreadable(ValueError):
    """The bytes are no text in UTF-8, or no table; the message says where, what they look like and what to do."""


def read(file: Path) -> str:
    """The text of a file; `OSError` where it cannot be read, `Unreadable` with its name."""
    return decode(file.read_bytes(), str(file))


def decode(raw: bytes, name: str) -> str:
    """Bytes as text, without byte-order marks and the Ctrl-Z of DOS, lines ending in a line feed alone."""
    if kind := packed(raw):
        raise Unreadable(f"{name} is {kind}; {SAVE}")
    if wide := wide_encoding(raw):
        raise Unreadable(f"{name} is saved as {wide}; {SAVE}")
    try:
        text = raw.decode()
    except UnicodeDecodeError as wrong:
        line = raw.count(b"\n", 0, wrong.start) + 1
        raise Unreadable(f"{name}, line {line}: {_foreign(raw, wrong.start)}; {SAVE}") from None
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "")
    text = text.rstrip("\x1a\n\0") + "\n" if text.rstrip("\n")[-1:] in ("\x1a", "\0") else text
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise Unreadable(f"{name}, line {line}: a NUL byte, so the file is damaged or no text; {SAVE}")
    return "" if text == "\n" else text


def decode_any(raw: bytes, name: str) -> str:
    """As `decode`; UTF-16, UTF-32 and the code pages of Vietnamese Windows are read as what they are, in NFC."""
    if packed(raw):
        return decode(raw, name)
    wide = wide_encoding(raw)
    try:
        text = raw.decode(_byte_order(raw, wide) if wide else "utf-8")
    except UnicodeDecodeError as wrong:
        if wide:
            raise Unreadable(f"{name} is damaged: it begins as {wide} and is none from byte {wrong.start} on") from None
        pages = (unicodedata.normalize("NFC", raw.decode(page, "replace")) for page in ("cp1258", "cp1252"))
        text = min(pages, key=lambda page: sum(map(old_fonts.impossible, map(old_fonts.modern, page.splitlines()))))
    return decode(unicodedata.normalize("NFC", text).encode(), name)


def _byte_order(raw: bytes, wide: str) -> str:
    """The codec of a wide encoding: its mark tells the order of bytes, else the place of the NULs."""
    if raw.startswith(tuple(mark for mark, _ in _WIDE)):
        return wide
    return "utf-16-be" if raw[:1] == b"\0" else "utf-16-le"


def lines(text: str) -> list[str]:
    """The lines of a text with their ends, so that a table's cell may have several."""
    return list(StringIO(text))


def packed(raw: bytes) -> str | None:
    """What the bytes are that begin as a file of another kind does."""
    return next((kind for mark, kind in _NO_TEXT.items() if raw.startswith(mark)), None)


def wide_encoding(raw: bytes) -> str | None:
    """UTF-16 or UTF-32 if the bytes begin with its mark, or have a NUL in every second place as Latin text has."""
    for mark, name in _WIDE:
        if raw.startswith(mark):
            return name
    head = raw[: _HEAD if len(raw) > _HEAD else len(raw) // 2 * 2]
    nuls = [head[start::2].count(0) for start in (0, 1)]
    return "UTF-16" if len(head) >= 4 and max(nuls) > len(head) // 4 and min(nuls) == 0 else None


def _foreign(raw: bytes, start: int) -> str:
    """What the first byte that is no UTF-8 looks like."""
    around = raw[max(raw.rfind(b"\n", 0, start), 0) : start + 40].decode("cp1258", "replace").lower()
    page = "1258 (Vietnamese)" if any(letter in _VIETNAMESE for letter in around) else "1252 or 1258"
    return f"the byte 0x{raw[start]:02x} is no UTF-8, but looks like Windows code page {page}"


_VIETNAMESE = "đăơư\u0300\u0309\u0303\u0301\u0323"
"""What code page 1258 has in place of other letters of 1252: tones are letters of their own there."""


def harmless(text: str) -> str:
    """A text for a cell: one that would be taken as a formula gets an apostrophe before it, as one types it by hand."""
    return f"'{text}" if text.startswith(FORMULAS) else text


def rows(lines: Iterable[str], name: str, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a table and the line on which each ends, by the names of `columns`; blank rows are left out.

    The separator is the comma, semicolon or tab that the header has; headers may be quoted, in any case and with
    spaces. A cell is one line, wherever it was broken. Raises `Unreadable` for a table that is empty, lacks a column or
    has a row with too many cells or a quote that never ends.
    """
    numbered = [(number, line) for number, line in enumerate(lines, start=1)]
    start = next((i for i, (_, line) in enumerate(numbered) if line.strip() and not _is_hint(line)), None)
    if start is None:
        raise Unreadable(f"{name} is empty; its first row names the columns {', '.join(columns)}")
    first = numbered[start][0]
    separator = max(_SEPARATORS, key=numbered[start][1].count)
    ended = chain((line for _, line in numbered[start:]), [_END])
    reader = csv.reader(ended, delimiter=separator, skipinitialspace=True)
    try:
        header = [_column(cell) for cell in next(reader)]
        _check(header, name, first, columns)
        begins = first + reader.line_num
        for cells in reader:
            if cells == [_END]:
                return
            if any(_END in cell for cell in cells):
                raise Unreadable(f'{name}, row {begins}: a quote (") begins there and never ends')
            row = first - 1 + reader.line_num
            if any(cell.strip() for cell in cells):
                yield row, _row(cells, header, name, row)
            begins = row + 1
    except csv.Error as wrong:
        raise Unreadable(f"{name}, row {first - 1 + reader.line_num}: {wrong}") from None


def cells(text: str, name: str) -> list[list[str]]:
    """All lines of a table as cells, titles and blank ones too; the separator is the one that makes the lines alike.

    Raises `Unreadable` for a quote that never ends, and for a cell of more than 128 KiB.
    """
    first, _, rest = text.partition("\n")
    if _is_hint(first):
        text = "\n" + rest
    try:
        separator = max(reversed(_SEPARATORS), key=lambda mark: _alike(text, mark))
        found = list(csv.reader([*lines(text), _END], delimiter=separator))
    except csv.Error as wrong:
        raise Unreadable(f"{name} is no table: {wrong}") from None
    if found.pop() != [_END]:
        raise Unreadable(f'{name}: a quote (") begins and never ends')
    return found


def _alike(text: str, separator: str) -> int:
    """How many lines are as wide as most are, times that width."""
    head = list(csv.reader(lines(text)[:_ALIKE], delimiter=separator))
    widths = Counter(len(row) for row in head if len(row) > 1)
    return max((width * often for width, often in widths.items()), default=0)


_ALIKE = 60


def _is_hint(line: str) -> bool:
    """The line with which Excel is told the separator."""
    return line.strip().strip('"').lower().startswith("sep=")


def _column(cell: str) -> str:
    return "_".join(unicodedata.normalize("NFC", cell).strip().casefold().split())


def _check(header: list[str], name: str, row: int, columns: Sequence[str]) -> None:
    if missing := [column for column in columns if column not in header]:
        raise Unreadable(
            f"{name}, row {row}: the column {', '.join(missing)} is missing; the row has {', '.join(header)}, "
            "with commas, semicolons or tabs between them"
        )
    if twice := sorted({column for column in header if column and header.count(column) > 1}):
        raise Unreadable(f"{name}, row {row}: the column {', '.join(twice)} is there twice")


def _row(cells: list[str], header: list[str], name: str, row: int) -> dict[str, str]:
    if any(cell.strip() for cell in cells[len(header) :]):
        raise Unreadable(
            f"{name}, row {row}: {len(cells)} cells under {len(header)} columns; quote a cell with a separator in it"
        )
    padded: Mapping[str, str] = dict.fromkeys(header, "") | dict(zip(header, cells, strict=False))
    return {column: " ".join(line.strip() for line in cell.splitlines()).strip() for column, cell in padded.items()}
