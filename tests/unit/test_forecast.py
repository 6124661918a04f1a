"""The month's end of index 766: what earlier months still gained, how wrong that was, and when nothing is forecast."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from schemas.calendar import VN
from schemas.index766.rules import rule_set
from schemas.index766.scoring import CountPair
from services.readings import forecast as module
from services.readings import lines, values
from services.readings.evaluate import ComponentCount
from services.readings.forecast import forecast
from services.readings.index766 import UnitIndex, score_of
from services.readings.period import Period

NOW = datetime(2026, 11, 20, 12, tzinfo=VN)
RULES = rule_set("portal", date(2026, 11, 30))
Shares = Mapping[tuple[int, bool], int | None]
"""(month, whether at its end) -> dossiers in time of 100; None: not known."""


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets the forecast see such months, and tells at which moments it looked."""
    seen: list[datetime] = []

    def of(shares: Shares) -> list[datetime]:
        def unit_index(conn: object, rules: str, unit: str | None, period: Period) -> UnitIndex:
            seen.append(period.as_of)
            at_end = period.as_of > module.midnight(period.last)
            good = shares.get((period.first.month, at_end))
            count = None if good is None else CountPair(Decimal(good), Decimal(100))
            counts = {"ON_TIME": ComponentCount(count, None, frozenset())}
            return UnitIndex("", "", score_of(RULES, "", counts), counts)

        monkeypatch.setattr(module, "unit_index", unit_index)
        monkeypatch.setattr(module, "memoised", lambda conn: conn)
        return seen

    return of


def test_expected_is_the_median_of_what_earlier_months_still_gained(read: Any) -> None:
    seen = read({
        (11, False): 80, (10, False): 80, (10, True): 90, (9, False): 70, (9, True): 75, (8, False): 60, (8, True): 80,
    })  # fmt: skip
    found = forecast(None, "portal", None, NOW)  # type: ignore[arg-type]
    assert (found.now, found.maximum) == (Decimal("16.00"), 20)
    assert (found.low, found.expected, found.high) == (Decimal("17.00"), Decimal("18.00"), Decimal("20.00"))
    assert [(m.month.month, m.so_far, m.final, m.forecast, m.error) for m in found.past] == [
        (8, Decimal("12.00"), Decimal("16.00"), None, None),
        (9, Decimal("14.00"), Decimal("15.00"), Decimal("18.00"), Decimal("-3.00")),
        (10, Decimal("16.00"), Decimal("18.00"), Decimal("18.50"), Decimal("-0.50")),
    ]
    assert datetime(2026, 10, 21, 12, tzinfo=VN) in seen, "as far before the month's end as now"


def test_without_earlier_months_nothing_is_forecast_and_with_few_no_range(read: Any) -> None:
    read({(11, False): 80, (10, False): 80, (9, True): 80})
    none = forecast(None, "portal", None, NOW)  # type: ignore[arg-type]
    assert (none.expected, none.low, none.high, none.past) == (None, None, None, ())
    read({(11, False): 80, (10, False): 80, (10, True): 70})
    one = forecast(None, "portal", None, NOW)  # type: ignore[arg-type]
    assert (one.expected, one.low, one.high) == (Decimal("14.00"), None, None)


def test_it_stays_within_what_can_be_had(read: Any) -> None:
    read({(11, False): 95, **{(m, end): 90 if end else 50 for m in (8, 9, 10) for end in (False, True)}})
    found = forecast(None, "portal", None, NOW)  # type: ignore[arg-type]
    assert found.expected == 20
    risen = {(m, end): 90 if end else 50 for m in (8, 9, 11) for end in (False, True)}
    read({**risen, (10, False): 80, (10, True): 90})
    past = forecast(None, "portal", None, NOW).past  # type: ignore[arg-type]
    assert [(m.forecast, m.error) for m in past[1:]] == [(18, 0), (20, -2)], "so did what would have been forecast then"


def test_no_month_under_other_rules_is_learned_from(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    read({(m, end): 80 for m in (9, 10, 11) for end in (False, True)})
    monkeypatch.setattr(module, "rule_set", lambda code, day: (RULES, day.month >= 10)[day.month < 10])
    assert [m.month.month for m in forecast(None, "portal", None, NOW).past] == [10]  # type: ignore[arg-type]


def test_who_reads_a_forecast_is_told_how_it_came_about(read: Any) -> None:
    read({(m, end): 90 if end else 50 for m in (8, 9, 10, 11) for end in (False, True)})
    found = forecast(None, "portal", None, NOW)  # type: ignore[arg-type]
    assert f"method: {module.METHOD}" in lines.forecast_lines(found)
    assert values.forecast_values(found)["method"] == module.METHOD
