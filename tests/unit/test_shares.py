"""A share of more than all, or of less than nothing: no target is told to be reached by it."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from dashboards.pieces import possible
from schemas.indicators import CATALOGUE
from schemas.indicators.metric import scale
from services.board.ui.words import state_of
from services.readings.lines import verdict
from services.readings.read import Reading

SHARES = [c for c, i in CATALOGUE.items() if i.unit == "%" and not i.beyond and not c.endswith("_target")]


def reading(code: str, value: str, target: str = "") -> Reading:
    return Reading(CATALOGUE[code], "", Decimal(value), None, frozenset(), set_target=Decimal(target or 80))


@pytest.mark.parametrize("code", SHARES)
@pytest.mark.parametrize("value", ["101", "250", "-1"])
def test_an_impossible_share_reaches_no_target_and_is_to_be_looked_at(code: str, value: str) -> None:
    one = reading(code, value)
    assert (one.met, verdict(one), state_of(one)) == (None, "", "watch")


@pytest.mark.parametrize("code", SHARES)
def test_a_share_of_all_and_of_nothing_is_judged(code: str) -> None:
    reached = {reading(code, "0").met, reading(code, "100").met}
    assert reached == {True, False}


def test_what_may_be_more_than_a_hundred_per_cent_is_judged_as_it_is() -> None:
    assert {c for c, i in CATALOGUE.items() if i.beyond} == {
        "production_value_of_plan", "budget_revenue_of_plan", "public_investment_of_plan", "industrial_index",
        "grdp_growth", "bed_occupancy",
    }  # fmt: skip
    assert reading("budget_revenue_of_plan", "104.2", "100").met is True
    assert reading("bed_occupancy", "112", "90").met is False
    assert state_of(reading("bed_occupancy", "112", "90")) == "bad"


@pytest.mark.parametrize("code", SHARES)
def test_grafana_calls_possible_what_the_board_does(code: str) -> None:
    indicator = CATALOGUE[code]
    low, high = map(Decimal, re.fullmatch(r"\(x > (\S+) < (\S+)\)", possible(indicator, "x")).groups())  # type: ignore[union-attr]
    for value in map(Decimal, ("-250", "-1", "-0.001", "0", "50", "100", "100.004", "101", "250")):
        printed = reading(code, str(value)).printed
        assert printed is not None and (low < value * scale(indicator) < high) == indicator.is_possible(printed), value


def test_what_is_printed_as_a_hundred_per_cent_is_possible() -> None:
    assert reading("online_service_share", "100.004").met is True
