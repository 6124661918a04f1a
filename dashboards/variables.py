"""What a reader may choose above a dashboard: unit, period of the figures of now, what a range is compared with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model

from dashboards.panels import TIMESCALEDB, Board
from dashboards.sql import in_order
from dashboards.texts import COMPARE, WHOLE, Text, Words
from schemas.indicators.indicator import Indicator
from schemas.indicators.metric import ALL, WINDOWS, periods

Variable: TypeAlias = build.QueryVariable | build.CustomVariable


def unit(board: Board) -> Variable:
    """The administrative units that the centre knows, and all of them together."""
    whole = board.say(WHOLE)
    query = (
        f"SELECT __text, __value FROM (SELECT '{whole}' AS __text, '{ALL}' AS __value, 0 AS place UNION ALL "
        f"SELECT name_{board.language}, code, 1 FROM unit) u ORDER BY place, {in_order('__text')}, __value"
    )
    return (
        build.QueryVariable("unit")
        .label(board.say(Text("Đơn vị", "Unit")))
        .datasource(TIMESCALEDB)
        .query(query)
        .refresh(model.VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(model.VariableSort.DISABLED)
        .current(model.VariableOption(selected=True, text=whole, value=ALL))
        .allow_custom_value(False)
    )


def period(board: Board, indicators: Iterable[Indicator]) -> list[Variable]:
    """The windows for which some of these figures are watched besides their own; none where there are none."""
    watched = {window for i in indicators if len(periods(i)) > 1 for window in periods(i)}
    if not watched:
        return []
    words = {window: Text(*said) for window, said in WINDOWS.items() if window in watched}
    label = Text("Kỳ của số liệu hiện nay", "Period of figures now")
    return [_choice(board, "period", label, words, "month" if "month" in words else next(iter(words)))]


def compare(board: Board) -> Variable:
    """What the dashboard's time range is compared with."""
    return _choice(board, "compare", Text("So với", "Compared with"), COMPARE, "previous")


def _choice(board: Board, name: str, label: Text, words: Words, chosen: str) -> Variable:
    options = [model.VariableOption(selected=v == chosen, text=board.say(said), value=v) for v, said in words.items()]
    return (
        build.CustomVariable(name)
        .label(board.say(label))
        .values(", ".join(f"{board.say(said)} : {value}" for value, said in words.items()))
        .options(options)
        .current(next(option for option in options if option.selected))
        .allow_custom_value(False)
    )
