"""How answers look: JSON and CSV for programs, tables and lines for people."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from operator import methodcaller
from typing import TYPE_CHECKING, Any

import click

from schemas.text.dates import day_and_time

if TYPE_CHECKING:
    from rich.console import Console

    from services.readings import Period, Reading

WIDE = 160
"""Columns of a table that goes to a file or a pipe."""


# --- for programs ---


def write_json(value: Any, other: Callable[[Any], Any] = methodcaller("isoformat")) -> None:
    """A value to standard output; `other` makes JSON values of what is none: by itself of days and moments."""
    click.echo(json.dumps(value, default=other, ensure_ascii=False, indent=2))


def write_csv(rows: Sequence[dict[str, Any]]) -> None:
    """Rows of JSON values to standard output; lists become words."""
    if rows:
        writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: " ".join(v) if isinstance(v, list) else v for k, v in row.items()} for row in rows)


# --- for people ---


def bold(text: str) -> str:
    """A text in bold, where that can be shown."""
    return click.style(text, bold=True)


def console() -> Console:
    """Where tables go: as wide as the terminal, else `WIDE`."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else WIDE)


def print_table(
    headers: Sequence[str],
    rows: Iterable[Sequence[str] | None],
    right: Collection[int] = (),
    title: str | None = None,
    caption: str | None = None,
    framed: bool = False,
) -> None:
    """A table; cells, title and caption may have rich's markup, a row that is None draws a line. `right`: the columns
    aligned to the right. `framed`: with lines around, and codes in the first column unbroken."""
    from rich.box import HEAVY_HEAD
    from rich.table import Column, Table

    columns = [
        Column(name, justify="right" if place in right else "left", no_wrap=framed and not place)
        for place, name in enumerate(headers)
    ]
    table = Table(*columns, box=HEAVY_HEAD if framed else None, pad_edge=framed, title=title, caption=caption,
                  title_justify="left", caption_justify="left")  # fmt: skip
    for row in rows:
        if row is None:
            table.add_section()
        else:
            table.add_row(*row)
    console().print(table)


def print_readings(readings: Sequence[Sequence[Reading]], unit: str | None, period: Period, by: str | None) -> None:
    """One table for the readings of one or more indicators (a list for each)."""
    from schemas.text.origins import origins_line

    every = [r for some in readings for r in some]
    title, caption = _title(readings, unit, period), origins_line(origin for r in every for origin in r.origins)
    if by is None:
        rows = ((r.indicator.code, r.indicator.vi, _number(r), r.indicator.unit, _note(r)) for r in every)
        print_table(("indicator", "", "value", "unit", ""), rows, (2,), title, caption, framed=True)
        return
    indicators = [some[0].indicator for some in readings if some]
    alone = len(indicators) == 1
    codes = [f"{i.code} ({i.unit})" if alone else i.code for i in indicators]
    named = by == "unit"
    headers = [by, *[""] * named, *codes, *[""] * alone]
    numbers = range(1 + named, 1 + named + len(codes))
    print_table(headers, _group_rows(readings, by, period, alone), numbers, title, caption, framed=True)


def _group_rows(readings: Sequence[Sequence[Reading]], by: str, period: Period, alone: bool) -> Iterator[Sequence[str]]:
    """A row for each group, a column for each indicator; with one indicator, its verdict or reason beside it."""
    from schemas import units

    cells = {(r.indicator.code, r.group): r for some in readings for r in some}
    codes = [some[0].indicator.code for some in readings if some]
    for group in dict.fromkeys(sorted((group for _, group in cells), key=units.order if by == "unit" else None)):
        row = [cells.get((code, group)) for code in codes]
        name = [units.on(group, period.last).name_vi] if by == "unit" else []
        yield group, *name, *(_number(r) if r else "" for r in row), *([_note(r) for r in row if r] if alone else [])


def _note(r: Reading) -> str:
    from services.readings.lines import verdict

    return r.reason or verdict(r)


def _number(r: Reading) -> str:
    return "–" if r.printed is None else f"{r.printed:,}"


def _title(readings: Sequence[Sequence[Reading]], unit: str | None, period: Period) -> str:
    from schemas import units

    first = next((r.indicator for some in readings for r in some), None)
    what = f"{first.vi} — {first.en}" if first and len(readings) == 1 else f"{len(readings)} indicators"
    where = units.on(unit, period.last).name_vi if unit else "Toàn địa bàn"
    return f"{what}\n{where}, {period.written}, as of {day_and_time(period.as_of)}"
