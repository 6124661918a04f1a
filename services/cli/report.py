"""`ioc report`: the month's report of a unit, in the form that the law prescribes, and its issues."""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from schemas.text.columns import aligned
from services.cli.chosen import as_messages, chosen_instance, chosen_settings, connected, explained, reading
from services.cli.options import UNIT, unit_of
from services.cli.times import Days, Moment
from services.cli.user_option import USER_OF_DEED, impersonal, login
from services.reports.formats import FORMATS, write

if TYPE_CHECKING:
    from psycopg import Connection

    from services.readings import Period
    from services.reports.content import Report
    from services.reports.issues import Issue
    from services.reports.making import Made


@click.command(epilog="""\b
Examples:
  ioc report 11/2026 --unit phuong_chon_thanh -o bao-cao.docx
  ioc report 11/2024 --format json
  ioc report "quý IV/2024" -o bao-cao-quy.docx
  ioc report 23/10/2024..23/11/2024 --as-of 2024-11-30 -o bao-cao.html
  ioc report 11/2026 --as ii06 -o bieu.xlsx      form II.06a alone; meeting: a page for a meeting
  ioc report 11/2026 --store -o bao-cao.pdf      keep it as an issue; its number is shown
  ioc report --list
  ioc report --verify 3                          made again, is it what was issued?
  ioc report --issue 3 -o bao-cao.xlsx           an issue as it was, in any format
The words, the head and the order of the sections are a file: see docs/reports.md.""")  # fmt: skip
@click.argument("period", type=Days(), metavar="[PERIOD]", required=False)
@UNIT
@click.option("--as-of", metavar="T", type=Moment("last"), help="What was so then; else the period's end, or now.")
@click.option("--as", "kind", metavar="FORM", help="Another form of it: ii06, meeting, or one of the office's own.")
@click.option("--number", default="", metavar="N", help="The document's number; else room is left for it.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="By itself that of FILE's name, else html.")
@click.option("-o", "--output", "file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Where to write it; else to standard output.")  # fmt: skip
@click.option("--store", is_flag=True, help="Keep it as an issue.")
@click.option("--issue", type=int, metavar="ISSUE", help="Write an issue as it was made.")
@click.option("--verify", type=int, metavar="ISSUE", help="Make an issue again and say what differs, if anything.")
@click.option("--list", "listed", is_flag=True, help="The issues that are kept.")
@USER_OF_DEED
def report(
    period: tuple[date, date] | None,
    unit: str | None,
    as_of: datetime | None,
    kind: str | None,
    number: str,
    form: str | None,
    file: Path | None,
    store: bool,
    issue: int | None,
    verify: int | None,
    listed: bool,
    user: str | None,
) -> None:
    """Make the report of a PERIOD: a month (11/2026), a quarter (Q4/2026), half a year ("6 tháng đầu năm 2026"), a year
    (2026) or days (01/11/2026..15/11/2026).

    All figures are those of `ioc query`, read at one moment. A figure without data is a dash, and a sentence without
    one is left out. Of a period that is over the report is as of its end, so that it is the same whenever it is made.
    """
    if sum((period is not None, issue is not None, verify is not None, listed)) != 1:
        raise click.UsageError("one of PERIOD, --issue, --verify and --list is needed")
    if kind and period is None:
        raise click.UsageError("--as is about a PERIOD")
    form = form or _form_of(file)
    if listed:
        _list()
    elif verify is not None:
        _verify(verify)
    elif issue is not None:
        with connected() as conn:
            issued = _issue(conn, issue).report
        _write(issued, form, file)
    elif period is not None:
        made = _made(_period(period, as_of), unit, number, kind or "", (user or login()) if store else None)
        _write(made, form, file)


def _made(period: Period, unit: str | None, number: str, kind: str, keeper: str | None) -> Report:
    """The report as it is now; kept as an issue where somebody keeps it."""
    from services.reports import making
    from services.reports.tables import TABLES
    from services.reports.texts import WrongTexts, read

    impersonal("--number", number)
    with reading() as conn:
        with as_messages(WrongTexts):
            texts = read(chosen_settings().report_texts, TABLES).of(kind)
        made = making.make(conn, texts, unit_of(unit, period), period, number)
    if keeper:
        _keep(made, keeper)
    return made.report


def _keep(made: Made, keeper: str) -> None:
    from services.board.pages.reports.maker import keep
    from services.cli import board_database
    from services.reports import issues

    kept = board_database.run(lambda conn: keep(conn, board_database.operator(keeper), made))
    click.echo(f"issue {kept.issue.id}, {kept.issue.hash}", err=True)
    if kept.new and kept.issue.corrects:
        click.echo(f"it corrects issue {kept.issue.corrects}:", err=True)
        with connected() as conn:
            _show_differences(conn, issues.get(conn, kept.issue.corrects), made.report)


def _verify(id: int) -> None:
    """Say whether an issue, made again with its own words, says the same; an exit code of 1 where it does not."""
    from services.reports import making

    with reading() as conn:
        found = making.verify(conn, _issue(conn, id))
        if found.holds:
            same = "of the same events" if found.same_inputs else "though other events are known of its time"
            click.echo(f"issue {id} holds, {same}: {found.issue.hash}")
            return
        click.echo(f"issue {id} would be another today:", err=True)
        _show_differences(conn, found.issue, found.again)
    raise SystemExit(1)


def _show_differences(conn: Connection, before: Issue, after: Report) -> None:
    from services.reports.issues import difference_lines

    for line in difference_lines(conn, before, after):
        click.echo(f"  {line}", err=True)


def _list() -> None:
    from schemas import units
    from schemas.text import dates
    from services.reports import issues

    with connected() as conn:
        rows = [
            [str(i.id), i.form or "report", units.on(i.unit, i.last).name_vi if i.unit else "toàn địa bàn",
             dates.days(i.first, i.last), dates.day_and_time(i.made_at), i.made_by, str(i.corrects or ""), i.hash[:12]]
            for i in issues.all_issues(conn)
        ]  # fmt: skip
    click.echo(aligned([["issue", "form", "unit", "period", "made", "by", "corrects", "hash"], *rows]))


def _issue(conn: Connection, id: int) -> Issue:
    from services.reports import issues

    with as_messages(issues.NoIssue):
        return issues.get(conn, id)


def _period(days: tuple[date, date], as_of: datetime | None) -> Period:
    from services.reports.making import period_of

    with as_messages(ValueError):
        return period_of(*days, as_of)


def _fonts() -> Path:
    """The folder of the font that a PDF embeds, fetched once where this machine has none."""
    from infra.local import fonts

    with explained():
        own = chosen_settings().report_fonts
        if own and fonts.is_whole(own):
            return own
        return fonts.provide(chosen_instance().runtime, lambda text: click.echo(text, err=True))


def _write(made: Report, form: str, file: Path | None) -> None:
    content = write(made, form, _fonts)
    if file:
        file.write_bytes(content)
        click.echo(f"{file}: {len(content):,} bytes", err=True)
    else:
        sys.stdout.buffer.write(content)


def _form_of(file: Path | None) -> str:
    suffix = file.suffix.lower().removeprefix(".") if file else "html"
    if suffix not in FORMATS:
        raise click.UsageError(f"{file} does not say which format; --format {'|'.join(FORMATS)}")
    return suffix
