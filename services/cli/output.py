"""How answers look: JSON and CSV for programs, tables and lines for people."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from operator import methodcaller
from typing import TYPE_CHECKING, Any

import click

from schemas.text.files import harmless

if TYPE_CHECKING:
    from rich.console import Console

    from services.readings.tables import Table

WIDE = 160
"""Columns of a table that goes to a file or a pipe."""


# --- for programs ---


def answer(
    form: str, value: Any, text: Callable[[], Iterable[str] | None], rows: Sequence[dict[str, Any]] = ()
) -> None:
    """The answer in the form that was asked for: `value` as JSON, `rows` as CSV, or the lines that `text` gives, if it
    does not print by itself."""
    if form == "json":
        write_json(value)
    elif form == "csv":
        write_csv(rows)
    elif lines := text():
        click.echo("\n".join(lines))


def write_json(value: Any, other: Callable[[Any], Any] = methodcaller("isoformat")) -> None:
    """A value to standard output; `other` makes JSON values of what is none: by itself of days and moments."""
    click.echo(json.dumps(value, default=other, ensure_ascii=False, indent=2))


def write_csv(rows: Sequence[dict[str, Any]]) -> None:
    """Rows of JSON values to standard output; lists become words, and no text is a formula."""
    if rows:
        writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)


def _cell(value: Any) -> Any:
    text = " ".join(value) if isinstance(value, list) else value
    return harmless(text) if isinstance(text, str) and not _NUMBER.fullmatch(text) else text


_NUMBER = re.compile(r"-[0-9]+(\.[0-9]+)?")
"""A number below 0, which in JSON values may be a text."""


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


def show(table: Table) -> None:
    """A table of readings or scores, with lines around; what sums others up is bold."""
    from rich.markup import escape

    rows = (
        row and [f"[bold]{escape(c)}[/]" if row.total and c else escape(c) for c in row.cells] for row in table.rows
    )
    caption = table.caption and escape(table.caption)
    print_table(table.headers, rows, table.right, escape(table.title), caption, framed=True)
