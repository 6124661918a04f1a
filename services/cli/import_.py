"""`ioc import`: a workbook as an office sends it becomes events."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from services.cli.times import Day
from services.cli.user_option import USER_OF_DEED, login

if TYPE_CHECKING:
    from services.ingest.spreadsheets.form import Columns, Form, Question, Said
    from services.ingest.spreadsheets.template import Template

SHOWN = 30
"""Questions and rows that are shown to people; JSON has all."""
_ANSWER = re.compile(r"'?(.+?)'?!([A-Z]{1,3}[0-9]{1,7})\s*=(.*)", re.DOTALL)


class Read(NamedTuple):
    """A workbook as read: its form, how many events it gives, and whatever has to be asked."""

    form: Form
    events: int
    questions: list[Question]


@click.command(
    "import",
    epilog="\b\nExamples:\n"
    "  ioc import thanh-toan-thang-11.xlsx --dry-run       what would be read, and what is to be asked\n"
    "  ioc import thanh-toan-thang-11.xlsx --answer 'Sheet1!D7=2050'\n"
    "  ioc import bieu.ods --as ii06 --period 11/2024 --unit chon_thanh\n"
    "  ioc import bieu.xls --dry-run --format json | jq .questions\n\n"
    "Importing the same file again changes nothing; a figure that was corrected in it becomes a new vintage. "
    "`ioc imports` lists what was imported, and takes one back. docs/spreadsheets.md has what is read and asked.",
)
@click.argument("file", type=click.Path(dir_okay=False, exists=True, path_type=Path))
@click.option("--as", "name", metavar="TEMPLATE", help="Which form it is; else it is recognised by its headers.")
@click.option("--period", metavar="PERIOD", help="11/2024, 23/10/2024 - 23/11/2024, quý 4/2024, 2024, or a day.")
@click.option("--unit", help="Whose form it is, where it has no column of units: a code or a name.")
@click.option("--published", type=Day(), help="The day on which it was reported; else the day it was signed.")
@click.option("--answer", "answers", metavar="SHEET!CELL=VALUE", multiple=True, help="The answer to a question.")
@click.option(
    "--answers", "file_of_answers", type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="A file of answers, one SHEET!CELL=VALUE a line.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Read and ask, send nothing; no running centre is needed.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@USER_OF_DEED
def import_(
    file: Path,
    name: str | None,
    period: str | None,
    unit: str | None,
    published: date | None,
    answers: tuple[str, ...],
    file_of_answers: Path | None,
    dry_run: bool,
    form: str,
    user: str | None,
) -> None:
    """Read a workbook (XLSX, XLS, ODS, CSV) by a template and send what it says as events.

    What can be read in two ways is asked for, by sheet and cell, and answered with --answer; while a question is open
    nothing is sent and the exit status is 1, also of a dry run. Columns of personal data are dropped and counted.
    """
    said = _said(period, unit, [*answers, *_lines_of(file_of_answers)])
    read = _read(file, name, said, published)
    if form == "json":
        click.echo(json.dumps(_as_json(file, read), ensure_ascii=False, indent=2))
    else:
        for line in _as_text(file, read):
            click.echo(line)
    if read.questions:
        number = len(read.questions)
        open_ = f"{number:,} questions are open" if number > 1 else "1 question is open"
        click.echo(open_ if dry_run else f"{open_}: nothing was sent", err=True)
        raise SystemExit(1)
    if not dry_run:
        _send(file, read.form, published, user or login())


def _lines_of(file: Path | None) -> list[str]:
    from schemas.text import files

    try:
        lines = files.read(file).splitlines() if file else []
    except files.Unreadable as wrong:
        raise click.ClickException(str(wrong)) from None
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _said(period: str | None, unit: str | None, answers: Iterable[str]) -> Said:
    from schemas import units
    from services.ingest.spreadsheets import titles
    from services.ingest.spreadsheets.form import Said

    found = {}
    for answer in answers:
        if not (parts := _ANSWER.fullmatch(answer.strip())):
            raise click.UsageError(f"--answer {answer!r} is not of the form SHEET!CELL=VALUE, as 'Sheet1!D7=2050'")
        found[parts[1], parts[2]] = parts[3].strip()
    try:
        span = titles.span(period) if period else None
        return Said(found, _remembered(), span, titles.unit(unit, span[1] if span else None).code if unit else None)
    except (ValueError, units.UnknownUnit) as wrong:
        raise click.UsageError(str(wrong)) from None


def template_of(name: str) -> Template:
    """The template of that name; a name that is none is a mistake of usage."""
    from services.ingest.spreadsheets.template import templates

    if name not in templates():
        raise click.UsageError(f"no template {name!r}; there are: {', '.join(templates())}")
    return templates()[name]


def _read(file: Path, name: str | None, said: Said, published: date | None) -> Read:
    from services.ingest.spreadsheets import events, reading, workbook
    from services.ingest.spreadsheets.form import NoForm, Question
    from services.kit import clock

    template = template_of(name) if name else None
    try:
        sheets = reading.modern(workbook.read_file(file))
        form = reading.read(sheets, template or reading.recognise(sheets, file.name), said, file.name)
    except (workbook.NoWorkbook, NoForm) as wrong:
        raise click.ClickException(str(wrong)) from None
    questions, number = list(form.questions), 0
    for found in events.drafts(form, published, clock.now()):
        if isinstance(found, Question):
            questions.append(found)
        else:
            number += 1
    if not questions and (idle := said.answers.keys() - form.used):
        cells = ", ".join(f"{sheet}!{cell}" for sheet, cell in sorted(idle))
        raise click.UsageError(f"nothing is asked at {cells}")
    return Read(form, number, questions)


def _send(file: Path, form: Form, published: date | None, user: str) -> None:
    import asyncio

    from psycopg import AsyncConnection

    from schemas.envelope import Invalid
    from services.board.auth import audit
    from services.centre.prepare import settings_of
    from services.cli.board_database import operator, run
    from services.cli.chosen import chosen_instance, connected, explained
    from services.ingest.spreadsheets import events, publish
    from services.ingest.stream import Counts
    from services.kit import clock, imports

    counts, now, by = Counts(), clock.now(), operator(user)
    about = imports.File(file.name, imports.digest(file.read_bytes()), form.template.name)
    drafts = (found for found in events.drafts(form, published, now) if isinstance(found, events.Draft))

    async def note(conn: AsyncConnection) -> imports.Import:
        async with conn.transaction():
            made = await imports.note(conn, by.name, about, plan.summary, plan.lines(), now)
            await audit.note(conn, by, "import.made", str(made.id), made.detail())
        return made

    with explained():
        instance = chosen_instance()
        asyncio.run(publish.settled(settings_of(instance, "monitor")))
        with connected("owner") as conn:  # of the primary: a replica may not know yet what was said before
            conn.read_only = True
            try:
                plan = imports.plan(conn, (draft.event() for draft in drafts), now)
            except Invalid as invalid:
                raise click.ClickException(f"{invalid}; nothing was sent") from None
        made = run(note)
        publish.publish(settings_of(instance, "cli"), plan.events, counts, lambda text: click.echo(text, err=True))
    _remember(instance.data, form)
    click.echo(f"sent {counts.sent:,}, of them {plan.revised:,} corrections; {plan.known:,} were known", err=True)
    click.echo(f"import {made.id}; to take it back: ioc imports take-back {made.id}", err=True)
    if counts.rejected:
        raise SystemExit(1)


REMEMBERED = "workbooks.json"
"""In the centre's folder: what was answered of columns, by the mark of their header."""


def _remembered() -> Columns:
    """What the chosen centre remembers; nothing where there is none yet."""
    from infra.local.paths import SetupError
    from services.cli.chosen import chosen_instance

    file = None
    try:
        file = chosen_instance().data / REMEMBERED
        found: Columns = json.loads(file.read_text(encoding="utf-8"))
    except (SetupError, FileNotFoundError):
        return {}
    except ValueError as wrong:
        raise click.ClickException(f"{file} is damaged ({wrong}): delete it, and answer again") from None
    return found


def _remember(folder: Path, form: Form) -> None:
    if form.columns:
        known = {**_remembered()}
        for mark, columns in form.columns.items():
            known[mark] = {**known.get(mark, {}), **columns}
        try:
            (folder / REMEMBERED).write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
        except OSError as problem:
            click.echo(f"what was answered of columns could not be remembered: {problem}", err=True)


# --- what is shown ---


def _as_json(file: Path, read: Read) -> dict[str, Any]:
    from services.ingest.spreadsheets.form import shown

    form = read.form
    spans = list(dict.fromkeys(tab.span for tab in form.tabs))
    first, last = spans[0] if len(spans) == 1 and spans[0] else (None, None)
    rows = (
        {"sheet": row.sheet, "row": row.number, "values": {name: shown(value) for name, value in row.values.items()}}
        for row in form.rows
    )
    return {
        "file": file.name,
        "template": form.template.name,
        "period": {"start": first.isoformat(), "end": last.isoformat()} if first and last else None,
        "sheets": [tab.sheet.name for tab in form.tabs],
        "rows": list(rows),
        "questions": [vars(question) for question in read.questions],
        "skipped": [vars(skipped) for skipped in form.skipped],
        "dropped": [vars(dropped) for dropped in form.dropped],
        "events": read.events,
        "totals": [vars(check) for check in form.totals],
    }


def _as_text(file: Path, read: Read) -> Iterator[str]:
    from schemas.text import dates

    form = read.form
    yield f"{file.name} is {form.template.name}: {form.template.vi} — {form.template.en}"
    for tab in form.tabs:
        rows = sum(row.sheet == tab.sheet.name for row in form.rows)
        yield f"  {tab.sheet.name}: {rows:,} rows{f', {dates.days(*tab.span)}' if tab.span else ''}"
    for why in dict.fromkeys(skipped.why for skipped in form.skipped):
        rows_of = [str(skipped.row) for skipped in form.skipped if skipped.why == why]
        yield f"  left out, {why}: row {', '.join(rows_of[:SHOWN])}{' …' if len(rows_of) > SHOWN else ''}"
    for dropped in form.dropped:
        yield f"  column {dropped.column} of {dropped.sheet} not read, {dropped.why}: {dropped.cells:,} cells"
    for check in form.totals:
        if check.warning:
            yield click.style(f"  does not add up: {check.sheet}, {check.warning}", fg="yellow")
    yield f"  {read.events:,} events"
    for question in read.questions[:SHOWN]:
        yield from _question(question)
    if len(read.questions) > SHOWN:
        yield f"… and {len(read.questions) - SHOWN:,} more questions; --format json has all"


def _question(question: Question) -> Iterator[str]:
    yield click.style(f"? {question.sheet}!{question.cell}", bold=True) + (
        f" says {question.says!r}" if question.says else ""
    )
    yield f"    {question.question}"
    choice = question.choices[0] if question.choices else "…"
    if question.choices:
        yield f"    it could be: {', '.join(question.choices)}"
    yield f"    answer: --answer '{question.sheet}!{question.cell}={choice}'"
