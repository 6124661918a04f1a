"""How scores of index 766 look to people: tables, and what has to be said below them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from schemas.index766 import words
from schemas.index766.scoring import ranked_as
from schemas.index766.values import percent
from schemas.text.dates import day_and_time
from schemas.text.origins import origins_line
from services.cli.output import print_table

if TYPE_CHECKING:
    from schemas.index766.rules import RuleSet
    from schemas.index766.scoring import ComponentScore
    from schemas.index766.unit_scores import ScoredUnit
    from services.readings import Period


def print_units(rules: RuleSet, scored: Sequence[ScoredUnit], period: Period | None = None) -> None:
    """A row for each unit, ranked within its level, and at last the group of them all; of one alone every component.

    `period`: of which days, where they were read from events.
    """
    if len(scored) == 1:
        _print_unit(scored[0], period)
        return
    order = sorted(scored, key=lambda u: (not u.score.components, ranked_as(u.level), u.rank or len(scored) + 1))
    rows = [_unit_cells(unit, period) for unit in order]
    if not order[-1].score.components:
        rows[-1] = _bold("", f"all {len(scored) - 1}", *rows[-1][2:])
    codes = [group.code for group in rules.groups]
    headers = ("rank", "unit", "level", *codes, "total", "")
    of = f"{sum(1 for unit in scored if unit.score.components)} units" + (f", {_of_days(period)}" if period else "")
    caption = origins_line(frozenset[str]().union(*(unit.origins for unit in scored)))
    print_table(headers, rows, {0, *range(3, 4 + len(codes))}, _title(rules, of), caption, framed=True)
    for line in words.lacking_lines(scored) if period else words.advice_lines(scored):
        click.echo(line)


def _print_unit(unit: ScoredUnit, period: Period | None) -> None:
    """One table: a row for each component, group and the total."""
    of = f"{_unit_name(unit, period)}, {_of_days(period)}" if period else unit.unit
    headers = ("component", "", "numerator", "denominator", "share %", "points", "of", "")
    title, caption = _title(unit.score.rules, of), origins_line(unit.origins)
    print_table(headers, _component_rows(unit), range(2, 7), title, caption, framed=True)
    for line in words.advice_lines([unit]):
        click.echo(line)


def _component_rows(unit: ScoredUnit) -> Iterator[Sequence[str] | None]:
    s = unit.score
    for group in s.groups:
        for one in (one for one in s.components if one.component.group == group.group.code):
            yield _component_cells(unit, one)
        points = words.points(group), str(group.maximum), words.given(group)
        yield _bold(group.group.code, group.group.vi, "", "", "", *points)
        yield None
    maximum = sum((group.maximum for group in s.groups), Decimal(0))
    yield _bold("total", "Tổng điểm", "", "", "", words.number(s.total), str(maximum), words.verdict(s))


def _bold(*cells: str) -> list[str]:
    return [cell and f"[bold]{cell}[/]" for cell in cells]


def _unit_cells(unit: ScoredUnit, period: Period | None) -> list[str]:
    from rich.markup import escape

    s = unit.score
    name = _unit_name(unit, period) if period else escape(unit.unit)
    remarks = f"{s.points} of {s.scored} known" if period and s.total is None else words.remarks(s)
    return [str(unit.rank or ""), name, unit.level, *map(words.points, s.groups), words.number(s.total), remarks]


def _of_days(period: Period) -> str:
    over = "" if period.is_over else "; the period is not over"
    return f"{period.written}, as of {day_and_time(period.as_of)}{over}"


def _unit_name(unit: ScoredUnit, period: Period) -> str:
    from schemas import units

    return units.on(unit.unit, period.last).name_vi


def _title(rules: RuleSet, of: str) -> str:
    from rich.markup import escape

    head = f"{escape(of)}, " if of else ""
    return f"Bộ chỉ số 766 — Index 766\n{head}{rules.en} ({rules.code}, {words.validity(rules)})"


def _component_cells(unit: ScoredUnit, one: ComponentScore) -> tuple[str, ...]:
    c, count = one.component, one.count
    counts = (words.number(count.numerator), words.number(count.denominator)) if count else (words.NONE, words.NONE)
    points = words.number(one.points), str(c.maximum), words.remark(unit, one)
    return c.metric, c.vi, *counts, percent(one) or words.NONE, *points
