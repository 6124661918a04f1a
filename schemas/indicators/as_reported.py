"""Figures that units report themselves where the centre counts them too: kept beside each other, never mixed.

The code is `reported_` and that of the figure which the centre counts from its own events.
"""

from __future__ import annotations

from collections.abc import Iterable

from schemas.indicators.formula import Statement
from schemas.indicators.indicator import Indicator

PREFIX = "reported_"
_DECIMALS = 2
"""Of a share, which offices report in more detail than it is counted."""


def as_reported(counted: Iterable[Indicator], *codes: str) -> tuple[Indicator, ...]:
    """The figures of these codes as units state them. Of shares the units' mean is taken, as published tables do."""
    found = {indicator.code: indicator for indicator in counted}
    return tuple(_stated(found[code]) for code in codes)


def _stated(counted: Indicator) -> Indicator:
    code = PREFIX + counted.code
    return Indicator(
        code,
        f"{counted.vi} (theo báo cáo)",
        f"{counted.en}, as reported",
        Statement(code, over_units="mean" if counted.unit == "%" else "sum"),
        counted.unit,
        _DECIMALS if counted.unit == "%" else counted.decimals,
        better=counted.better,
        system=counted.system,
    )
