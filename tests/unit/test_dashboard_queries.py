"""The text of the dashboards' queries: what of a formula is asked, and what Grafana makes of it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from dashboards import queries, sql
from schemas import units
from schemas.calendar import VN
from schemas.indicators import CATALOGUE, Indicator
from schemas.indicators.formula import Combine, Ratio, Stock, Sum, UnitMean, leaves
from services.kit import clock

RECEIVED, ENDED = Sum("dossiers_received"), Sum("dossiers_ended", {"outcome": ("early", "on_time")})
START, END = datetime(2024, 11, 1, tzinfo=VN), datetime(2024, 11, 30, 23, 59, 59, tzinfo=VN)


def made(formula: Any, unit: str = "dossier") -> Indicator:
    return Indicator("x", "x", "x", formula, unit, system="procedures")


def selected(query: str) -> str:
    """What the query gives, without where it takes it from."""
    found = re.search(r"^SELECT (.*)$", query, re.MULTILINE)
    assert found
    return found[1]


def test_every_figure_asks_for_each_of_its_leaves_once() -> None:
    def asked(query: str) -> int:
        return len(re.findall(r'"form": "', query))

    wrong = [
        (code, made.__name__)
        for code, indicator in CATALOGUE.items()
        if sql.has_sql(indicator)
        for made in (sql.history, sql.total, sql.before, sql.ranked)
        if asked(made(indicator)) != len({repr(leaf) for leaf in leaves(indicator.formula)})
    ]
    assert wrong == []


def test_ratios_scales_and_signs_are_those_of_the_formula() -> None:
    share = made(Ratio(Combine((RECEIVED,), (ENDED,)), RECEIVED), "%")
    assert selected(sql.total(share)) == "(100 * (f1 - f2) / nullif(f1, 0) * 0.01)::float8 AS value"
    minutes = made(Ratio(RECEIVED, ENDED, 1), "minute")
    assert selected(sql.total(minutes)) == "((f1 / nullif(f2, 0)) / 60)::float8 AS value"
    assert selected(sql.total(made(RECEIVED, "VND"))) == "(f1)::float8 AS value"


def test_by_class_a_part_without_the_class_has_what_it_has_besides() -> None:
    assert "coalesce(f.f1, rest.f1) - coalesce(f.f2, rest.f2)" in sql.by_class(CATALOGUE["security_alerts_open"])
    with pytest.raises(ValueError, match="overdue_share has no classes"):
        sql.by_class(CATALOGUE["overdue_share"])


def test_levels_may_be_older_than_the_range_but_flows_not() -> None:
    assert "'level', ''" in sql.total(made(Stock("dossiers_received")))
    assert "'whole', ''" in sql.total(made(RECEIVED))
    assert "'month', 'unit'" in sql.history(made(UnitMean(RECEIVED)), "month")


def test_words_of_a_formula_are_quoted() -> None:
    assert """{"outcome": ["it''s"]}""" in sql.total(made(Sum("dossiers_ended", {"outcome": ("it's",)})))


# --- as Grafana sends it ---


def test_ranges_and_variables_are_filled_in() -> None:
    query = "SELECT $__timeFrom(), $__timeTo(), ${unit:sqlstring}, ${compare:sqlstring}"
    assert queries.fill(query, START, END, unit="o'x", compare="year") == (
        "SELECT '2024-10-31T17:00:00Z', '2024-11-30T16:59:59Z', 'o''x', 'year'"
    )
    expr = (
        'label_replace(rate(a{unit="$unit", p="${period}"}[$__rate_interval]), "b", "$1", "c", "(.*)$") + b[$__range]'
    )
    assert queries.fill(expr, START, START + timedelta(hours=1), unit="all", period="month") == (
        'label_replace(rate(a{unit="all", p="month"}[60s]), "b", "$1", "c", "(.*)$") + b[3600s]'
    )


def test_an_unknown_variable_is_an_error() -> None:
    with pytest.raises(KeyError, match="district"):
        queries.fill("x{unit='$district'}", START, END, unit="all")


def test_points_of_a_chart_are_never_closer_than_the_scrapes() -> None:
    assert queries.step(END - timedelta(hours=1), END) == timedelta(seconds=15)
    assert queries.step(END - timedelta(days=60), END) == timedelta(seconds=5184)


def test_nothing_of_a_generated_query_is_left_to_fill() -> None:
    for indicator in filter(sql.has_sql, CATALOGUE.values()):
        filled = queries.fill(sql.before(indicator), START, clock.now(), unit="all", compare="previous")
        assert "$" not in filled


BOARD: dict[str, Any] = {
    "panels": [
        {
            "type": "row",
            "title": "collapsed",
            "panels": [
                {
                    "title": "now",
                    "id": 7,
                    "datasource": {"uid": "ioc-prometheus"},
                    "targets": [{"expr": "a", "instant": True}, {"refId": "B", "expr": "b", "range": True}],
                }
            ],
        },
        {"title": "words", "type": "text"},
        {"title": "list", "id": 8, "targets": [{"rawSql": "SELECT 1", "datasource": {"uid": "ioc-timescaledb"}}]},
    ],
    "annotations": {
        "list": [
            {"name": "alarms", "datasource": {"uid": "ioc-timescaledb"}, "target": {"rawSql": "SELECT 2"}},
            {"name": "findings", "datasource": {"uid": "ioc-prometheus"}, "expr": "c"},
            {"name": "built in", "builtIn": 1},
        ]
    },
    "templating": {
        "list": [
            {"name": "unit", "type": "query", "datasource": {"uid": "ioc-timescaledb"}, "query": "SELECT 3",
             "current": {"value": "all"}},
            {"name": "compare", "type": "custom", "query": "x : y", "current": {"value": "previous"}},
        ]
    },
}  # fmt: skip


def test_all_that_a_dashboard_asks_is_found() -> None:
    prometheus, timescaledb = queries.PROMETHEUS, queries.TIMESCALEDB
    assert list(queries.panels(BOARD)) == [
        queries.Panel("now", prometheus, "a", 7, "A", instant=True),
        queries.Panel("now", prometheus, "b", 7, "B"),
        queries.Panel("list", timescaledb, "SELECT 1", 8),
    ]
    assert [(p.title, p.source, p.query) for p in queries.mark_queries(BOARD)] == [
        ("alarms", timescaledb, "SELECT 2"),
        ("findings", prometheus, "c"),
        ("unit", timescaledb, "SELECT 3"),
    ]
    assert queries.defaults(BOARD) == {"unit": "all", "compare": "previous"}


def test_a_row_is_the_unit_below_the_root() -> None:
    assert units.row_unit("chon_thanh_minh_hung", None) == "chon_thanh"
    assert units.row_unit("chon_thanh_minh_hung", "chon_thanh") == "chon_thanh_minh_hung"
    assert units.row_unit("chon_thanh", "chon_thanh") == "chon_thanh"
    assert units.row_unit("binh_phuoc", None) == "binh_phuoc"
