"""`ioc report`: the month's report of a unit, in the form that the law prescribes, and its issues."""

from __future__ import annotations

import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from services.cli.chosen import connected
from services.cli.figures import reading, unit_of
from services.cli.times import Moment
from services.reports.formats import FORMATS, write

if TYPE_CHECKING:
    from psycopg import Connection

    from services.kit.settings import Settings
    from services.readings import Period
    from services.reports.content import Report
    from services.reports.issues import Issue
    from services.reports.texts import Texts

SHOWN = 40
"""Changes of a corrected issue that are shown; how many more there are is said."""


class Days(click.ParamType[tuple[date, date]]):
    """A month, a year, a day, or two days with `..` between them."""

    name = "period"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[date, date]:
        """Text -> first and last local day."""
        from schemas.text import moments

        text = str(value).strip()
        if text.isdecimal() and len(text) == 4:
            return date(int(text), 1, 1), date(int(text), 12, 31)
        first, _, last = text.partition("..")
        try:
            edges = moments.read(first).days(), moments.read(last or first).days()
        except moments.NoMoment as wrong:
            self.fail(str(wrong), param, ctx)
        return edges[0][0], edges[1][1]


@click.command(epilog="""\b
Examples:
  ioc report 11/2026 --unit phuong_chon_thanh -o bao-cao.docx
  ioc report 11/2024 --format json
  ioc report 23/10/2024..23/11/2024 --as-of 2024-11-30 -o bao-cao.html
  ioc report 11/2026 --store -o bao-cao.pdf      keep it as an issue; its number is shown
  ioc report --list
  ioc report --verify 3                          made again, is it what was issued?
  ioc report --issue 3 -o bao-cao.xlsx           an issue as it was, in any format
The words, the head and the order of the sections are a file: see docs/reports.md.""")  # fmt: skip
@click.argument("period", type=Days(), metavar="[PERIOD]", required=False)
@click.option("--unit", metavar="U", help="A unit with all below it, code or name; else the whole locality.")
@click.option("--as-of", metavar="T", type=Moment("last"), help="What was so then; else the period's end, or now.")
@click.option("--number", default="", metavar="N", help="The document's number; else room is left for it.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="By itself that of FILE's name, else html.")
@click.option("-o", "--output", "file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Where to write it; else to standard output.")  # fmt: skip
@click.option("--store", is_flag=True, help="Keep it as an issue.")
@click.option("--issue", type=int, metavar="ISSUE", help="Write an issue as it was made.")
@click.option("--verify", type=int, metavar="ISSUE", help="Make an issue again and say what differs, if anything.")
@click.option("--list", "listed", is_flag=True, help="The issues that are kept.")
@click.option("--user", metavar="NAME", help="Who keeps it; your login name when not said, if not in a container.")
def report(
    period: tuple[date, date] | None,
    unit: str | None,
    as_of: datetime | None,
    number: str,
    form: str | None,
    file: Path | None,
    store: bool,
    issue: int | None,
    verify: int | None,
    listed: bool,
    user: str | None,
) -> None:
    """Make the report of a PERIOD: a month (11/2026), a year (2026) or days (01/11/2026..15/11/2026).

    All figures are those of `ioc query`, read at one moment. A figure without data is a dash, and a sentence without
    one is left out. Of a period that is over the report is as of its end, so that it is the same whenever it is made.
    """
    if sum((period is not None, issue is not None, verify is not None, listed)) != 1:
        raise click.UsageError("one of PERIOD, --issue, --verify and --list is needed")
    form = form or _form_of(file)
    if listed:
        _list()
    elif verify is not None:
        _verify(verify)
    elif issue is not None:
        with connected() as conn:
            kept = _kept(conn, issue).report
        _write(kept, form, file)
    elif period is not None:
        asked = _period(period, as_of)
        _write(_made(asked, unit, number, _keeper(user) if store else None), form, file)


def _made(asked: Period, unit: str | None, number: str, keeper: str | None) -> Report:
    """The report as it is now; kept as an issue where somebody keeps it."""
    from services.kit import clock
    from services.reports import issues
    from services.reports.monthly import report as make
    from services.reports.tables import TABLES
    from services.reports.texts import WrongTexts, read

    with reading() as conn:
        try:
            texts = read(_settings().report_texts, TABLES)
        except WrongTexts as wrong:
            raise click.ClickException(str(wrong)) from None
        made, made_at = make(conn, texts, unit_of(unit, asked), asked, number), clock.now()
        inputs = issues.inputs_of(conn, made.as_of) if keeper else ""
    if keeper:
        _keep(made, texts, inputs, made_at, keeper)
    return made


def _keeper(name: str | None) -> str:
    """Who keeps an issue, as it is written beside it."""
    from schemas.personal import OF_STAFF
    from services.cli.user_option import impersonal, login

    return impersonal("--user", name or login(), OF_STAFF)


def _keep(made: Report, texts: Texts, inputs: str, made_at: datetime, keeper: str) -> None:
    from services.reports import issues

    with connected("board") as conn:
        kept = issues.keep(conn, made, texts, inputs, made_at, keeper)
        before = issues.get(conn, kept.corrects) if kept.corrects and kept.made_at == made_at else None
        conn.commit()
    click.echo(f"issue {kept.id}, {kept.hash}", err=True)
    if before:
        click.echo(f"it corrects issue {before.id}:", err=True)
        with connected() as conn:
            _tell(conn, before, made)


def _verify(id: int) -> None:
    """Say whether an issue, made again with its own words, says the same; an exit code of 1 where it does not."""
    from services.readings import Period
    from services.reports import issues
    from services.reports.monthly import report as make

    with reading() as conn:
        kept = _kept(conn, id)
        again = make(conn, kept.words, kept.unit, Period.of(kept.as_of, kept.first, kept.last), kept.number)
        inputs = issues.inputs_of(conn, kept.as_of)
        if kept.report == again:
            same = "of the same events" if inputs == kept.inputs else "though other events are known of its time"
            click.echo(f"issue {id} holds, {same}: {kept.hash}")
            return
        click.echo(f"issue {id} would be another today:", err=True)
        _tell(conn, kept, again)
    raise SystemExit(1)


def _tell(conn: Connection, before: Issue, after: Report) -> None:
    """What differs, and the events that were recorded since."""
    from services.reports import issues

    changes = list(issues.changes(before.report, after))
    for place, old, new in changes[:SHOWN]:
        click.echo(f"  {place}: {old or '–'} -> {new or '–'}".replace("  : ", "  "), err=True)
    if len(changes) > SHOWN:
        click.echo(f"  and {len(changes) - SHOWN} more", err=True)
    for type, source, count, ids in issues.recorded_since(conn, before):
        click.echo(f"  recorded since: {count:,} of {type} from {source}, {', '.join(ids)}", err=True)


def _list() -> None:
    from schemas import units
    from schemas.text import dates
    from services.cli.catalogue_lists import aligned
    from services.reports import issues

    with connected() as conn:
        rows = [
            [str(i.id), units.on(i.unit, i.last).name_vi if i.unit else "toàn địa bàn", dates.days(i.first, i.last),
             dates.day_and_time(i.made_at), i.made_by, str(i.corrects or ""), i.hash[:12]]
            for i in issues.all_issues(conn)
        ]  # fmt: skip
    click.echo("\n".join(aligned([["issue", "unit", "period", "made", "by", "corrects", "hash"], *rows])))


def _kept(conn: Connection, id: int) -> Issue:
    from services.reports import issues

    try:
        return issues.get(conn, id)
    except issues.NoIssue as wrong:
        raise click.ClickException(str(wrong)) from None


def _period(days: tuple[date, date], as_of: datetime | None) -> Period:
    from services.kit import clock
    from services.readings import Period
    from services.readings.period import midnight

    end = midnight(days[1] + timedelta(days=1)) - timedelta(microseconds=1)
    try:
        return Period.of(as_of or min(end, clock.now()), *days)
    except ValueError as wrong:
        raise click.ClickException(str(wrong)) from None


def _settings() -> Settings:
    from services.centre.prepare import settings_of
    from services.cli.chosen import chosen_instance

    return settings_of(chosen_instance(), "cli")


def _fonts() -> Path:
    """The folder of the font that a PDF embeds, fetched once where this machine has none."""
    from infra.local import fonts
    from services.cli.chosen import chosen_instance, explained

    with explained():
        own = _settings().report_fonts
        return own or fonts.provide(chosen_instance().runtime, lambda text: click.echo(text, err=True))


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
