"""Options that several commands have, each said and read in one place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from services.cli.times import Day, Moment

if TYPE_CHECKING:
    from click.decorators import FC

    from services.readings import Period

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
"""A file that is there."""
FIRST, LAST = Day("first"), Day("last")
UNIT = click.option("--unit", metavar="U", help="A unit with all below it, code or name; else the whole locality.")
LIMIT = click.option("--limit", default=50, show_default=True, help="How many, the latest.")


def form_option(*forms: str) -> Callable[[FC], FC]:
    """The option that says how to answer; the first form is the default."""
    choice = click.Choice(forms or ("table", "json"))
    return click.option("--format", "form", type=choice, default=choice.choices[0], show_default=True)


def period_options(command: FC) -> FC:
    """The options that say of which unit, which days, and as of when."""
    for option in reversed((
        UNIT,
        click.option("--from", "first", metavar="D", type=FIRST, help="First day or month; else the month's first."),
        click.option("--to", "last", metavar="D", type=LAST, help="Last day or month, included; else that of --as-of."),
        click.option("--as-of", metavar="T", type=Moment("last"), help="What was so then, by event time; else now."),
    )):  # fmt: skip
        command = option(command)
    return command


def rule_options(command: FC) -> FC:
    """The options that say by which rules of index 766, and how to answer."""
    codes, means = click.Choice(["portal", "decree"]), "As the national portal computes, or as the decision says."
    rules = click.option("--rules", "code", type=codes, default="portal", show_default=True, help=means)
    return rules(form_option("table", "json", "csv")(command))


def period_of(first: date | None, last: date | None, as_of: datetime | None) -> Period:
    """The period that the options name."""
    from services.cli.chosen import as_messages
    from services.kit import clock
    from services.readings import Period

    with as_messages(ValueError):
        return Period.of(as_of or clock.now(), first, last)


def unit_of(text: str | None, period: Period) -> str | None:
    """The code of a unit named by code or name."""
    from schemas import units

    return None if text is None else units.find(text, period.last).code
