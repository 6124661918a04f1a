"""What the rows of a form say as events. The same rows give the same events with the same ids, at any time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from schemas.economy import PUBLISHED_AHEAD, Statement
from schemas.envelope import Event, EventData, Invalid, check_event
from schemas.registry import DATA_TYPES
from services.ingest.spreadsheets import measures
from services.ingest.spreadsheets.cells import MISSING, Meaning, text_of
from services.ingest.spreadsheets.doubt import Doubt
from services.ingest.spreadsheets.form import SKIP, Form, Question, Row, masked
from services.ingest.spreadsheets.names import measure_of
from services.ingest.spreadsheets.template import ROW_PERIOD, Column, Spec, Template
from services.ingest.spreadsheets.titles import Span
from services.ingest.spreadsheets.workbook import Cell
from services.kit.imports import event_of, midnight

_DATA = {data.event: data for data in DATA_TYPES.values()}


@dataclass(frozen=True)
class Draft:
    """An event of a row, before it is known whether the like was said before. `cell`: what to look at."""

    row: Row
    cell: Cell
    unit: str
    day: date
    data: EventData
    template: str

    def event(self) -> Event:
        """The event that it is where nothing of the like was said before."""
        return event_of(self.template, self.unit, midnight(self.day), self.data)


def drafts(form: Form, published: date | None, now: datetime) -> Iterator[Draft | Question]:
    """The events of all rows; instead of one that cannot be, what has to be asked where nothing is asked yet."""
    seen: dict[Any, Draft] = {}
    asked = {(question.sheet, question.cell) for question in form.questions}
    for row in form.rows:
        for spec in form.template.events:
            for found in _of_row(form.template, row, spec, published):
                checked = _checked(found, seen, now) if isinstance(found, Draft) else found
                if isinstance(checked, Draft) or (checked and (checked.sheet, checked.cell) not in asked):
                    yield checked


def _checked(draft: Draft, seen: dict[Any, Draft], now: datetime) -> Draft | Question | None:
    """What is to be asked of an event, if something is; None where its row says the same in two columns, as in January
    the month and the months so far."""
    event = draft.event()
    key = (event.type, *event.touches)
    before = seen.setdefault(key, draft)
    if before.row is not draft.row:
        where = f"{before.row.sheet}, row {before.row.number}"
        question = f"the same is said in {where}: which one counts? Correct the file"
        cell = draft.row.named_at
        return _question(draft.row, cell or draft.cell, question, (SKIP if cell else MISSING,))
    if before is not draft:
        if before.data == draft.data:
            return None
        question = f"{before.cell.name} says another figure of the same days: which one counts?"
        return _question(draft.row, draft.cell, question, (MISSING,))
    try:
        check_event(event, now)
    except Invalid as invalid:
        return _question(draft.row, draft.cell, f"this cannot be: {invalid.reason}")
    return draft


def _of_row(template: Template, row: Row, spec: Spec, published: date | None) -> Iterator[Draft | Question]:
    kind = _DATA[spec.event]
    own = {name: row.values.get(spec.data[name][1:]) for name in template.figures(spec)}
    if all(value is None for value in own.values()):
        return
    said = {name: _field(row, value) for name, value in spec.data.items()}
    if _only_a_whole(kind, said):
        return
    cell = next(row.cell(value[1:]) for name, value in spec.data.items() if name in own and said[name] is not None)
    span = _span(template, row, spec)
    if span is None and row.tab and ROW_PERIOD[1] in row.tab.header.columns:
        yield _question(row, row.cell("period_end"), "the row has figures and no day, and the titles name none")
        return
    if row.unit is None or span is None or any(said[name] is None for name in said.keys() - own.keys()):
        return  # it has been asked for already
    if lacking := [name for name in own if said[name] is None and kind.model_fields[name].is_required()]:
        column = spec.data[lacking[0]][1:]
        needed = f"{column} is empty, and without it the others of {spec.event} say nothing: 0, or a number?"
        yield _question(row, row.cell(column), needed, ("0",))
        return
    scale = _scale(template, row, spec)
    if isinstance(scale, Question):
        yield scale
        return
    fields = {name: _typed(kind, name, value, scale) for name, value in said.items() if value is not None}
    try:
        data = kind(**fields, **_days(kind, span), **_document(kind, row))
    except ValidationError as wrong:
        reasons = "; ".join(str(error["msg"]) for error in wrong.errors(include_input=False, include_url=False))
        yield _question(row, cell, f"this cannot be: {reasons}")
        return
    yield Draft(row, cell, row.unit, _published(row, kind, span, published), data, template.name)


def _field(row: Row, value: Any) -> Any:
    return row.values.get(value[1:]) if isinstance(value, str) and value.startswith("$") else value


def _only_a_whole(kind: type[EventData], said: Mapping[str, Meaning]) -> bool:
    """Of a statement only what it is a part of: it states nothing."""
    return issubclass(kind, Statement) and said.get("value") is None and said.get("reached") is None


def _typed(kind: type[EventData], name: str, value: Any, scale: int) -> Any:
    if isinstance(value, Decimal):
        whole = kind.model_fields[name].annotation in (int, int | None)
        return int(value) if whole else value * scale
    return value


def _scale(template: Template, row: Row, spec: Spec) -> int | Question:
    """How many of the catalogue's unit one is of the row's own, `tỷ đồng` of đồng; asked where they do not fit, and
    where nothing says in what money is counted."""
    wanted = measure_of(row.indicator) if row.indicator else None
    if wanted is None or row.tab is None:
        return 1
    measure = template.first("measure")
    column = measure if measure and measure.name in row.tab.header.columns else template.column("indicator")
    text = row.values.get(column.name) if column is measure else None
    try:
        if not isinstance(text, str):
            return _unsaid(row, spec, wanted)
        kind, scale = measures.read(text)
    except Doubt as doubt:
        return _question(row, row.cell(column.name), f"{column.titled}: {doubt.why}", doubt.choices)
    if kind == wanted or (not kind and wanted not in (measures.MONEY, "%")):
        return scale
    question = f"the figure of {row.indicator} is counted in {wanted}, not in this: correct the file"
    return _question(row, row.cell(column.name), question)


def _unsaid(row: Row, spec: Spec, wanted: str) -> int:
    """As `_scale`, where no measure stands in the row: as the indicator's name says, the column's header or a title."""
    assert row.tab is not None
    name = text_of(row.tab.sheet.value(row.cell("indicator")))
    if wanted != measures.MONEY:
        return measures.many(name)
    heads = [head for column in spec.columns() for head in row.tab.heads(column) if column != "indicator"]
    if scale := measures.first_money(name, *heads, "; ".join(row.tab.titles.measured)):
        return scale
    raise Doubt("nothing says in what money it is counted, in the row, the header or the titles", *measures.CHOICES)


def _span(template: Template, row: Row, spec: Spec) -> Span | None:
    """The days that an event is about: the row's own, else those of its column, else the form's."""
    start, end = (row.values.get(name) for name in ROW_PERIOD)
    if isinstance(end, date):
        return (start if isinstance(start, date) else end), end
    column = next(template.column(name) for name in spec.columns() if template.column(name).kind != "indicator")
    figures = [template.column(name) for name in spec.columns() if template.column(name).span != "form"]
    column = figures[0] if figures else column
    return _span_of(column, row)


def _span_of(column: Column, row: Row) -> Span | None:
    assert row.tab is not None
    span = row.tab.span
    headed = row.tab.header.spans.get(column.name, {})
    year = headed.get("year") or (span[1].year if span else None)
    if column.span == "form" or year is None:
        return span if column.span == "form" else None
    if column.span == "year":
        return date(year, 1, 1), date(year, 12, 31)
    if column.span == "to_month" and (month := headed.get("months")):
        return date(year, 1, 1), date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return (date(span[1].year, 1, 1), span[1]) if span else None


def _days(kind: type[EventData], span: Span) -> dict[str, date]:
    if "period_start" in kind.model_fields:
        return {"period_start": span[0], "period_end": span[1]}
    return {"day": span[1]} if "day" in kind.model_fields else {}


def _document(kind: type[EventData], row: Row) -> dict[str, str]:
    number = row.tab.titles.document if row.tab else None
    return {"document": number} if number and "document" in kind.model_fields else {}


def _published(row: Row, kind: type[EventData], span: Span, published: date | None) -> date:
    """When it was stated: as said, else the day of the report, else the last day that it is about. A statement about
    days that were not over by then was made later."""
    assert row.tab is not None
    own = row.tab.span[1] if row.tab.span else span[1]
    day = published or row.tab.titles.signed or (own if not issubclass(kind, Statement) else span[1])
    early = issubclass(kind, Statement) or "day" in kind.model_fields
    return span[1] if early and not published and day + PUBLISHED_AHEAD < span[1] else day


def _question(row: Row, cell: Cell, question: str, choices: tuple[str, ...] = ()) -> Question:
    says = masked(row.tab.sheet.value(cell)) if row.tab else ""
    return Question(row.sheet, cell.name, says, question, choices)
