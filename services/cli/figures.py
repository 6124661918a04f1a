"""Asking for figures: `ioc query`, `explain`, `indicators`, `findings`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from schemas.text.dates import day_and_time
from services.cli import output
from services.cli.chosen import connected
from services.cli.times import Day, Moment

if TYPE_CHECKING:
    from psycopg import Connection

    from services.readings import Period

FIRST, LAST = Day("first"), Day("last")
FORMS = click.Choice(["table", "json", "csv"])


def period_options(command: Any) -> Any:
    """The options that say of which unit, which days, and as of when."""
    for option in reversed((
        click.option("--unit", metavar="U", help="A unit with all below it, code or name; else the whole locality."),
        click.option("--from", "first", metavar="D", type=FIRST, help="First day or month; else the month's first."),
        click.option("--to", "last", metavar="D", type=LAST, help="Last day or month, included; else that of --as-of."),
        click.option("--as-of", metavar="T", type=Moment("last"), help="What was so then, by event time; else now."),
    )):  # fmt: skip
        command = option(command)
    return command


@contextmanager
def reading() -> Iterator[Connection]:
    """A read-only connection to the chosen centre; what an operator can mend becomes a message."""
    import psycopg

    from schemas.indicators import UnknownIndicator
    from schemas.units import UnknownUnit
    from services.kit import store
    from services.readings.evaluate import NotBrokenDown

    try:
        with connected() as conn:
            conn.read_only = True
            conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            if since := store.cut_off_since(conn):
                click.secho(
                    f"read from a replica that hears of no change since {day_and_time(since, seconds=True)}", err=True
                )
            yield conn
    except (UnknownIndicator, UnknownUnit, NotBrokenDown) as error:
        raise click.ClickException(str(error)) from None


def period_of(first: date | None, last: date | None, as_of: datetime | None) -> Period:
    """The period that the options name."""
    from services.kit import clock
    from services.readings import Period

    try:
        return Period.of(as_of or clock.now(), first, last)
    except ValueError as error:
        raise click.ClickException(str(error)) from None


def unit_of(text: str | None, period: Period) -> str | None:
    """The code of a unit named by code or name."""
    from schemas import units

    return None if text is None else units.find(text, period.last).code


@click.command(epilog="""\b
Examples:
  ioc query payments_fee_count --unit chon_thanh --from 2024-11-01 --to 2024-11-30
  ioc query dossiers_in_progress --as-of 2024-11-15T10:30 --by field
  ioc query ii06 --by unit --format csv        a sheet: several indicators side by side
`ioc indicators` lists the names; `ioc explain` opens any figure to its source.""")  # fmt: skip
@click.argument("indicator")
@period_options
@click.option("--by", metavar="unit|hour|day|month|LABEL", help="One row for each.")
@click.option("--format", "form", type=FORMS, default="table", show_default=True)
def query(
    indicator: str,
    unit: str | None,
    first: date | None,
    last: date | None,
    as_of: datetime | None,
    by: str | None,
    form: str,
) -> None:
    """Ask for a figure: an INDICATOR (or a sheet of them), of a unit, over a period, as of a moment."""
    from schemas.indicators import find
    from services.readings import sheet, values

    with reading() as conn:
        period = period_of(first, last, as_of)
        code, indicators = unit_of(unit, period), find(indicator)
        found = sheet(conn, indicators, code, period, by)
    rows = [values.reading_values(r, by) for readings in found for r in readings]
    if form == "json":
        _json({"unit": code, **values.period_values(period), "by": by, "readings": rows})
    elif form == "csv":
        output.write_csv(rows)
    else:
        output.print_readings(found, code, period, by)


@click.command(epilog="""\b
Example:
  ioc explain payments_fee_amount --unit dong_xoai --from 2024-11-01 --to 2024-11-30""")  # fmt: skip
@click.argument("indicator")
@period_options
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def explain(
    indicator: str, unit: str | None, first: date | None, last: date | None, as_of: datetime | None, form: str
) -> None:
    """Open a figure: formula, parts, period, sources with their freshness, the events behind it."""
    from schemas.indicators import find
    from services.readings import explain as open_figure
    from services.readings import values

    with reading() as conn:
        period = period_of(first, last, as_of)
        code = unit_of(unit, period)
        for one in find(indicator):
            explanation = open_figure(conn, one, code, period)
            if form == "json":
                _json(values.explanation_values(explanation))
            else:
                click.echo("\n".join(output.explanation_lines(explanation)) + "\n")


@click.command(epilog="\b\nExamples:\n  ioc indicators\n  ioc indicators --system field --format json")
@click.option("--system", help="Only those of this system.")
@click.option("--format", "form", type=FORMS, default="table", show_default=True)
def indicators(system: str | None, form: str) -> None:
    """List the catalogue: every figure, with its name, formula, unit and target."""
    from schemas.indicators import CATALOGUE
    from schemas.indicators.formula import describe

    rows = [
        {"system": i.system, "code": i.code, "vi": i.vi, "en": i.en, "unit": i.unit,
         "target": None if i.target is None else str(i.target), "formula": describe(i.formula)}
        for i in CATALOGUE.values() if system in (None, i.system)
    ]  # fmt: skip
    if not rows:
        raise click.ClickException(
            f"no system {system!r}; known: {', '.join(dict.fromkeys(i.system for i in CATALOGUE.values()))}"
        )
    _list(rows, form, ("system", "code", "vi", "en", "unit", "target"))


@click.command(epilog="\b\nExample:\n  ioc findings --from 2024-10-23 --to 2024-11-23")
@click.option(
    "--from",
    "first",
    metavar="D",
    type=FIRST,
    help="First day for counted figures; all there is when not said.",
)
@click.option("--to", "last", metavar="D", type=LAST, help="Last day, included.")
@click.option("--unit", metavar="U", help="What is about a unit or any below it, code or name; else all.")
@click.option(
    "--as-of", "as_of", metavar="T", type=Moment("last"), help="What was known at that moment; now when not said."
)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def findings(first: date | None, last: date | None, unit: str | None, as_of: datetime | None, form: str) -> None:
    """Figures that should agree and do not: shown with both sides, never repaired."""
    from schemas import units
    from services.kit import clock
    from services.readings import findings as find_all
    from services.readings import values

    with reading() as conn:
        scope = units.scope(units.find(unit).code) if unit else None
        found = find_all(conn, as_of or clock.now(), first, last)
    found = [f for f in found if scope is None or f.unit in scope]
    if form == "json":
        _json([values.finding_values(f) for f in found])
        return
    for f in found:
        click.echo("\n".join(output.finding_lines(f)))
    click.echo(f"{len(found)} finding{'s' * (len(found) != 1)}")


def _list(rows: list[dict[str, Any]], form: str, shown: Iterable[str]) -> None:
    from services.cli.catalogue_lists import aligned

    if form == "json":
        _json(rows)
    elif form == "csv":
        output.write_csv(rows)
    else:
        columns = list(shown)
        click.echo("\n".join(aligned([columns, *([str(row[c] or "") for c in columns] for row in rows)])))
        click.echo(f"{len(rows)} indicators; `ioc explain CODE` shows the formula of one")


def _json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
