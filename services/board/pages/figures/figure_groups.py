"""By which question people look for a figure of a system: the groups in which its page lists them, which fold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from schemas.indicators import Indicator
from schemas.indicators.formula import Last, Statement, Stock, leaves

Group = Literal["now", "overdue", "period", "quality", "money", "stated"]
GROUPS: tuple[Group, ...] = ("now", "overdue", "period", "quality", "money", "stated")
"""In the order in which a page has them."""
_FORMS = re.compile(r"(?:ii06|ecert|nq02|index766|reported)_")
"""Figures of a form, of a resolution, of the index: who looks for one of these knows it by that name."""
_TERMS = re.compile(r"(?:^|_)(?:overdue|late|due|in_time|on_time|early|extended|repromised)(?:_|$)")
_FITS: Mapping[Group, Callable[[Indicator], bool]] = {
    "stated": lambda i: bool(_FORMS.match(i.code)) or _rests_on(i, Statement),
    "money": lambda i: i.unit in ("VND", "transaction"),
    "overdue": lambda i: bool(_TERMS.search(i.code)),
    "quality": lambda i: i.unit in ("%", "minute"),
    "now": lambda i: _rests_on(i, Stock, Last),
    "period": lambda i: True,
}
"""A figure is in the first of these that it fits."""


def grouped(indicators: Iterable[Indicator]) -> dict[Group, list[Indicator]]:
    """The figures of each group that has any: those shown first before the others, as the catalogue has them."""
    found: dict[Group, list[Indicator]] = {group: [] for group in GROUPS}
    for indicator in sorted(indicators, key=lambda i: not i.headline):
        found[next(group for group, fits in _FITS.items() if fits(indicator))].append(indicator)
    return {group: own for group, own in found.items() if own}


def is_level(indicator: Indicator) -> bool:
    """Whether it is a share, a mean, a score or a level: what stands at a moment or of all of a time, and does not add
    up."""
    return indicator.unit in ("%", "minute", "point") or _rests_on(indicator, Stock, Last)


def _rests_on(indicator: Indicator, *kinds: type) -> bool:
    return all(isinstance(leaf, kinds) for leaf in leaves(indicator.formula))
