"""A workbook read without sending anything: its events, and whatever has to be asked first."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from services.ingest.spreadsheets import events, reading, titles, workbook
from services.ingest.spreadsheets.events import Draft
from services.ingest.spreadsheets.form import Columns, Form, Question, Said, shown
from services.ingest.spreadsheets.template import templates
from services.kit import clock

REMEMBERED = "workbooks.json"
"""In the centre's folder: what was answered of columns, by the mark of their header."""


class DryRun(NamedTuple):
    """A workbook as read: its form, the events that it gives, and whatever has to be asked."""

    name: str
    form: Form
    drafts: list[Draft]
    questions: list[Question]


def said(answers: Mapping[tuple[str, str], str], period: str | None, unit: str | None) -> Said:
    """What a person says beside the file; ValueError or UnknownUnit for a period or a unit that is none."""
    span = titles.span(period) if period else None
    return Said(answers, {}, span, titles.unit(unit, span[1] if span else None).code if unit else None)


def dry_run(file: Path, name: str, template: str | None, said: Said, published: date | None) -> DryRun:
    """Read a workbook by a template, or by the one that its headers show. Raises `NoWorkbook` and `NoForm`."""
    with _seldom_collected():
        sheets = reading.modern(workbook.read_file(file))
        form = reading.read(sheets, templates()[template] if template else reading.recognise(sheets, name), said, name)
        run = DryRun(name, form, [], list(form.questions))
        for one in events.drafts(form, published, clock.now()):
            if isinstance(one, Question):
                run.questions.append(one)
            else:
                run.drafts.append(one)
        run.questions[:] = dict.fromkeys(run.questions)  # several events of a row may ask the same
        return run


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Rows by the ten thousand are made and kept: to look through them for circles again and again takes a seventh of
    the time, and finds none."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def values(run: DryRun) -> dict[str, Any]:
    """All that was read, as JSON values."""
    form = run.form
    spans = list(dict.fromkeys(tab.span for tab in form.tabs))
    first, last = spans[0] if len(spans) == 1 and spans[0] else (None, None)
    return {
        "file": run.name,
        "template": form.template.name,
        "period": {"start": first.isoformat(), "end": last.isoformat()} if first and last else None,
        "sheets": list(dict.fromkeys(tab.sheet.name for tab in form.tabs)),
        "rows": [
            {"sheet": row.sheet, "row": row.number, "values": {name: shown(v) for name, v in row.values.items()}}
            for row in form.rows
        ],
        "questions": [vars(question) for question in run.questions],
        "skipped": [vars(skipped) for skipped in form.skipped],
        "dropped": [vars(dropped) for dropped in form.dropped],
        "events": len(run.drafts),
        "totals": [vars(check) for check in form.totals],
    }


def remembering(said: Said, folder: Path) -> Said:
    """With what is remembered in a centre's folder; ValueError where that is damaged."""
    return replace(said, columns=_remembered(folder))


def remember(folder: Path, form: Form) -> None:
    """Keep what was answered of columns now in a centre's folder. Raises OSError."""
    if form.columns:
        columns = {**_remembered(folder)}
        for mark, answers in form.columns.items():
            columns[mark] = {**columns.get(mark, {}), **answers}
        (folder / REMEMBERED).write_text(json.dumps(columns, indent=1) + "\n", encoding="utf-8")


def _remembered(folder: Path) -> Columns:
    file = folder / REMEMBERED
    try:
        columns: Columns = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as wrong:
        raise ValueError(f"{file} is damaged ({wrong}): delete it, and answer again") from None
    return columns
