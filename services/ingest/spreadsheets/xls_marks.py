"""What an old XLS says beside its values, as `marks` tells it of the others: told by a process of its own.

One wrong byte can have a reader ask for more memory than there is, or for all of it bit by bit, and whoever opens the
file is ended for it. So another process opens it first, by both readers, within limits of memory and time.
"""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from services.ingest.spreadsheets.box import ERROR, Marks, NoMarks
from services.ingest.spreadsheets.limits import OPENED_MEMORY, OPENED_SECONDS
from services.ingest.spreadsheets.marks import DAMAGED, shows_percent


def read(raw: bytes) -> dict[str, Marks]:
    """Sheet -> its marks. Raises `NoMarks` where it cannot be opened, or asks for more than a workbook needs."""
    opened = subprocess.run([sys.executable, "-m", __name__], input=raw, capture_output=True)
    if opened.returncode:
        said = opened.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise NoMarks(DAMAGED.format(said or "it asks for more than a workbook needs"))
    return {name: _marks(found) for name, found in json.loads(opened.stdout).items()}


def _marks(found: dict[str, Any]) -> Marks:
    percent, unstored = ({(row, column) for row, column in found[kind]} for kind in ("percent", "unstored"))
    raised = {(row, column) for row, column in found["raised"]}
    errors = {(row, column): text for row, column, text in found["errors"]}
    hidden = set(found["hidden_rows"]), set(found["hidden_columns"])
    return Marks(*hidden, raised, percent, unstored, errors, found["date1904"])


def _main() -> None:
    for what, most in ((resource.RLIMIT_AS, OPENED_MEMORY), (resource.RLIMIT_CPU, OPENED_SECONDS)):
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))
    raw = sys.stdin.buffer.read()
    try:
        _open(raw)
        print(json.dumps(dict(_seen(raw))))
    except MemoryError:
        sys.exit("it asks for more memory than a workbook needs")


def _open(raw: bytes) -> None:
    """As the reader of its values will; that one says what is wrong with it."""
    from python_calamine import CalamineWorkbook

    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(raw)) as book:
            for name in book.sheet_names:
                book.get_sheet_by_name(name)
    except MemoryError:
        raise
    except BaseException:
        print("{}")
        sys.exit()


def _seen(raw: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    import xlrd

    try:
        book = xlrd.open_workbook(file_contents=raw, formatting_info=True, logfile=io.StringIO())
    except MemoryError:
        raise
    except Exception as wrong:
        sys.exit(f"{type(wrong).__name__}: {wrong}".replace("\n", " "))
    formats = {key: one.format_str for key, one in book.format_map.items()}
    percent = {n for n, style in enumerate(book.xf_list) if shows_percent(formats.get(style.format_key, ""))}
    for sheet in book.sheets():
        cells = [(row, column, cell) for row in range(sheet.nrows) for column, cell in enumerate(sheet.row(row))]
        numbers = ((r, c) for r, c, cell in cells if cell.ctype == xlrd.XL_CELL_NUMBER and cell.xf_index in percent)
        # A formula whose result was not stored has an empty text for one; an empty cell has none.
        unstored = ((r, c) for r, c, cell in cells if cell.ctype == xlrd.XL_CELL_TEXT and cell.value == "")
        errors = (
            (r, c, xlrd.error_text_from_code.get(cell.value, ERROR))
            for r, c, cell in cells if cell.ctype == xlrd.XL_CELL_ERROR
        )  # fmt: skip
        raised = (
            place for place, runs in sheet.rich_text_runlist_map.items()
            if any(book.font_list[font].escapement == 1 for _, font in runs)
        )  # fmt: skip
        yield (
            sheet.name,
            {
                "raised": list(raised),
                "hidden_columns": [column for column, about in sheet.colinfo_map.items() if about.hidden],
                "hidden_rows": [row for row, about in sheet.rowinfo_map.items() if about.hidden],
                "percent": list(numbers),
                "unstored": list(unstored),
                "errors": list(errors),
                "date1904": book.datemode == 1,
            },
        )


if __name__ == "__main__":
    _main()
