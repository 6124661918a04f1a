"""Pieces that several dashboards share: a figure as a question to Prometheus, how current and how real the data is."""

from __future__ import annotations

from grafana_foundation_sdk.builders import bargauge, common, stat
from grafana_foundation_sdk.models import common as options

from dashboards.panels import CLOCK, Board, Property, ValueStyle, now
from dashboards.texts import ORIGINS, Text, shown_as
from schemas.indicators.indicator import Indicator
from schemas.indicators.metric import periods

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
