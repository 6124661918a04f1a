"""How figures look: as tables and lines for people, as CSV for programs."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from schemas.text.dates import day_and_time

if TYPE_CHECKING:
    from rich.table import Table

    from services.readings import Period, Reading
    from services.readings.explain import Explanation
    from services.readings.finding import Finding

ORIGINS = {"simulated": "SIMULATED", "shifted": "SHIFTED in time"}
WIDE = 160
"""Columns of a table that goes to a file or a pipe."""


# --- for programs ---


def write_csv(rows: Sequence[dict[str, Any]]) -> None:
    """Rows of JSON values to standard output; lists become words."""
    if rows:
        writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: " ".join(v) if isinstance(v, list) else v for k, v in row.items()} for row in rows)


# --- for people ---


def print_readings(readings: Sequence[Sequence[Reading]], unit: str | None, period: Period, by: str | None) -> None:
    """One table for the readings of one or more indicators (a list for each)."""
    from rich.console import Console

    table = _by_group(readings, by, period) if by else _by_indicator([r for some in readings for r in some])
    table.title, table.title_justify = _title(readings, unit, period), "left"
    table.caption, table.caption_justify = _origins(r for some in readings for r in some), "left"
    Console(width=None if sys.stdout.isatty() else WIDE).print(table)


def _by_indicator(readings: Iterable[Reading]) -> Table:
    """A row for each indicator."""
    from rich.table import Table

    table = Table("indicator", "", "value", "unit", "")
    table.columns[2].justify = "right"
    for r in readings:
        table.add_row(r.indicator.code, r.indicator.vi, _number(r), r.indicator.unit, r.reason or _verdict(r))
    return table


def _by_group(readings: Sequence[Sequence[Reading]], by: str, period: Period) -> Table:
    """A row for each group, a column for each indicator; with one indicator, its verdict or reason beside it."""
    from rich.table import Table

    from schemas import units

    table = Table(by, *(_name_of_group(by, period.last)))
    indicators = [some[0].indicator for some in readings if some]
    alone = len(indicators) == 1
    for i in indicators:
        table.add_column(f"{i.code} ({i.unit})" if alone else i.code, justify="right")
    if alone:
        table.add_column("")
    cells = {(r.indicator.code, r.group): r for some in readings for r in some}
    for group in dict.fromkeys(sorted((group for _, group in cells), key=units.order if by == "unit" else None)):
        row = [cells.get((i.code, group)) for i in indicators]
        note = [r.reason or _verdict(r) for r in row if r] if alone else []
        table.add_row(group, *_name_of_group(by, period.last, group), *(_number(r) if r else "" for r in row), *note)
    return table


def _name_of_group(by: str, day: date, group: str = "") -> list[str]:
    """The column with the units' names, where groups are units."""
    from schemas import units

    return [] if by != "unit" else [units.on(group, day).name_vi if group else ""]


def _title(readings: Sequence[Sequence[Reading]], unit: str | None, period: Period) -> str:
    from schemas import units

    first = next((r.indicator for some in readings for r in some), None)
    what = f"{first.vi} — {first.en}" if first and len(readings) == 1 else f"{len(readings)} indicators"
    where = units.on(unit, period.last).name_vi if unit else "Toàn địa bàn"
    return f"{what}\n{where}, {period.written}, as of {day_and_time(period.as_of)}"


def _origins(readings: Iterable[Reading]) -> str | None:
    return origins_line(frozenset(origin for r in readings for origin in r.origins))


def origins_line(origins: frozenset[str]) -> str | None:
    """What must be said of data that is not real."""
    said = sorted(ORIGINS[origin] for origin in origins if origin in ORIGINS)
    return f"Data: {', '.join(said)}" if said else None


def _number(r: Reading) -> str:
    return "–" if r.printed is None else f"{r.printed:,}"


def _verdict(r: Reading) -> str:
    if r.met is None:
        return ""
    sign = "≤" if r.indicator.better == "lower" else "≥"
    return f"{'✓ đạt' if r.met else '✗ chưa đạt'} ({sign} {r.indicator.target})"


def explanation_lines(e: Explanation) -> Iterator[str]:
    """An opened figure, line by line."""
    from schemas.text.numbers import plain

    r, i = e.reading, e.reading.indicator
    yield click.style(f"{i.vi} — {i.en}", bold=True) + f"   [{i.system}/{i.code}]"
    yield f"  value    {f'none: {r.reason}' if r.printed is None else f'{r.printed:,} {i.unit}'}   {_verdict(r)}"
    yield f"  unit     {e.unit or 'whole locality'}"
    yield f"  period   {e.period.first} to {e.period.last} (local days), as of {day_and_time(e.period.as_of)}"
    yield f"  formula  {e.formula}"
    for p in e.parts[1:]:
        shown = plain(p.value) if p.value is not None else f"none: {p.reason}"
        yield f"           {'  ' * (p.depth - 1)}{p.role}: {p.formula} = {shown}"
    if unreal := _origins([r]):
        yield f"  {unreal}"
    yield "  sources"
    for s in e.sources:
        freshness = f"last {day_and_time(s.last_time)}, recorded {day_and_time(s.last_recorded)}"
        yield f"    {s.source}  {s.events:,} events, {freshness}"
    moved = " that have ever moved it" if e.history else ""
    yield f"  events   {e.events:,}{moved}{', among them' if e.sample else ''}"
    for x in e.sample:
        yield f"    {day_and_time(x.time)}  {x.unit}  {x.type.removeprefix('vn.ioc.')}  {x.id}"


def finding_lines(f: Finding) -> Iterator[str]:
    """A finding with both sides and what to look at."""
    from schemas.text.numbers import plain

    days = f", {f.first} - {f.last}" if f.first else ""
    yield click.style(f"{f.code}: {_difference(f)}", bold=True)
    yield f"  {f.vi}"
    yield f"  {f.en}"
    sides = "" if f.events is not None else f": {plain(f.left)} ≠ {plain(f.right)}"
    yield f"  {f.unit or 'toàn địa bàn'}{days}{sides}"
    if f.evidence:
        yield f"  see: {', '.join(f.evidence)}"


def _difference(f: Finding) -> str:
    from schemas.text.numbers import plain

    if f.events is not None:
        return f"{f.events:,} of {f.what}"
    apart = plain(abs(f.missing))
    if f.code == "contradiction":
        return f"{f.what} stated twice, {apart} apart"
    return f"{apart} {f.what}{'s' * (apart != '1')} {'missing' if f.missing > 0 else 'too many'}"
