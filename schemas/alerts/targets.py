"""Figures that miss their target: a rule for each indicator that has one, for the locality and for its units."""

from __future__ import annotations

from schemas.alerts.alert import UNITS, WHOLE, Alert, aim, missed
from schemas.indicators import CATALOGUE, Indicator
from schemas.indicators.formula import UnitMean
from schemas.indicators.metric import scale

OWN = {"overdue_share"}
"""Figures whose target has alerts of its own."""
WITH_TARGET = tuple(i for i in CATALOGUE.values() if i.target is not None and i.better and i.code not in OWN)


def _value(indicator: Indicator) -> str:
    return "<percent>" if scale(indicator) != 1 else "<count>"


def _whole(indicator: Indicator) -> Alert:
    (aim_vi, aim_en), value = aim(indicator), _value(indicator)
    return Alert(
        "IndicatorBelowTarget",
        indicator.system,
        "warning",
        missed(indicator, WHOLE),
        f"<unit>: {indicator.vi} là {value}, chưa đạt chỉ tiêu {aim_vi}",
        f"<unit>: {indicator.en} is {value}, short of the target of {aim_en}",
        "Xem bảng xếp hạng đơn vị, đôn đốc các đơn vị thấp nhất và yêu cầu báo cáo nguyên nhân trong ngày.",
        "Open the ranking of units, press the lowest ones and have them give their reasons within the day.",
        hold="1h",
        keep="1h",
        by_unit=True,
        labels={"indicator": indicator.code},
    )


def _each(indicator: Indicator) -> Alert:
    (aim_vi, aim_en), value = aim(indicator), _value(indicator)
    return Alert(
        "UnitBelowTarget",
        indicator.system,
        "info",
        missed(indicator, UNITS),
        f"<unit>: {indicator.vi} là {value}, chưa đạt chỉ tiêu {aim_vi}",
        f"<unit>: {indicator.en} is {value}, short of the target of {aim_en}",
        "Đơn vị rà soát nguyên nhân và đăng ký thời điểm đạt chỉ tiêu với Văn phòng UBND.",
        "The unit looks into the reasons and tells the People's Committee's office when it will reach the target.",
        hold="6h",
        keep="6h",
        by_unit=True,
        labels={"indicator": indicator.code},
    )


ALERTS = (
    *(_whole(indicator) for indicator in WITH_TARGET),
    # A mean of units says nothing more of one unit.
    *(_each(indicator) for indicator in WITH_TARGET if not isinstance(indicator.formula, UnitMean)),
)
