"""What a figure is called as a metric: one gauge per indicator, in base units, with closed labels.

Labels: `unit`, the code of an administrative unit or `all` for the whole locality, and `period`, see `WINDOWS`. A figure
without a value has no sample: missing is not zero. Figures are gauges, also where they only ever count: a correction may
take back what was counted, and a counter that falls would be read as one that began anew.
"""

from __future__ import annotations

from decimal import Decimal

from schemas.indicators.formula import Last, Statement, Stock, leaves
from schemas.indicators.indicator import Indicator

ALL = "all"
"""The value of the label `unit` for the whole locality."""
TARGET = "ioc_target"
"""The gauge of all targets in force, as set or the catalogue's own: labels `indicator`, its code, and `unit`."""
WINDOWS = {
    "now": ("hiện tại", "now"),
    "today": ("hôm nay", "today"),
    "week": ("7 ngày qua", "last 7 days"),
    "week_before": ("7 ngày trước đó", "the 7 days before"),
    "month": ("từ đầu tháng", "this month so far"),
}
"""The values of the label `period`, in both languages. Weeks are 7 local days, the last one being today."""
_BASE = {"%": ("_ratio", Decimal("0.01")), "minute": ("_seconds", Decimal(60)), "VND": ("_vnd", Decimal(1))}
_ONE = ("", Decimal(1))


def metric(indicator: Indicator) -> str:
    """`overdue_share` in % -> `ioc_procedures_overdue_ratio`; counts of things have no suffix."""
    suffix = _BASE.get(indicator.unit, _ONE)[0]
    stem = indicator.code.removeprefix(f"{indicator.system}_")
    if stem.endswith("_total"):  # which is how a counter ends
        stem = stem.removesuffix("_total") + "_so_far"
    if suffix == "_ratio":
        stem = stem.removesuffix("_pct").removesuffix("_share").removesuffix("_rate")
    return f"ioc_{indicator.system}_{stem}{suffix}"


def class_metric(indicator: Indicator) -> str:
    """The gauge of the same figure by class, for the whole locality; its label is `indicator.classes`."""
    return f"{metric(indicator)}_by_{indicator.classes}"


def scale(indicator: Indicator) -> Decimal:
    """By what a reading is multiplied to be in base units: ratios, seconds, đồng, pieces."""
    return _BASE.get(indicator.unit, _ONE)[1]


def periods(indicator: Indicator) -> tuple[str, ...]:
    """The periods for which the figure is exported, its own first: `now` for levels, `month` for what a period sums."""
    level = all(
        isinstance(leaf, Last | Statement) or (isinstance(leaf, Stock) and leaf.at == "end")
        for leaf in leaves(indicator.formula)
    )
    return ("now" if level else "month", *indicator.windows)
