"""`ioc events` and `ioc units`: what can be said to the centre, and of whom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import click

from schemas.text.columns import aligned
from services.cli.chosen import as_messages
from services.cli.options import form_option
from services.cli.output import answer, write_json
from services.cli.times import Day, today

if TYPE_CHECKING:
    from schemas.units import Unit


@click.command()
@click.argument("type_", metavar="[TYPE]", required=False)
@form_option()
def events(type_: str | None, form: str) -> None:
    """The event types, or the fields of one with a sample to send."""
    from schemas.contracts.descriptions import detail_lines, details, event_type, outline, outline_lines
    from schemas.registry import DATA_TYPES

    with as_messages(ValueError):
        listed = [outline(name) for name in DATA_TYPES] if type_ is None else details(event_type(type_))
    answer(form, listed, lambda: outline_lines(listed) if isinstance(listed, list) else detail_lines(listed))


@click.command()
@click.option("--date", "day", type=Day(), help="Units as of this day; today when not said.")
@click.option("--tree", is_flag=True, help="Each unit below its parent.")
@form_option()
def units(day: date | None, tree: bool, form: str) -> None:
    """The administrative units at a date."""
    from schemas.units import COLUMNS, LEVELS, at, order

    there = sorted(at(day or today()), key=lambda unit: (LEVELS.index(unit.level), order(unit.code)))
    if form == "json":
        columns = [column for column in COLUMNS if column != "spellings"]
        write_json([{column: getattr(unit, column) for column in columns} for unit in there])
        return
    ordered = list(_below(None, there)) if tree else [(0, unit) for unit in there]
    rows = [("  " * depth + u.code, u.level, u.name_vi, u.name_en, _validity(u)) for depth, u in ordered]
    click.echo(aligned([("CODE", "LEVEL", "NAME", "IN ENGLISH", "VALID"), *rows]))


def _below(parent: str | None, there: list[Unit]) -> Iterator[tuple[int, Unit]]:
    codes = {unit.code for unit in there}
    for unit in there:
        if (unit.parent if unit.parent in codes else None) == parent:
            yield 0, unit
            yield from ((depth + 1, child) for depth, child in _below(unit.code, there))


def _validity(unit: Unit) -> str:
    return f"{unit.valid_from or ''} … {unit.valid_to or ''}".strip() if unit.valid_from or unit.valid_to else "always"
