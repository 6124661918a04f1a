"""The counts of index 766 as people send them: a table with a row for each component of each unit."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches

from schemas.index766.rules import Component
from schemas.index766.scoring import CountPair
from schemas.text import files, numbers
from schemas.units import LEVELS

COLUMNS = ("metric", "numerator", "denominator")


@dataclass
class UnitCounts:
    """What a table says of one unit: its level ("" where the table has none) and its counts by metric."""

    level: str = ""
    counts: dict[str, CountPair] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    """metric -> the row that names it, also one whose cells are empty."""


def read(lines: Iterable[str], table: str, components: Mapping[str, Component]) -> dict[str, UnitCounts]:
    """unit -> its counts, in the order of the table; without a column `unit` all rows are of the unit "".

    Both cells empty: that component is missing. ValueError names the row and column that is wrong.
    """
    units: dict[str, UnitCounts] = {}
    for number, row in files.rows(lines, table, COLUMNS):
        try:
            _add(row, number, units, components)
        except ValueError as wrong:
            raise ValueError(f"{table}, row {number}, {wrong}") from None
    if not units:
        raise ValueError(f"{table} has no rows below its first; each names a component, its numerator and denominator")
    return units


def _add(
    row: Mapping[str, str], number: int, units: dict[str, UnitCounts], components: Mapping[str, Component]
) -> None:
    name = unicodedata.normalize("NFC", row.get("unit", ""))
    if "unit" in row and not name:
        raise ValueError("column unit: nothing stands there; name the unit in each row")
    unit, component = units.setdefault(name, UnitCounts()), _component(row["metric"], components)
    _set_level(unit, row.get("level", "").lower(), name)
    if before := unit.rows.get(component.metric):
        raise ValueError(f"column metric: {component.metric} stands in row {before} already{_of(name)}")
    unit.rows[component.metric] = number
    if row["numerator"] or row["denominator"]:
        numerator, denominator = (_number(row, column, component.whole) for column in ("numerator", "denominator"))
        unit.counts[component.metric] = CountPair(numerator, denominator)


def _component(text: str, components: Mapping[str, Component]) -> Component:
    metric = text.upper()
    if metric in components:
        return components[metric]
    near = get_close_matches(metric, components, n=3)
    hint = f"did you mean {', '.join(near)}?" if near else "`ioc index766 components` lists all"
    raise ValueError(f"column metric: {text!r} is no component of index 766; {hint}")


def _set_level(unit: UnitCounts, level: str, name: str) -> None:
    if level and level not in LEVELS:
        raise ValueError(f"column level: {level!r} is none of {', '.join(LEVELS)}")
    if level and unit.level not in ("", level):
        raise ValueError(f"column level: {level!r}, and {unit.level!r} in a row above{_of(name)}")
    unit.level = level or unit.level


def _number(row: Mapping[str, str], column: str, whole: bool) -> Decimal:
    text = row[column]
    if not text:
        raise ValueError(f"column {column}: nothing stands there; leave both cells empty where there is no figure")
    if text in _DASHES:
        raise ValueError(f"column {column}: does {text!r} mean 0 or no figure? Write 0, or leave both cells empty")
    try:
        number = numbers.read(text, whole)
    except numbers.NoNumber as wrong:
        raise ValueError(f"column {column}: {wrong}") from None
    if number < 0:
        raise ValueError(f"column {column}: {text!r} is negative; a count is 0 or more")
    return number


_DASHES: Collection[str] = ("-", "–", "—")


def _of(name: str) -> str:
    return f" for {name}" if name else ""
