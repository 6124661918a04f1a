"""Whether a form adds up: its own totals beside the sums of its rows. What differs is said, never put right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal

from schemas.text.numbers import plain
from services.ingest.spreadsheets import cells
from services.ingest.spreadsheets.cells import Seen
from services.ingest.spreadsheets.doubt import Doubt
from services.ingest.spreadsheets.form import Check, Row, masked
from services.ingest.spreadsheets.template import NUMBERS, Column, Template
from services.ingest.spreadsheets.workbook import Cell

_DECIMALS = 2
"""Of a mean that nothing is printed for."""


def within(template: Template, row: Row) -> Iterator[Check]:
    """The sums within a row that the form has."""
    for each in template.sums:
        values = [row.values.get(name) for name in (each.total, *each.parts)]
        figures = [value for value in values if isinstance(value, Decimal)]
        if len(figures) < len(values):
            continue
        total, added = figures[0], sum(figures[1:], Decimal(0))
        says = f"{each.total} = {' + '.join(each.parts)}"
        sides = f"{plain(total)} is not {' + '.join(map(plain, figures[1:]))} = {plain(added)}"
        warning = f"row {row.number}: {says}: {sides}" if total != added else None
        yield Check(row.sheet, row.cell(each.total).name, says, plain(total), plain(added), warning)


def over(several: Sequence[Sequence[Row]], column: Column, cell: Cell, seen: Seen) -> Check | None:
    """A cell of a row of totals beside the sum of its column, over all rows or those of its part; a total of shares is
    their unweighted mean."""
    checks = [check for rows in several if (check := _over(rows, column, cell, seen))]
    return next((check for check in checks if not check.warning), checks[0] if checks else None)


def _over(rows: Sequence[Row], column: Column, cell: Cell, seen: Seen) -> Check | None:
    figures = [value for row in rows if isinstance(value := row.values.get(column.name), Decimal)]
    if column.kind not in NUMBERS or not rows or not figures or (seen.value == "" and not seen.unstored):
        return None
    mean = column.kind == "share"
    ours = sum(figures, Decimal(0)) / (len(figures) if mean else 1)
    where = rows[0].sheet, cell.name, column.name
    if seen.unstored:
        return Check(*where, "a formula without a value", plain(_rounded(ours, _DECIMALS)))
    try:
        total = cells.understand(column, seen)
    except Doubt:
        total = None
    if not isinstance(total, Decimal):
        says = masked(seen.value)
        return Check(*where, says, plain(ours), f"{cell.name}: the total of {column.name} is no number for certain")
    exponent = total.as_tuple().exponent
    ours = _rounded(ours, max(-exponent, 0)) if mean and isinstance(exponent, int) else ours
    how = "the mean of its rows" if mean else "the sum of its rows"
    wrong = f"{cell.name}: the total of {column.name} is {plain(total)}, {how} {plain(ours)}"
    return Check(*where, plain(total), plain(ours), wrong if total != ours else None)


def _rounded(number: Decimal, decimals: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
