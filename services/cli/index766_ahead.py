"""`ioc index766 whatif`, `shortest`, `forecast`: what ending dossiers would bring, and where the month will end."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import click

from services.cli import output
from services.cli.chosen import as_messages, reading
from services.cli.options import FILE, UNIT, rule_options, unit_of
from services.cli.times import Day
from services.kit import clock

UNTIL = click.option(
    "--until", metavar="D", type=Day("last"), help="Scored at the end of that day; else of the last day's month."
)
PAPER = click.option("--paper", is_flag=True, help="Their results are papers; else they are signed files.")


@click.command(
    epilog="\b\nExamples:\n  ioc index766 whatif --unit phuong_chon_thanh --due 30/11/2026\n"
    "  ioc index766 whatif H19.01-261102-0007 H19.01-261102-0011 --on 27/11/2026 --unit phuong_chon_thanh\n"
    "  ioc index766 shortest --unit phuong_chon_thanh --format csv > list.csv\n"
    "  ioc index766 whatif --unit phuong_chon_thanh --file list.csv"
)
@click.argument("dossiers", nargs=-1)
@UNIT
@click.option("--due", metavar="D", type=Day("last"), help="All open dossiers due from today to that day.")
@click.option(
    "--file",
    type=FILE,
    metavar="FILE",
    help="A table with the columns dossier and day, as `shortest --format csv` writes it.",
)
@click.option("--on", metavar="D", type=Day(), help="They end on that day; else each on the day it is due, or today.")
@UNTIL
@PAPER
@rule_options
def whatif(
    dossiers: tuple[str, ...],
    unit: str | None,
    due: date | None,
    file: Path | None,
    on: date | None,
    until: date | None,
    paper: bool,
    code: str,
    form: str,
) -> None:
    """The score of a unit after DOSSIERS end on given days, beside the score if nobody does anything.

    Both are scores of the month as of the end of --until: due dates pass, and nothing else happens. So a dossier gains
    by being done before it is overdue, by its result as a signed file, or by ending after more than one request for
    supplements. Nothing is stored.
    """
    from services.readings import lines, values
    from services.readings import whatif as ahead
    from services.readings.planned_ends import planned_ends

    with reading() as conn, as_messages(ValueError):
        now, where = clock.now(), _unit(unit)
        ends = planned_ends(conn, where, now, dossiers, due, file, on)
        period = ahead.until(until or _month_end(max(ends.values(), default=now)))
        answer = ahead.what_if(conn, code, where, ends, period, electronic=not paper)
    rows = list(values.dossier_rows(answer))
    output.answer(form, values.what_if_values(answer), lambda: lines.what_if_lines(answer), rows)


@click.command(
    epilog="\b\nExamples:\n  ioc index766 shortest\n  ioc index766 shortest --unit phuong_chon_thanh --format csv\n"
    "  ioc index766 shortest --gain 2 --until 30/11/2026"
)
@UNIT
@click.option("--below", is_flag=True, help="A list for each unit below --unit; without --unit it is so anyway.")
@click.option("--gain", "gains", multiple=True, type=Decimal, help="So many points; else 0.1, 0.5 and 1.")
@UNTIL
@PAPER
@rule_options
def shortest(
    unit: str | None,
    below: bool,
    gains: tuple[Decimal, ...],
    until: date | None,
    paper: bool,
    code: str,
    form: str,
) -> None:
    """The shortest list of open dossiers whose end gains the next 0.1, 0.5 and 1 point, by unit.

    Each is to end on its day: the day it is due, or the last day of the period where that has passed. The dossier that
    gains most next comes first; of equal ones the one due soonest. See `whatif` for what a gain is.
    """
    from services.readings import lines, values
    from services.readings import whatif as ahead

    if any(gain <= 0 for gain in gains):
        raise click.UsageError("a gain is more than 0 points")
    with reading() as conn:
        now, where = clock.now(), _unit(unit)
        period = ahead.until(until or _month_end(now))
        wanted = sorted(gains) or ahead.NEXT_POINTS
        if where is None or below:
            lists = ahead.shortest_by_unit(conn, code, where, period, now, wanted, electronic=not paper)
        else:
            lists = [ahead.shortest(conn, code, where, period, now, wanted, electronic=not paper)]
    value = {"units": [values.shortest_values(one) for one in lists]}
    text = [line for one in lists for line in lines.shortest_lines(one)] or ["no unit has events"]
    rows = [row for one in lists for row in values.dossier_rows(one.what_if, one.gained)]
    output.answer(form, value, lambda: text, rows)


@click.command(epilog="\b\nExample:\n  ioc index766 forecast --unit phuong_chon_thanh")
@UNIT
@rule_options
def forecast(unit: str | None, code: str, form: str) -> None:
    """Where the counted components will stand at the month's end, with an interval and how wrong it was before.

    From the points of now, and what the last six months still gained or lost from as far before their end: expected is
    the median of that, the interval its least and greatest (from three months on). The same, put to each of those
    months with the months before it, gives the past errors. Reported components are taken to stay as they are.
    """
    from services.readings import lines, values
    from services.readings.forecast import forecast as look_ahead

    with reading() as conn, as_messages(ValueError):
        answer = look_ahead(conn, code, _unit(unit), clock.now())
    value = values.forecast_values(answer)
    output.answer(form, value, lambda: lines.forecast_lines(answer), value["past"])


def _unit(text: str | None) -> str | None:
    from services.readings import Period

    return unit_of(text, Period.of(clock.now()))


def _month_end(moment: datetime) -> date:
    from schemas.calendar import local_day, month_end

    return month_end(local_day(moment))
