"""Index 766 in the catalogue: what events cannot count, as it is reported, and the points that all of it gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from schemas.index766.rules import Component, RuleSet, rule_sets
from schemas.indicators.formula import Formula, Score, Statement
from schemas.indicators.indicator import Indicator

REPORTED = {
    "PUBLISH_ON_TIME": "decision",
    "PUBLIC_UPDATE_ON_TIME": "procedure",
    "PUBLIC_CONTENT_FULL": "procedure",
    "SO_HOA_GIAY_TO_GIAI_QUYET": "dossier",
    "CITIZEN_DATA_CONNECTED_FORMALITY": "procedure",
    "ELECTRONIC_CERTIFIED_COPY": "unit",
    "PETITION_PROCESSING_ON_TIME": "petition",
    "PETITION_HANDLING_SATISFACTION": "petition",
}
"""The components that no event counts -> what they count. Both counts come in one `indicator.reported`: the statistic is
the numerator's code, `value` the numerator, `total` the denominator."""
POINTS = "index766_points"
"""The total by the rules of the national portal."""


def reported() -> Iterator[Indicator]:
    """Numerator and denominator of each component that is reported."""
    components = rule_sets()[0].components
    for metric, unit in REPORTED.items():
        c = components[metric]
        yield _as_reported(c, c.numerator_indicator, (c.numerator_vi, c.numerator_en), "value", unit)
        yield _as_reported(c, c.denominator_indicator, (c.denominator_vi, c.denominator_en), "total", unit)


def _as_reported(
    component: Component, code: str, names: tuple[str, str], part: Literal["value", "total"], unit: str
) -> Indicator:
    vi, en = names
    of = Statement(component.numerator_indicator, part)
    decimals = 0 if component.whole else 2
    return Indicator(code, f"{component.vi}: {vi}", f"{component.en}: {en}", of, unit, decimals)


def scores(catalogue: Iterable[Indicator]) -> Iterator[Indicator]:
    """The total and the groups by each rule set; groups that do not differ from the first rule set's are left out."""
    formulas = {indicator.code: indicator.formula for indicator in catalogue}
    first, *others = {rules.code: rules for rules in rule_sets()}.values()
    yield from _scores(first, formulas, "", first.components)
    for rules in others:
        differing = {m: c for m, c in rules.components.items() if c != first.components[m]}
        yield from _scores(rules, formulas, f"_{rules.code}", differing)


def _scores(
    rules: RuleSet, formulas: Mapping[str, Formula], end: str, components: Mapping[str, Component]
) -> Iterator[Indicator]:
    by = (
        ("", "")
        if not end
        else (f" ({rules.vi[:1].lower()}{rules.vi[1:]})", f" ({rules.en[:1].lower()}{rules.en[1:]})")
    )

    def score(code: str, vi: str, en: str, group: str) -> Indicator:
        counts = {
            m: (formulas[c.numerator_indicator], formulas[c.denominator_indicator])
            for m, c in rules.components.items()
            if group in ("", c.group)
        }
        of = Score(rules.code, counts)
        return Indicator(
            f"{code}{end}", f"Chỉ số 766: {vi}{by[0]}", f"Index 766: {en}{by[1]}", of, "point", 2, better="higher"
        )

    yield score(POINTS, "tổng điểm", "total", "")
    for group in rules.groups:
        if any(c.group == group.code for c in components.values()):
            yield score(f"index766_{group.code}", f"{group.vi[:1].lower()}{group.vi[1:]}", group.en.lower(), group.code)
