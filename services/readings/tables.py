"""Readings and scores as tables of text, for who asks at a terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from schemas import units
from schemas.index766 import words
from schemas.index766.rules import RuleSet
from schemas.index766.scoring import ComponentScore, ranked_as
from schemas.index766.unit_scores import ScoredUnit
from schemas.index766.values import percent
from schemas.text.dates import day_and_time
from schemas.text.origins import origins_line
from services.readings.lines import verdict
from services.readings.period import Period
from services.readings.read import Reading


class Row(NamedTuple):
    """A line of a table; `total`: it sums others up."""

    cells: Sequence[str]
    total: bool = False


class Table(NamedTuple):
    """What a table says. `right`: the columns that are numbers; a row that is None is a line between groups."""

    headers: Sequence[str]
    rows: Sequence[Row | None]
    right: Collection[int]
    title: str
    caption: str | None


# --- readings ---


def readings_table(readings: Sequence[Sequence[Reading]], unit: str | None, period: Period, by: str | None) -> Table:
    """One table for the readings of one or more indicators (a list for each)."""
    every = [r for some in readings for r in some]
    title, caption = _what_was_read(readings, unit, period), origins_line(o for r in every for o in r.origins)
    if by is None:
        rows = [Row((r.indicator.code, r.indicator.vi, _number(r), r.indicator.unit, _note(r))) for r in every]
        return Table(("indicator", "", "value", "unit", ""), rows, (2,), title, caption)
    indicators = [some[0].indicator for some in readings if some]
    alone = len(indicators) == 1
    codes = [f"{i.code} ({i.unit})" if alone else i.code for i in indicators]
    named = by == "unit"
    headers = [by, *[""] * named, *codes, *[""] * alone]
    numbers = range(1 + named, 1 + named + len(codes))
    return Table(headers, [Row(cells) for cells in _group_cells(readings, by, period, alone)], numbers, title, caption)


def _group_cells(
    readings: Sequence[Sequence[Reading]], by: str, period: Period, alone: bool
) -> Iterator[Sequence[str]]:
    """A row for each group, a column for each indicator; with one indicator, its verdict or reason beside it."""
    cells = {(r.indicator.code, r.group): r for some in readings for r in some}
    codes = [some[0].indicator.code for some in readings if some]
    for group in dict.fromkeys(sorted((group for _, group in cells), key=units.order if by == "unit" else None)):
        row = [cells.get((code, group)) for code in codes]
        name = [units.on(group, period.last).name_vi] if by == "unit" else []
        yield group, *name, *(_number(r) if r else "" for r in row), *([_note(r) for r in row if r] if alone else [])


def _note(r: Reading) -> str:
    return str(r.reason or verdict(r))


def _number(r: Reading) -> str:
    return words.NONE if r.printed is None else f"{r.printed:,}"


def _what_was_read(readings: Sequence[Sequence[Reading]], unit: str | None, period: Period) -> str:
    first = next((r.indicator for some in readings for r in some), None)
    what = f"{first.vi} — {first.en}" if first and len(readings) == 1 else f"{len(readings)} indicators"
    where = units.on(unit, period.last).name_vi if unit else "Toàn địa bàn"
    return f"{what}\n{where}, {period.written}, as of {day_and_time(period.as_of)}"


# --- scores of index 766 ---


def scores_table(rules: RuleSet, scored: Sequence[ScoredUnit], period: Period | None = None) -> Table:
    """A row for each unit, ranked within its level, and at last the group of them all; of one alone every component.

    `period`: of which days, where they were read from events.
    """
    if len(scored) == 1:
        return _components_table(scored[0], period)
    order = sorted(scored, key=lambda u: (not u.score.components, ranked_as(u.level), u.rank or len(scored) + 1))
    rows = [Row(_unit_cells(unit, period)) for unit in order]
    if not order[-1].score.components:
        rows[-1] = Row(("", f"all {len(scored) - 1}", *rows[-1].cells[2:]), total=True)
    codes = [group.code for group in rules.groups]
    headers = ("rank", "unit", "level", *codes, "total", "")
    of = f"{sum(1 for unit in scored if unit.score.components)} units" + (f", {_of_days(period)}" if period else "")
    caption = origins_line(frozenset[str]().union(*(unit.origins for unit in scored)))
    return Table(headers, rows, {0, *range(3, 4 + len(codes))}, _what_was_scored(rules, of), caption)


def _components_table(unit: ScoredUnit, period: Period | None) -> Table:
    """A row for each component, group and the total."""
    of = f"{_unit_name(unit, period)}, {_of_days(period)}" if period else unit.unit
    headers = ("component", "", "numerator", "denominator", "share %", "points", "of", "")
    title, caption = _what_was_scored(unit.score.rules, of), origins_line(unit.origins)
    return Table(headers, list(_component_rows(unit)), range(2, 7), title, caption)


def _component_rows(unit: ScoredUnit) -> Iterator[Row | None]:
    s = unit.score
    for group in s.groups:
        for one in (one for one in s.components if one.component.group == group.group.code):
            yield Row(_component_cells(unit, one))
        points = words.points(group), str(group.maximum), words.given(group)
        yield Row((group.group.code, group.group.vi, "", "", "", *points), total=True)
        yield None
    maximum = sum((group.maximum for group in s.groups), Decimal(0))
    yield Row(("total", "Tổng điểm", "", "", "", words.number(s.total), str(maximum), words.verdict(s)), total=True)


def _component_cells(unit: ScoredUnit, one: ComponentScore) -> tuple[str, ...]:
    c, count = one.component, one.count
    counts = (words.number(count.numerator), words.number(count.denominator)) if count else (words.NONE, words.NONE)
    points = words.number(one.points), str(c.maximum), words.remark(unit, one)
    return c.metric, c.vi, *counts, percent(one) or words.NONE, *points


def _unit_cells(unit: ScoredUnit, period: Period | None) -> list[str]:
    s = unit.score
    name = _unit_name(unit, period) if period else unit.unit
    remarks = f"{words.known(s)} known" if period and s.total is None else words.remarks(s)
    return [str(unit.rank or ""), name, unit.level, *map(words.points, s.groups), words.number(s.total), remarks]


def _of_days(period: Period) -> str:
    over = "" if period.is_over else "; the period is not over"
    return f"{period.written}, as of {day_and_time(period.as_of)}{over}"


def _unit_name(unit: ScoredUnit, period: Period) -> str:
    return units.on(unit.unit, period.last).name_vi


def _what_was_scored(rules: RuleSet, of: str) -> str:
    head = f"{of}, " if of else ""
    return f"Bộ chỉ số 766 — Index 766\n{head}{rules.en} ({rules.code}, {words.validity(rules)})"
