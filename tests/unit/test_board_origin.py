"""Where data is not real the page says so, whatever part of it rests on that data; and a figure's page names the
disagreements that are about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import cast

import pytest

from schemas.calendar import VN
from schemas.indicators import CATALOGUE
from services.board.access import Account
from services.board.live.poller import LiveState, Poller, shifted_month
from services.board.pages.figures import figure, system
from services.board.pages.figures.system_data import Choice, Content, Figures, Parts, headlines, indicators
from services.board.ui.live_page import PageContext
from services.readings import Period, Reading
from services.readings.explain import Explanation
from services.readings.finding import Finding
from services.readings.sources import Source

NOW = datetime(2026, 11, 22, 12, tzinfo=VN)
LIVE = LiveState(NOW, shifted_month="11/2024")
LOOK = PageContext(Account("an", "", "viewer"), "vi", cast(Poller, SimpleNamespace(view=LIVE)))
NOVEMBER, OCTOBER = (Period(date(2026, month, 1), date(2026, month, 22), NOW) for month in (11, 10))
CHOICE = Choice("procedures")
REAL, SIMULATED = frozenset({"real"}), frozenset({"real", "simulated"})
LABEL = '<span class="origin">'


def reading(code: str, origins: frozenset[str], group: str = "") -> Reading:
    return Reading(CATALOGUE[code], group, Decimal(7), None, origins)


def figures(period: Period, last: frozenset[str] = REAL, step: frozenset[str] = REAL) -> Figures:
    """A system's figures, of which the last, which is no headline, and the steps are of the given origins."""
    codes = [i.code for i in indicators(CHOICE.system)]
    values = [reading(code, last if code == codes[-1] else REAL) for code in codes]
    steps = tuple((reading(i.code, step, "2026-11-01"),) for i in headlines(CHOICE.system))
    return Figures(period, tuple(values), steps)


def labels(content: Content) -> list[str]:
    return [part.partition("<")[0] for part in system.render(LOOK, CHOICE, content).split(LABEL)[1:]]


def test_a_page_of_real_figures_says_nothing() -> None:
    assert labels(Content(figures(NOVEMBER), figures(OCTOBER), Parts((), ()))) == []


@pytest.mark.parametrize("part", ["statement", "step", "chosen", "class"])
def test_any_figure_of_the_period_that_is_not_real_is_told(part: str) -> None:
    now = figures(NOVEMBER, *(SIMULATED if part == each else REAL for each in ("statement", "step")))
    broken = (reading("dossiers_received", SIMULATED, "phuong_chon_thanh"),)
    parts = Parts(broken if part == "chosen" else (), (broken,) if part == "class" else ())
    assert labels(Content(now, figures(OCTOBER), parts)) == ["Số liệu mô phỏng"]


def test_of_the_compared_period_it_is_told_apart() -> None:
    then = figures(OCTOBER, frozenset({"shifted"}))
    assert labels(Content(figures(NOVEMBER, SIMULATED), then, Parts((), ()))) == [
        "Số liệu mô phỏng",
        "so với 01/10/2026 – 22/10/2026: Số liệu tháng 11/2024 (chuyển ngày)",
    ]


def test_the_month_of_shifted_data_is_that_before_it_was_moved() -> None:
    november = [source("shifted", day, 735) for day in (20, 27)]
    assert shifted_month([*november, source("real", 27, 0), source("simulated", 27, 735)]) == "11/2024"
    assert shifted_month([source("real", 27, 0)]) == ""


def source(origin: str, day: int, shiftdays: int) -> Source:
    at = datetime(2026, 11, day, 12, tzinfo=VN)
    return Source("procedures", f"/{origin}/{day}", origin, 9, 0, at, at, None, False, shiftdays=shiftdays)


# --- a figure opened ---


def opened(code: str, origins: frozenset[str], unit: str | None = None) -> Explanation:
    return Explanation(reading(code, origins), unit, NOVEMBER, "", [], [], 0, [])


@pytest.mark.parametrize("origins", [REAL, SIMULATED])
def test_a_figure_that_is_not_real_says_so(origins: frozenset[str]) -> None:
    told = figure.render(LOOK, opened("dossiers_received", origins), [])
    assert (LABEL in told) is ("Số liệu mô phỏng" in told) is (origins == SIMULATED)


@pytest.mark.parametrize(
    ("code", "unit", "told"),
    [
        ("dossiers_received", None, True),
        ("dossiers_received", "phuong_chon_thanh", True),
        ("dossiers_received", "phuong_minh_hung", False),
        ("reports_received", None, False),
    ],
)
def test_a_figure_names_the_disagreements_that_are_about_it(code: str, unit: str | None, told: bool) -> None:
    about = frozenset({"dossiers_received"})
    found = Finding("x", "không khớp", "", "phuong_chon_thanh", None, None, Decimal(3), Decimal(2), "dossier", about)
    page = figure.render(LOOK, opened(code, REAL, unit), [found])
    assert ("không khớp" in page) is told is ("Không có mâu thuẫn" not in page)


@pytest.mark.parametrize(("history", "told"), [(False, "Sự kiện làm căn cứ (1.234)"), (True, "từ trước đến")])
def test_a_figure_says_which_events_it_counts(history: bool, told: str) -> None:
    shown = replace(opened("dossiers_in_progress", REAL), events=1234, history=history)
    look = PageContext(Account("an", "", "operator"), "vi", cast(Poller, None))
    assert told in figure.render(look, shown, [])
