"""Figures that miss their target: a rule for each indicator that may have one, for the locality and for its units. What
has to be reached is the metric of targets in force: as set, else the catalogue's own; without one the rule is silent."""

from __future__ import annotations

from typing import Literal

from schemas.alerts.alert import UNITS, WHOLE, Alert, missed
from schemas.indicators import CATALOGUE, Indicator
from schemas.indicators.formula import UnitMean

OWN = {"overdue_share"}
"""Figures whose target has alerts of its own."""
AIMED = tuple(indicator for indicator in CATALOGUE.values() if indicator.settable and indicator.code not in OWN)
_VALUES = {"%": "<percent>", "minute": "<for>"}


def _rule(
    indicator: Indicator, name: str, severity: Literal["warning", "info"], which: str, do: tuple[str, str], hold: str
) -> Alert:
    value = _VALUES.get(indicator.unit, "<decimal>" if indicator.decimals else "<count>")
    return Alert(
        name,
        indicator.system,
        severity,
        missed(indicator, which),
        f"<unit>: {indicator.vi} là {value}, chưa đạt chỉ tiêu <target>",
        f"<unit>: {indicator.en} is {value}, short of the target of <target>",
        *do,
        hold=hold,
        keep=hold,
        by_unit=True,
        labels={"indicator": indicator.code},
        aimed=indicator.code,
    )


_WHOLE = (
    "Xem bảng xếp hạng đơn vị, đôn đốc các đơn vị thấp nhất và yêu cầu báo cáo nguyên nhân trong ngày.",
    "Open the ranking of units, press the lowest ones and have them give their reasons within the day.",
)
_EACH = (
    "Đơn vị rà soát nguyên nhân và đăng ký thời điểm đạt chỉ tiêu với Văn phòng UBND.",
    "The unit looks into the reasons and tells the People's Committee's office when it will reach the target.",
)
ALERTS = (
    *(_rule(indicator, "IndicatorBelowTarget", "warning", WHOLE, _WHOLE, "1h") for indicator in AIMED),
    # A mean of units says nothing more of one unit.
    *(
        _rule(indicator, "UnitBelowTarget", "info", UNITS, _EACH, "6h")
        for indicator in AIMED
        if not isinstance(indicator.formula, UnitMean)
    ),
)
