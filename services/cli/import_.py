"""`ioc import`: a workbook as an office sends it becomes events."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from services.cli.chosen import as_messages, chosen_instance, chosen_settings, connected, explained
from services.cli.options import FILE, form_option
from services.cli.output import answer, bold
from services.cli.times import Day
from services.cli.user_option import USER_OF_DEED, login

if TYPE_CHECKING:
    from services.ingest.spreadsheets.dry_run import DryRun
    from services.ingest.spreadsheets.form import Said
    from services.ingest.spreadsheets.template import Template

_ANSWER = re.compile(r"'?(.+?)'?!([A-Z]{1,3}[0-9]{1,7})\s*=(.*)", re.DOTALL)


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
@click.argument("file", type=FILE)
@click.option("--as", "name", metavar="TEMPLATE", help="Which form it is; else it is recognised by its headers.")
@click.option("--period", metavar="PERIOD", help="11/2024, 23/10/2024 - 23/11/2024, quý 4/2024, 2024, or a day.")
@click.option("--unit", help="Whose form it is, where it has no column of units: a code or a name.")
@click.option("--published", type=Day(), help="The day on which it was reported; else the day it was signed.")
@click.option("--answer", "answers", metavar="SHEET!CELL=VALUE", multiple=True, help="The answer to a question.")
@click.option("--answers", "file_of_answers", type=FILE, help="A file of answers, one SHEET!CELL=VALUE a line.")
@click.option("--dry-run", is_flag=True, help="Read and ask, send nothing; no running centre is needed.")
@form_option("text", "json")
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
    from services.ingest.spreadsheets.dry_run import values
    from services.ingest.spreadsheets.lines import lines

    by_hand = _by_hand(period, unit, [*answers, *_lines_of(file_of_answers)])
    run = _read(file, name, by_hand, published)
    answer(form, values(run), lambda: lines(run, bold))
    if run.questions:
        number = len(run.questions)
        open_ = f"{number:,} questions are open" if number > 1 else "1 question is open"
        click.echo(open_ if dry_run else f"{open_}: nothing was sent", err=True)
        raise SystemExit(1)
    if not dry_run:
        _send(file, run, user or login())


def _lines_of(file: Path | None) -> list[str]:
    from schemas.text import files

    with as_messages(files.Unreadable):
        lines = files.read(file).splitlines() if file else []
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _by_hand(period: str | None, unit: str | None, lines: Iterable[str]) -> Said:
    from infra.local.paths import SetupError
    from schemas.units import UnknownUnit
    from services.ingest.spreadsheets import dry_run

    answers = {}
    for line in lines:
        if not (parts := _ANSWER.fullmatch(line.strip())):
            raise click.UsageError(f"--answer {line!r} is not of the form SHEET!CELL=VALUE, as 'Sheet1!D7=2050'")
        answers[parts[1], parts[2]] = parts[3].strip()
    try:
        by_hand = dry_run.said(answers, period, unit)
    except (ValueError, UnknownUnit) as wrong:
        raise click.UsageError(str(wrong)) from None
    with suppress(SetupError), as_messages(ValueError):  # a dry run needs no centre
        return dry_run.remembering(by_hand, chosen_instance().data)
    return by_hand


def template_of(name: str) -> Template:
    """The template of that name; a name that is none is a mistake of usage."""
    from services.ingest.spreadsheets.template import templates

    if name not in templates():
        raise click.UsageError(f"no template {name!r}; there are: {', '.join(templates())}")
    return templates()[name]


def _read(file: Path, name: str | None, by_hand: Said, published: date | None) -> DryRun:
    from services.ingest.spreadsheets.dry_run import dry_run
    from services.ingest.spreadsheets.form import NoForm
    from services.ingest.spreadsheets.workbook import NoWorkbook

    template = template_of(name).name if name else None
    with as_messages(NoWorkbook, NoForm):
        run = dry_run(file, file.name, template, by_hand, published)
    if not run.questions and (idle := by_hand.answers.keys() - run.form.used):
        cells = ", ".join(f"{sheet}!{cell}" for sheet, cell in sorted(idle))
        raise click.UsageError(f"nothing is asked at {cells}")
    return run


def _send(file: Path, run: DryRun, user: str) -> None:
    import asyncio

    from psycopg import AsyncConnection

    from schemas.envelope import Invalid
    from services.board.auth import audit
    from services.cli.board_database import in_transaction, operator
    from services.ingest.spreadsheets import dry_run, publish
    from services.ingest.stream import Counts
    from services.kit import clock, imports

    counts, now, by = Counts(), clock.now(), operator(user)
    about = imports.File(file.name, imports.digest(file.read_bytes()), run.form.template.name)

    async def note(conn: AsyncConnection) -> imports.Import:
        return await audit.import_made(conn, by, about, plan.summary, plan.lines(), now)

    with explained():
        asyncio.run(publish.settled(chosen_settings("monitor")))
        with connected("owner") as conn:  # of the primary: a replica may not know yet what was said before
            conn.read_only = True
            try:
                plan = imports.plan(conn, (draft.event() for draft in run.drafts), now, about.digest)
            except Invalid as invalid:
                raise click.ClickException(f"{invalid}; nothing was sent") from None
        made = in_transaction(note)
        publish.publish(chosen_settings(), plan.events, counts, lambda text: click.echo(text, err=True))
    try:
        dry_run.remember(chosen_instance().data, run.form)
    except (OSError, ValueError) as problem:
        click.echo(f"what was answered of columns could not be remembered: {problem}", err=True)
    click.echo(f"sent {counts.sent:,}, of them {plan.revised:,} corrections; {plan.known:,} were known", err=True)
    if plan.outdated:
        says = f"{plan.outdated:,} of them this file said before, and they were corrected since: they stay corrected"
        click.echo(f"{says}; to have them as in this file, take the correction back: ioc imports list", err=True)
    click.echo(f"import {made.id}; to take it back: ioc imports take-back {made.id}", err=True)
    if counts.rejected:
        raise SystemExit(1)
