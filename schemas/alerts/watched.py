"""What an alert watches: its figure, over which days, and from which value on; as its expression says it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from schemas.alerts import ALERTS
from schemas.alerts.alert import Alert
from schemas.indicators import CATALOGUE, Indicator
from schemas.indicators.metric import class_metric, metric, scale


class Watched(NamedTuple):
    """The figure in its window (`schemas.indicators.metric.WINDOWS`); the alert is raised where its value is on the side
    `sign` of `threshold`, which is measured as readings are; None: of the target in force. `by`: the label of which it
    watches one class, else empty."""

    indicator: Indicator
    window: str
    sign: str
    threshold: Decimal | None
    by: str


def watched(name: str, labels: Mapping[str, str]) -> Watched | None:
    """What the alert of that name and those labels watches; None where that is no figure of the catalogue."""
    alert = next((a for a in ALERTS if a.name == name and a.labels.items() <= labels.items()), None)
    return _of(alert) if alert else None


def _of(alert: Alert) -> Watched | None:
    selected = _SELECTED.search(alert.expr)
    if selected is None or selected[1] not in _METRICS:
        return None
    indicator, by = _METRICS[selected[1]]
    if alert.aimed:
        return Watched(indicator, selected[2], "<" if indicator.better == "higher" else ">", None, by)
    compared = _COMPARED.search(alert.expr)
    assert compared, f"{alert.name} compares its figure with no number"
    return Watched(indicator, selected[2], compared[1], Decimal(compared[2]) / scale(indicator), by)


_SELECTED = re.compile(r'(ioc_\w+)\{[^}]*period="(\w+)"')
_COMPARED = re.compile(r" ([<>]=?) ([\d.]+)")
_METRICS = {metric(i): (i, "") for i in CATALOGUE.values()} | {
    class_metric(i): (i, i.classes) for i in CATALOGUE.values() if i.classes
}
