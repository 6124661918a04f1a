"""`ioc brief`: how index 766 stands this morning, read in two minutes."""

from __future__ import annotations

from datetime import datetime

import click

from services.cli.chosen import as_messages, chosen_settings, reading
from services.cli.options import UNIT, unit_of
from services.cli.times import Moment


@click.command(epilog="""\b
Examples:
  ioc brief
  ioc brief --unit phuong_chon_thanh
  ioc brief --as-of "15/11/2026 06:30" --language en
Who gets it each morning, and when, stands in the table of routes, which `ioc alarms routes` checks.
The words are a file: see docs/reports.md.""")  # fmt: skip
@UNIT
@click.option("--as-of", metavar="T", type=Moment("first"), help="The brief of that morning; else of now.")
@click.option("--language", type=click.Choice(["vi", "en"]), default="vi", show_default=True, help="Of its words.")
def brief(unit: str | None, as_of: datetime | None, language: str) -> None:
    """Show the morning brief: the index at the end of yesterday, how it moved, what to look at.

    At most 1,200 characters. Days are compared only within a month, by the same rules, and where both have data; where
    the data of the last seven days are not complete it says so.
    """
    from schemas.index766.rules import NoRules
    from services.kit import clock
    from services.readings import Period
    from services.reports.brief import brief as make
    from services.reports.brief import read_texts
    from services.reports.texts import WrongTexts

    period = Period.of(as_of or clock.now())
    with reading() as conn, as_messages(WrongTexts, NoRules):
        texts = read_texts(chosen_settings().brief_texts)
        made = make(conn, texts, unit_of(unit, period), period.as_of, language)  # type: ignore[arg-type]
    click.echo(made.text)
