"""Asking for figures: `ioc query`, `explain`, `indicators`, `findings`."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING

import click

from schemas.text.columns import aligned
from services.cli import output
from services.cli.chosen import reading
from services.cli.options import FIRST, LAST, form_option, period_of, period_options, unit_of
from services.cli.output import bold
from services.cli.times import Moment

if TYPE_CHECKING:
    from services.readings.explain import Explanation


@click.command(epilog="""\b
Examples:
  ioc query payments_fee_count --unit chon_thanh --from 2024-11-01 --to 2024-11-30
  ioc query dossiers_in_progress --as-of 2024-11-15T10:30 --by field
  ioc query "Tỷ lệ hồ sơ quá hạn" --from 01/11/2024 --to 30/11/2024     by its printed name
  ioc query ii06 --by unit --format csv        a sheet: several indicators side by side
`ioc indicators` lists the names; `ioc explain` opens any figure to its source.""")  # fmt: skip
@click.argument("indicator")
@period_options
@click.option("--by", metavar="unit|hour|day|month|LABEL", help="One row for each.")
@form_option("table", "json", "csv")
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
    from services.readings.tables import readings_table

    with reading() as conn:
        period = period_of(first, last, as_of)
        code, indicators = unit_of(unit, period), find(indicator)
        readings = sheet(conn, indicators, code, period, by, aligned=True)
    rows = [values.reading_values(r, by) for some in readings for r in some]
    value = {"unit": code, **values.period_values(period), "by": by, "readings": rows}
    output.answer(form, value, lambda: output.show(readings_table(readings, code, period, by)), rows)


@click.command(epilog="""\b
Example:
  ioc explain payments_fee_amount --unit dong_xoai --from 2024-11-01 --to 2024-11-30""")  # fmt: skip
@click.argument("indicator")
@period_options
@form_option()
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
            opened = open_figure(conn, one, code, period)
            output.answer(form, values.explanation_values(opened), partial(_opened_lines, opened))


def _opened_lines(opened: Explanation) -> list[str]:
    from services.readings.lines import explanation_lines

    return [*explanation_lines(opened, bold), ""]


@click.command(epilog="\b\nExamples:\n  ioc indicators\n  ioc indicators --system field --format json")
@click.option("--system", help="Only those of this system.")
@form_option("table", "json", "csv")
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
        systems = ", ".join(dict.fromkeys(i.system for i in CATALOGUE.values()))
        raise click.ClickException(f"no system {system!r}; known: {systems}")
    columns = ["system", "code", "vi", "en", "unit", "target"]
    cells = [columns, *([row[column] or "" for column in columns] for row in rows)]
    last = f"{len(rows)} indicators; `ioc explain CODE` shows the formula of one"
    output.answer(form, rows, lambda: (aligned(cells), last), rows)


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
@form_option()
def findings(first: date | None, last: date | None, unit: str | None, as_of: datetime | None, form: str) -> None:
    """Figures that should agree and do not: shown with both sides, never repaired."""
    from schemas import units
    from services.kit import clock
    from services.readings import findings as find_all
    from services.readings import values
    from services.readings.lines import finding_lines

    with reading() as conn:
        scope = units.scope(units.find(unit).code) if unit else None
        every = find_all(conn, as_of or clock.now(), first, last)
    shown = [f for f in every if scope is None or f.unit in scope]
    if form == "json":
        output.write_json([values.finding_values(f) for f in shown])
        return
    for f in shown:
        click.echo("\n".join(finding_lines(f, bold)))
    click.echo(f"{len(shown)} finding{'s' * (len(shown) != 1)}")
