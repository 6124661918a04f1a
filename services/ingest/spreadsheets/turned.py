"""Tables whose units stand beside each other above their figures, as no form has them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from schemas import units
from services.ingest.spreadsheets import headers, titles
from services.ingest.spreadsheets.cells import text_of
from services.ingest.spreadsheets.form import NoForm, masked
from services.ingest.spreadsheets.workbook import Cell, Sheet, Value


def check(sheets: Iterable[Sheet]) -> None:
    """Raises `NoForm`, with the place, where a sheet has such a table."""
    for sheet in sheets:
        for number, row in enumerate(sheet.rows[: headers.LATEST]):
            beside = [cell for place in range(len(row)) if _heads_figures(sheet, cell := Cell(number, place))]
            if len(beside) > 1:
                where, says = f"{sheet.name}!{beside[0].name}", masked(sheet.value(beside[0]))
                raise NoForm(
                    f"units stand beside each other from {where} on ({says!r}), and a form has a row for each of them: "
                    "swap rows and columns (copy the table, Paste Special, Transpose) and send that"
                )


def _heads_figures(sheet: Sheet, cell: Cell) -> bool:
    """Whether a cell names a unit and what comes next below it is a number."""
    numbers = range(cell.row + 1, cell.row + headers.LATEST)
    below = (text_of(sheet.value(Cell(number, cell.column))) for number in numbers)
    return is_unit(sheet.value(cell)) and next(filter(None, below), "")[:1].isdigit()


def is_unit(value: Value) -> bool:
    """Whether a cell names a unit."""
    with suppress(units.UnknownUnit):
        return isinstance(value, str) and bool(value) and bool(titles.unit(value))
    return False
