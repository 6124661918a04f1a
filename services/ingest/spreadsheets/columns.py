"""Which column of a sheet is which of the form: by its header, as answered, or asked about; what is no column of the
form is dropped and counted."""

from __future__ import annotations

import re
from collections.abc import Sequence

from schemas import personal
from services.ingest.spreadsheets import headers, titles, turned
from services.ingest.spreadsheets.asking import IGNORE, READ, Asking
from services.ingest.spreadsheets.cells import text_of
from services.ingest.spreadsheets.form import SKIP, Dropped, NoForm
from services.ingest.spreadsheets.template import Column
from services.ingest.spreadsheets.titles import Span
from services.ingest.spreadsheets.workbook import Cell, letters

_PERSONAL = re.compile(
    r"\b(?:ho va ten|ho ten|ten (?:cong dan|nguoi|chu|benh nhan|hoc sinh)|nguoi (?:nop|dai dien|lien he|phu trach|lap"
    r"|dan|yeu cau|tiep nhan)|can bo phu trach|dau moi|dien thoai|sdt|dt lien he|so dt|cccd|cmnd|can cuoc|dinh danh"
    r"|ho chieu|email|e mail|thu dien tu|dia chi|ngay sinh|nam sinh|bien so|so tai khoan|zalo)\b"
)


def settle(table: Asking) -> bool:
    """Whether all required columns are known. Those that are not known by their headers are taken as answered, or
    asked about if some are missing. Raises `NoForm`."""
    header, template = table.header, table.template
    known = {column.name for column in template.columns}
    for place in (*header.unknown, *header.twice):
        cell, answer = table.tab.header_cell(place), _answer(table, place)
        if answer is not None and answer in known:
            header.choose(template.column(answer), place)
        elif answer not in (None, IGNORE) and cell.name not in (titles.PERIOD_CELL, titles.UNIT_CELL):
            table.ask_header(place, f"the form has no column {answer!r}", (*sorted(known), IGNORE))
    if missing := header.missing(template):
        _ask_for(table, missing)
    return not missing


def _answer(table: Asking, place: int) -> str | None:
    """What is answered for a column, now or when this header was met before."""
    mark, column, known = table.header.mark(table.template), letters(place), table.template.columns
    cell = table.tab.header_cell(place)
    answer = table.chosen(cell, IGNORE, *(one.name for one in known)) or table.answer(cell)
    if answer is None:
        return table.said.columns.get(mark, {}).get(column)
    if answer == IGNORE or any(answer == one.name for one in known):
        table.form.columns.setdefault(mark, {})[column] = answer
    return answer


def _ask_for(table: Asking, missing: list[str]) -> None:
    free = [place for place in table.header.unknown if _answer(table, place) is None]
    if len(free) > 1 and all(turned.is_unit(table.sheet.value(table.tab.header_cell(place))) for place in free):
        turned.check([table.sheet])
    for place in free:
        question = f"which column is this? Not found yet: {', '.join(missing)}"
        table.ask_header(place, question, (*missing, IGNORE))
    if not free and not table.form.questions:
        wanted = {name: table.template.column(name).headers for name in missing}
        said = "; ".join(f"{name} (headed {' or '.join(map(repr, heads[:2]))})" for name, heads in wanted.items())
        raise NoForm(f"the sheet {table.sheet.name!r} lacks columns of {table.template.name}: {said}")


def settle_twins(table: Asking) -> None:
    """Of two columns that are headed alike the one of the form's months is meant; else it is asked which one."""
    header, span = table.header, table.tab.span
    for place, name in sorted(header.twice.items()):
        chosen, column = header.columns[name], table.template.column(name)
        if place == chosen or _answer(table, place) is not None:
            continue
        of_others = [span is not None and _is_of_others(table, column, one, span) for one in (chosen, place)]
        if of_others == [True, False]:
            header.choose(column, place)
            header.twice[chosen] = name
        elif of_others != [False, True]:
            table.ask_header(place, f"two columns are headed like {name}: which one is this?", (name, IGNORE))


def settle_hidden(table: Asking) -> None:
    """A column that is hidden is asked about, and taken for none of the form's if it is to be skipped."""
    for column, place in list(table.columns):
        if place not in table.sheet.marks.hidden_columns:
            continue
        answer = table.chosen(table.tab.header_cell(place), SKIP, READ)
        if answer == SKIP:
            table.columns.remove((column, place))
        elif answer != READ:
            table.doubtful.add(column.name)
            table.ask_header(place, "the column is hidden: is it part of the form?", (READ, SKIP))


def check_months(table: Asking, span: Span) -> None:
    """A column whose header names another month or year than the titles is asked about."""
    for column, place in table.columns:
        if _is_of_others(table, column, place, span) and not table.chosen(table.tab.header_cell(place), READ):
            table.doubtful.add(column.name)
            question = f"its header names other months than {titles.written(span)}: is it of these days?"
            table.ask_header(place, question, (READ,))


def _is_of_others(table: Asking, column: Column, place: int, span: Span) -> bool:
    """Whether a column's headers name months or a year that are not those of a span."""
    path = table.header.paths[place]
    headed = {**headers.months(path), **headers.named(path, column)}
    days = {"form": span, "to_date": span[1:], "year": span[1:]}.get(column.span, ())
    parts = [(name, own) for day in days for name, own in (("months", day.month), ("year", day.year))]
    return any(headed.get(name, own) != own for name, own in parts if (column.span, name) != ("year", "months"))


def drop(table: Asking, last: int) -> None:
    """Count what stands in columns that the form has not, and beside the table, as far down as the row `last`, under
    no header at all."""
    header, sheet = table.header, table.sheet
    for place in (*header.unknown, *header.twice):
        if place not in header.columns.values():
            _drop(table, place, len(sheet.rows), "not a column of the form")
    first = min((place for _, place in table.columns), default=0)
    for place in range(first, max(map(len, sheet.rows))):
        if place >= len(header.paths) or not header.paths[place]:
            _drop(table, place, last + 1, "no header")


def _drop(table: Asking, place: int, end: int, why: str) -> None:
    rows, paths = range(table.header.end, end), table.header.paths
    if texts := [text for row in rows if (text := text_of(table.sheet.value(Cell(row, place))))]:
        why = _of_person(" ".join(paths[place]) if place < len(paths) else "", texts) or why
        table.form.dropped.append(Dropped(table.sheet.name, letters(place), why, len(texts)))


def _of_person(header: str, texts: Sequence[str]) -> str:
    """Which personal data a column has, if it has any."""
    if _PERSONAL.search(header):
        return "personal data by its header"
    kinds = {found.what for text in texts for found in personal.find(text)}
    return f"personal data: {', '.join(sorted(kinds))}" if kinds else ""
