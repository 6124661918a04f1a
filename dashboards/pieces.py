"""Pieces that several dashboards share: a figure as a question to Prometheus, how current and how real the data is."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from grafana_foundation_sdk.builders import bargauge, common, prometheus, stat
from grafana_foundation_sdk.models import common as options

from dashboards.panels import BAD, CLOCK, GOOD, PLAIN, Board, Property, ValueStyle, now
from dashboards.texts import ORIGINS, Text, shown_as
from schemas.indicators.indicator import Indicator
from schemas.indicators.metric import TARGET, periods, scale

COLOURED = Property("custom.cellOptions", {"type": "color-text"})
"""A column whose words bear the colour of their state."""
REFS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
HERE, EACH = 'unit="$unit"', 'unit!="all"'
PERIOD, OWN = 'period="$period"', 'period=~"now|month"'
"""The chosen period; a figure's own, of which none has both: levels are of now, sums of the month so far."""


def own(indicator: Indicator) -> str:
    """The period that a figure is of by itself."""
    return f'period="{periods(indicator)[0]}"'


def chosen(indicator: Indicator, name: str, *matchers: str) -> str:
    """The figure for the period chosen above the dashboard, or for its own where it is not watched for that one.

    A period for which it is watched but has no data yet, as the morning of a day, stays without.
    """
    own_period = shown_as(indicator, f"{name}{{{','.join((*matchers, own(indicator)))}}}")
    if len(periods(indicator)) == 1:
        return own_period
    chosen_period = shown_as(indicator, f"{name}{{{','.join((*matchers, PERIOD))}}}")
    # PromQL compares no texts: a label `watched` that is empty, as the figure's is, unless the choice is one of these.
    choice = 'label_replace(vector(1), "choice", "$period", "", "")'
    other = f'label_replace({choice}, "watched", "yes", "choice", "{"|".join(periods(indicator))}")'
    return f"{chosen_period} or ({own_period} and on (watched) {other})"


def aimed(indicator: Indicator) -> str:
    """The target that is in force for the chosen unit, in base units."""
    return f'{TARGET}{{indicator="{indicator.code}",{HERE}}}'


def verdict(indicator: Indicator, figure: str, reached: bool, how: str = "") -> str:
    """A figure of the chosen unit where its printed value reaches the target in force, or where it misses it; with
    `how` = `bool` 1 or 0 instead. What cannot be does neither."""
    figure, half = possible(indicator, figure), _half(indicator)
    lower = indicator.better == "lower"
    sign = {(False, True): ">=", (False, False): "<", (True, True): "<", (True, False): ">="}[lower, reached]
    aim = f"({aimed(indicator)} {'+' if lower else '-'} {half:f})"
    return f"{figure} {sign} {how and f'{how} '}on (unit) group_left () {shown_as(indicator, aim)}"


def possible(indicator: Indicator, figure: str) -> str:
    """A figure where its printed value can be."""
    if indicator.bounds is None:
        return figure
    half = _half(indicator)
    low, high = (bound * scale(indicator) + by for bound, by in zip(indicator.bounds, (-half, half), strict=True))
    return f"({figure} > {low:f} < {high:f})"


def _half(indicator: Indicator) -> Decimal:
    """Half of the last printed digit, in base units: printed values are rounded half away from zero."""
    return (Decimal("0.5").scaleb(-indicator.decimals) * scale(indicator)).normalize()


def by_verdict(
    panel: stat.Panel, indicator: Indicator, figure: str, refs: Sequence[str], *given: Property
) -> list[prometheus.Dataquery]:
    """Queries of a figure that may have a target, of which one answers: where that is reached, where it is missed, and
    where there is none or the figure cannot be. Each has its colour, whatever the target is by now, and the looks that
    are `given`."""
    whole = f"({figure})"
    without = f"{whole} unless on (unit) {aimed(indicator)}"
    without += f" or ({whole} unless {possible(indicator, whole)})" if indicator.bounds else ""
    exprs = (verdict(indicator, whole, True), verdict(indicator, whole, False), without)
    for ref, colour in zip(refs, (GOOD, BAD, PLAIN), strict=True):
        panel.override_by_query(ref, [*given, Property("color", {"mode": "fixed", "fixedColor": colour})])
    return [now(expr, ref, "{{period}}") for expr, ref in zip(exprs, refs, strict=True)]


def last(panel: stat.Panel | bargauge.Panel) -> None:
    """Show what was answered, each value of it."""
    panel.reduce_options(common.ReduceDataOptions().values(False).calcs(["last"]))


def origin(board: Board, size: tuple[int, int], which: str = "") -> None:
    """Whether figures are real, moved in time, or simulated: said in words and colour."""
    panel = stat.Panel().text_mode(options.BigValueTextMode.NAME).color_mode(options.BigValueColorMode.BACKGROUND_SOLID)
    panel.graph_mode(options.BigValueGraphMode.NONE)
    last(panel)
    board.apply_style(panel, ValueStyle("none"))
    board.name_series(panel, ORIGINS, {"real": "dark-blue", "shifted": "dark-orange", "simulated": "dark-orange"})
    title = Text("Nguồn gốc số liệu", "Origin of the data")
    what = Text(
        "Số liệu thật, số liệu thật, chuyển ngày (SHIFTED) hay số liệu mô phỏng (SIMULATED).",
        "Real data, real data moved in time (SHIFTED), or simulated data (SIMULATED).",
    )
    expr = f"max by (origin) (ioc_system_origin{which})"
    board.add("origin", panel, title, what, size, [now(expr, legend="{{origin}}")])


def last_update(board: Board, size: tuple[int, int], which: str = "") -> None:
    """The moment at which the last event was recorded."""
    panel = stat.Panel().graph_mode(options.BigValueGraphMode.NONE).color_mode(options.BigValueColorMode.NONE)
    last(panel)
    board.apply_style(panel, ValueStyle(CLOCK))
    title = Text("Cập nhật lần cuối", "Last update")
    what = Text(
        "Lúc sự kiện gần nhất được ghi nhận; số liệu không mới hơn lúc này.",
        "When the last event was recorded; no figure is newer than that.",
    )
    expr = f"max(ioc_source_last_recorded_timestamp_seconds{which}) * 1000"
    board.add("last_update", panel, title, what, size, [now(expr)])
