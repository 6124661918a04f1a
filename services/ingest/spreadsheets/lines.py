"""A workbook that was read, as lines of text for who asks at a terminal; `dry_run.values` has it for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from schemas.text import dates
from services.ingest.spreadsheets.dry_run import DryRun
from services.ingest.spreadsheets.form import Question

SHOWN = 30
"""Rows and questions that are told one by one; the values have all."""


def lines(run: DryRun, bold: Callable[[str], str] = str) -> Iterator[str]:
    """What was read, left out and is asked; `bold` marks what somebody must look at."""
    form = run.form
    yield f"{run.name} is {form.template.name}: {form.template.vi} — {form.template.en}"
    for tab in form.tabs:
        rows = sum(row.tab is tab for row in form.rows)
        yield f"  {tab.sheet.name}: {rows:,} rows{f', {dates.days(*tab.span)}' if tab.span else ''}"
    for why in dict.fromkeys(skipped.why for skipped in form.skipped):
        rows_of = [str(skipped.row) for skipped in form.skipped if skipped.why == why]
        yield f"  left out, {why}: row {', '.join(rows_of[:SHOWN])}{' …' if len(rows_of) > SHOWN else ''}"
    for dropped in form.dropped:
        yield f"  column {dropped.column} of {dropped.sheet} not read, {dropped.why}: {dropped.cells:,} cells"
    for check in form.totals:
        if check.warning:
            yield bold(f"  does not add up: {check.sheet}, {check.warning}")
    yield f"  {len(run.drafts):,} events"
    for question in run.questions[:SHOWN]:
        yield from _question(question, bold)
    if len(run.questions) > SHOWN:
        yield f"… and {len(run.questions) - SHOWN:,} more questions; --format json has all"


def _question(question: Question, bold: Callable[[str], str]) -> Iterator[str]:
    yield bold(f"? {question.sheet}!{question.cell}") + (f" says {question.says!r}" if question.says else "")
    yield f"    {question.question}"
    choice = question.choices[0] if question.choices else "…"
    if question.choices:
        yield f"    it could be: {', '.join(question.choices)}"
    yield f"    answer: --answer '{question.sheet}!{question.cell}={choice}'"
