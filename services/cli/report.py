"""`ioc report`: the month's report of a unit, in the form that the law prescribes."""

from __future__ import annotations

import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from services.cli.figures import reading, unit_of
from services.cli.times import Moment
from services.reports.formats import FORMATS, write

if TYPE_CHECKING:
    from services.kit.settings import Settings
    from services.readings import Period


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
The words, the head and the order of the sections are a file: see docs/reports.md.""")  # fmt: skip
@click.argument("period", type=Days(), metavar="PERIOD")
@click.option("--unit", metavar="U", help="A unit with all below it, code or name; else the whole locality.")
@click.option("--as-of", metavar="T", type=Moment("last"), help="What was so then; else the period's end, or now.")
@click.option("--number", default="", metavar="N", help="The document's number; else room is left for it.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="By itself that of FILE's name, else html.")
@click.option("-o", "--output", "file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Where to write it; else to standard output.")  # fmt: skip
def report(
    period: tuple[date, date],
    unit: str | None,
    as_of: datetime | None,
    number: str,
    form: str | None,
    file: Path | None,
) -> None:
    """Make the report of a PERIOD: a month (11/2026), a year (2026) or days (01/11/2026..15/11/2026).

    All figures are those of `ioc query`, read at one moment. A figure without data is a dash, and a sentence without
    one is left out. Of a period that is over the report is as of its end, so that it is the same whenever it is made.
    """
    from schemas.units import UnknownUnit
    from services.reports.monthly import report as make
    from services.reports.tables import TABLES
    from services.reports.texts import WrongTexts, read

    form = form or _form_of(file)
    with reading() as conn:
        asked = _period(period, as_of)
        try:
            texts = read(_settings().report_texts, TABLES)
            made = make(conn, texts, unit_of(unit, asked), asked, number)
        except (WrongTexts, UnknownUnit) as wrong:
            raise click.ClickException(str(wrong)) from None
    _write(write(made, form, _fonts), file)


def _form_of(file: Path | None) -> str:
    suffix = file.suffix.lower().removeprefix(".") if file else "html"
    if suffix not in FORMATS:
        raise click.UsageError(f"{file} does not say which format; --format {'|'.join(FORMATS)}")
    return suffix


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
        return _settings().report_fonts or fonts.provide(
            chosen_instance().runtime, lambda text: click.echo(text, err=True)
        )


def _write(content: bytes, file: Path | None) -> None:
    if file:
        file.write_bytes(content)
        click.echo(f"{file}: {len(content):,} bytes", err=True)
    else:
        sys.stdout.buffer.write(content)
