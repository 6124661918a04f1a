"""How scores of index 766 look: as tables for people, as JSON values and rows of CSV for programs."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from schemas.text.dates import day, day_and_time
from services.cli.output import WIDE, origins_line

if TYPE_CHECKING:
    from rich.table import Table

    from schemas.index766.rules import Component, RuleSet
    from schemas.index766.scoring import ComponentScore, GroupScore, IndexScore
    from services.readings import Period
    from services.readings.index766 import UnitIndex
    from services.readings.statements import Stated

TITLE = "Bộ chỉ số 766 — Index 766"
NONE = "–"


def rule_options(command: Any) -> Any:
    """The options that say by which rules, and how to answer."""
    for option in reversed((
        click.option("--rules", "code", type=click.Choice(["portal", "decree"]), default="portal", show_default=True,
                     help="As the national portal computes, or as the decision says."),
        click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table",
                     show_default=True),
    )):  # fmt: skip
        command = option(command)
    return command


class ScoredUnit(NamedTuple):
    """A unit of a file, or the group of them all, with its score."""

    name: str
    level: str
    score: IndexScore
    rank: int | None
    reasons: Mapping[str, str] = {}
    """metric -> why the events give no count of it."""
    origins: frozenset[str] = frozenset()
    found: UnitIndex | None = None
    """As it was read from events and reports."""

    def basis(self, metric: str) -> str:
        """Whether a component is `counted`, `reported` or `missing`; "" of a file."""
        return self.found.basis(metric) if self.found else ""

    def stated(self, metric: str) -> Stated | None:
        """The statement that a reported component rests on."""
        return self.found.counts[metric].stated if self.found and metric in self.found.counts else None


def of_events(found: UnitIndex) -> ScoredUnit:
    """A unit as it was read from events and reports."""
    return ScoredUnit(found.unit, found.level, found.score, found.rank, found.reasons, found.origins, found)


# --- for programs; numbers are text, so that none of their digits is lost ---


def score_values(rules: RuleSet, scored: Sequence[ScoredUnit]) -> dict[str, Any]:
    """Rules, units and their group as JSON values."""
    units = [unit for unit in scored if unit.score.components]
    together = [unit for unit in scored if not unit.score.components]
    return {
        "rules": rules_values(rules),
        "units": [_unit_values(unit) for unit in units],
        "group": _unit_values(together[0]) if together else None,
    }


def rules_values(rules: RuleSet) -> dict[str, str | None]:
    """What a rule set is called and when it is valid, as JSON values."""
    return {
        "code": rules.code,
        "vi": rules.vi,
        "en": rules.en,
        "valid_from": rules.valid_from.isoformat(),
        "valid_to": rules.valid_to.isoformat() if rules.valid_to else None,
    }


def _unit_values(unit: ScoredUnit) -> dict[str, Any]:
    s = unit.score
    return {
        "unit": unit.name or None,
        "level": unit.level or None,
        "rank": unit.rank,
        "origins": sorted(unit.origins),
        "total": _text(s.total),
        "complete": s.total is not None,
        "missing": list(s.missing),
        "given_points": str(s.points),
        "given_maximum": str(s.scored),
        "grade": {"code": s.grade.code, "vi": s.grade.vi, "en": s.grade.en} if s.grade else None,
        "groups": [
            {"code": g.group.code, "vi": g.group.vi, "en": g.group.en, "points": str(g.points) if g.complete else None,
             "maximum": str(g.maximum), "given_points": str(g.points), "given_maximum": str(g.scored)}
            for g in s.groups
        ],
        "components": [
            {**_points_values(one), **_basis_values(unit, one)} for one in s.components
        ],
    }  # fmt: skip


def _points_values(one: ComponentScore) -> dict[str, Any]:
    return {
        "metric": one.component.metric,
        "group": one.component.group,
        "vi": one.component.vi,
        "en": one.component.en,
        "numerator": _text(one.count.numerator if one.count else None),
        "denominator": _text(one.count.denominator if one.count else None),
        "share": _percent(one),
        "points": _text(one.points),
        "maximum": str(one.component.maximum),
        "flags": list(one.flags),
    }


def _basis_values(unit: ScoredUnit, one: ComponentScore) -> dict[str, Any]:
    metric = one.component.metric
    values: dict[str, Any] = {"reason": unit.reasons.get(metric)}
    if unit.found:
        values["basis"] = unit.basis(metric)
        values["report"] = (s := unit.stated(metric)) and {
            "unit": s.unit, "from": s.first.isoformat(), "to": s.last.isoformat(), "event": s.key, "origin": s.origin,
        }  # fmt: skip
    return values


def component_values(c: Component) -> dict[str, Any]:
    """What a component counts and gives, as JSON values."""
    return {
        "metric": c.metric, "group": c.group, "maximum": str(c.maximum), "target": str(c.target), "points": c.formula,
        "without_base": str(c.without_base), "whole": c.whole, "from_province": c.from_province, "vi": c.vi, "en": c.en,
        "numerator_vi": c.numerator_vi, "numerator_en": c.numerator_en,
        "denominator_vi": c.denominator_vi, "denominator_en": c.denominator_en,
        "numerator_indicator": c.numerator_indicator or None, "denominator_indicator": c.denominator_indicator or None,
    }  # fmt: skip


def score_rows(unit: ScoredUnit) -> Iterator[dict[str, Any]]:
    """A row for each component, group and total, each with its unit and rules."""
    s = unit.score
    head = {"unit": unit.name, "level": unit.level, "origins": sorted(unit.origins),
            "rules": s.rules.code, "rules_from": s.rules.valid_from.isoformat()}  # fmt: skip
    last = {"grade": "", "rank": ""}

    def basis(metric: str = "") -> dict[str, str]:
        return {"basis": unit.basis(metric) if metric else ""} if unit.found else {}

    for one in s.components:
        yield {**head, "row": "component", **_points_values(one), **last, **basis(one.component.metric)}
    for group in s.groups:
        yield {**head, "row": "group", **_sum_row(group.group.code, group.group.vi, group.group.en), **last,
               "points": group.points if group.complete else "", "maximum": group.maximum,
               "flags": "" if group.complete else "incomplete", **basis()}  # fmt: skip
    maximum = sum((group.maximum for group in s.groups), Decimal(0))
    yield {**head, "row": "total", **_sum_row("total", "Tổng điểm", "Total"), "points": _text(s.total),
           "maximum": maximum, "flags": "" if s.grade else "incomplete",
           "grade": s.grade.code if s.grade else "", "rank": unit.rank, **basis()}  # fmt: skip


def _sum_row(code: str, vi: str, en: str) -> dict[str, Any]:
    return {"metric": code, "group": "" if code == "total" else code, "vi": vi, "en": en,
            "numerator": "", "denominator": "", "share": ""}  # fmt: skip


def _text(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"


def _percent(one: ComponentScore) -> str | None:
    from schemas.index766.scoring import half_up

    return None if one.share is None else str(half_up(one.share * 100))


# --- for people ---


def print_live(unit: ScoredUnit, period: Period) -> None:
    """A unit from its events: of which days, known when, and of what origin."""
    _print_unit(unit, f"{_unit_name(unit, period)}, {_of_days(period)}")


def _of_days(period: Period) -> str:
    from services.readings.period import TICK, midnight

    over = "" if midnight(period.last + timedelta(days=1)) <= period.as_of + TICK else "; the period is not over"
    return f"{period.written}, as of {day_and_time(period.as_of)}{over}"


def _unit_name(unit: ScoredUnit, period: Period) -> str:
    from schemas import units

    return units.on(unit.name, period.last).name_vi


def _print_unit(unit: ScoredUnit, of: str) -> None:
    """One table: a row for each component, group and the total."""
    from rich.table import Table

    s = unit.score
    table = Table("component", "", "numerator", "denominator", "share %", "points", "of", "")
    table.columns[0].no_wrap = True
    for column in table.columns[2:7]:
        column.justify = "right"
    for group in s.groups:
        for one in (one for one in s.components if one.component.group == group.group.code):
            table.add_row(*_component_cells(unit, one))
        cells = (group.group.code, group.group.vi, "", "", "", _points(group), str(group.maximum), _given(group))
        table.add_row(*cells, style="bold", end_section=True)
    maximum = sum((group.maximum for group in s.groups), Decimal(0))
    table.add_row("total", "Tổng điểm", "", "", "", _number(s.total), str(maximum), _verdict(s), style="bold")
    table.caption, table.caption_justify = origins_line(unit.origins), "left"
    _print(table, s.rules, of)
    for line in _advice([unit]):
        click.echo(line)


def print_units(rules: RuleSet, scored: Sequence[ScoredUnit], period: Period | None = None) -> None:
    """A row for each unit, ranked within its level, and at last the group of them all; of one alone every component.

    `period`: of which days, where they were read from events.
    """
    if len(scored) == 1 and period:
        print_live(scored[0], period)
        return
    if len(scored) == 1:
        _print_unit(scored[0], scored[0].name)
        return
    from rich.markup import escape
    from rich.table import Table

    from schemas.index766.scoring import ranked_as

    table = Table("rank", "unit", "level", *(group.code for group in rules.groups), "total", "")
    for column in (table.columns[0], *table.columns[3:-1]):
        column.justify = "right"
    order = sorted(scored, key=lambda u: (not u.score.components, ranked_as(u.level), u.rank or len(scored) + 1))
    for unit in order:
        name = (
            _unit_name(unit, period)
            if period
            else escape(unit.name)
            if unit.score.components
            else f"all {len(scored) - 1}"
        )
        groups = [_points(group) for group in unit.score.groups]
        s = unit.score
        remarks = f"{s.points} of {s.scored} known" if period and s.total is None else _remarks(s)
        cells = (str(unit.rank or ""), name, unit.level, *groups, _number(s.total), remarks)
        table.add_row(*cells, style=None if unit.score.components else "bold")
    of = f"{sum(1 for unit in scored if unit.score.components)} units"
    if period:
        origins = frozenset[str]().union(*(unit.origins for unit in scored))
        table.caption, table.caption_justify, of = origins_line(origins), "left", f"{of}, {_of_days(period)}"
    _print(table, rules, of)
    for line in _advice(scored) if not period else _lacking(scored):
        click.echo(line)


def component_lines(rules: RuleSet) -> Iterator[str]:
    """The components by group: points, names, and what numerator and denominator count."""
    yield f"{rules.vi} · {rules.en} ({rules.code}, {_validity(rules)}); r = numerator / denominator"
    for group in rules.groups:
        own = [c for c in rules.components.values() if c.group == group.code]
        yield f"\n{group.vi} · {group.en} ({sum(c.maximum for c in own)})"
        for c in own:
            base = f"; {c.without_base} if there are none" if c.without_base else ""
            province = "; of the province for a unit below it" if c.from_province else ""
            yield f"  {c.metric}  {c.formula}{base}{province}"
            yield f"    {c.vi} = {c.numerator_vi} / {c.denominator_vi}"
            yield f"    {c.en} = {c.numerator_en} / {c.denominator_en}"
            if c.numerator_indicator:
                yield f"    from events: {c.numerator_indicator} / {c.denominator_indicator} (`ioc query`)"


def _print(table: Table, rules: RuleSet, of: str) -> None:
    from rich.console import Console
    from rich.markup import escape

    head = f"{escape(of)}, " if of else ""
    table.title, table.title_justify = f"{TITLE}\n{head}{rules.en} ({rules.code}, {_validity(rules)})", "left"
    Console(width=None if sys.stdout.isatty() else WIDE).print(table)


def _validity(rules: RuleSet) -> str:
    return f"from {day(rules.valid_from)}" + (f" to {day(rules.valid_to)}" if rules.valid_to else "")


def _component_cells(unit: ScoredUnit, one: ComponentScore) -> tuple[str, ...]:
    c, count = one.component, one.count
    numbers = (_number(count.numerator), _number(count.denominator)) if count else (NONE, NONE)
    return c.metric, c.vi, *numbers, _percent(one) or NONE, _number(one.points), str(c.maximum), _remark(unit, one)


def _remark(unit: ScoredUnit, one: ComponentScore) -> str:
    """What has to be said of a component: its flags, and where its counts come from."""
    stated = unit.stated(one.component.metric)
    report = f"theo báo cáo · reported by {stated.unit} up to {day(stated.last)}" if stated else ""
    return "; ".join(filter(None, [_flag_words(one), report]))


def _flag_words(one: ComponentScore) -> str:
    from schemas.index766.rules import flags

    words = flags()
    return "; ".join(" · ".join(words[flag]) for flag in one.flags)


def _number(number: Decimal | None) -> str:
    return NONE if number is None else f"{number:,}"


def _points(group: GroupScore) -> str:
    return _number(group.points if group.complete else None)


def _given(group: GroupScore) -> str:
    if group.complete:
        return ""
    return f"incomplete: {group.points} of {group.scored} given" if group.scored else "nothing given"


def _verdict(s: IndexScore) -> str:
    if s.grade:
        return f"{s.grade.vi} · {s.grade.en}"
    return f"chưa đủ số liệu · incomplete: {s.points} of {s.scored} given"


def _remarks(s: IndexScore) -> str:
    """The verdict of a unit, and what has to be said of its components, in few words."""
    times = Counter(flag for one in s.components for flag in one.flags if flag not in ("missing", "from_province"))
    return "; ".join([_verdict(s), *(f"{number} {flag}" for flag, number in times.items())])


def _lacking(scored: Sequence[ScoredUnit]) -> Iterator[str]:
    """What is missing of how many units, in a line for each component."""
    times = Counter(metric for unit in scored for metric in unit.score.missing)
    yield from (f"{metric}: missing of {number} of {len(scored)} units" for metric, number in times.most_common())


def _advice(scored: Sequence[ScoredUnit]) -> Iterator[str]:
    """What is missing, and where units below the province get the province's own from."""
    lacking = [unit for unit in scored if unit.score.missing]
    for metric, reason in ((m, r) for unit in lacking for m, r in unit.reasons.items()):
        yield f"{metric}: {reason}"
    for unit in lacking:
        who = f"{unit.name}: " if unit.name else "all together: " if not unit.score.components else ""
        yield f"{who}{len(unit.score.missing)} missing: {', '.join(unit.score.missing)}"
    lent = {c.metric for unit in scored for c in unit.score.rules.components.values() if c.from_province}
    if any(lent.intersection(unit.score.missing) and unit.level != "province" for unit in lacking):
        yield f"a unit below the province has its province's own {', '.join(sorted(lent))}: --province FILE"
