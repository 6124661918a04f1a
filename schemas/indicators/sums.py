"""By which labels the series of a unit are kept summed together: those that the formulas of the catalogue ask for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from schemas.indicators import CATALOGUE
from schemas.indicators.formula import Distinct, Statement, leaves
from schemas.registry import MEASURES


def summed_labels() -> Mapping[str, tuple[str, ...]]:
    """measure -> the labels by which some figure chooses or breaks it down, in their order; of a measure that has no
    further labels nothing, since its series are the sums."""
    asked = defaultdict[str, set[str]](set)
    for indicator in CATALOGUE.values():
        for leaf in leaves(indicator.formula):
            if not isinstance(leaf, Statement):
                asked[leaf.measure] |= {*leaf.where, indicator.classes}
                asked[leaf.measure] |= {leaf.label} if isinstance(leaf, Distinct) else set()
    found = {name: tuple(label for label in MEASURES[name].labels if label in asked[name]) for name in sorted(asked)}
    return {name: labels for name, labels in found.items() if labels != MEASURES[name].labels}
