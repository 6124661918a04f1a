"""How large a workbook may be: what officials send has hundreds of rows, and what has more is sent in parts."""

from __future__ import annotations

MOST_BYTES = 64 * 2**20
MOST_UNPACKED = 512 * 2**20
MOST_ROWS = 100_000
MOST_LINES = 1_000_000
"""Of a CSV, in whose cells lines may end."""
MOST_COLUMNS = 300
MOST_CELLS = 4_000_000
"""Of a sheet, from its first to the last that has anything in it: all that lies between takes memory."""
OPENED_MEMORY, OPENED_SECONDS = 2**30, 20
"""Bytes and seconds of a processor that an old workbook may take to be opened."""


class TooLarge(ValueError):
    """A sheet has more rows than are read."""

    def __init__(self, rows: int, sheet: str = "") -> None:
        where = f"the sheet {sheet!r}" if sheet else "the table"
        super().__init__(f"{where} reaches to row {rows:,}; at most {MOST_ROWS:,} are read: send it in parts")
