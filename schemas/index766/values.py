"""Scores of index 766 as JSON values and rows of CSV; numbers are text, so that none of their digits is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from schemas.index766.rules import Component, RuleSet
from schemas.index766.scoring import ComponentScore, half_up
from schemas.index766.unit_scores import ScoredUnit


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
        "unit": unit.unit or None,
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
        "share": percent(one),
        "points": _text(one.points),
        "maximum": str(one.component.maximum),
        "flags": list(one.flags),
    }


def _basis_values(unit: ScoredUnit, one: ComponentScore) -> dict[str, Any]:
    metric = one.component.metric
    values: dict[str, Any] = {"reason": unit.reasons.get(metric)}
    if unit.from_events:
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
    head = {"unit": unit.unit, "level": unit.level, "origins": sorted(unit.origins),
            "rules": s.rules.code, "rules_from": s.rules.valid_from.isoformat()}  # fmt: skip
    last = {"grade": "", "rank": ""}

    def basis(metric: str = "") -> dict[str, str]:
        return {"basis": unit.basis(metric) if metric else ""} if unit.from_events else {}

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


def percent(one: ComponentScore) -> str | None:
    """The share of a component in percent, rounded half up to two decimals."""
    return None if one.share is None else str(half_up(one.share * 100))
