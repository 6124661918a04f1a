"""The page of a system: its charts beside the compared period, what figures are broken down by, and what a screen
without login sees of both."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal, cast, get_args, get_origin
from xml.etree import ElementTree

import pytest

from schemas import units
from schemas.indicators import CATALOGUE
from schemas.indicators.label_texts import CLASSES, EVERYWHERE, OTHERS, label_text, labels, title
from schemas.registry import MEASURE_SYSTEM, MEASURES, SYSTEMS
from services.board.access import PUBLIC, Account
from services.board.live.poller import Poller
from services.board.live.wall_figures import FIGURES
from services.board.pages.figures.figure_groups import grouped, is_level
from services.board.pages.figures.system import render
from services.board.pages.figures.system_charts import moment
from services.board.pages.figures.system_data import (
    Choice,
    Content,
    Figures,
    Parts,
    dimensions,
    headlines,
    indicators,
    ranked,
)
from services.board.ui.charts import Step, bars
from services.board.ui.live_page import PageContext
from services.board.ui.periods import PeriodChoice, period_of
from services.board.ui.redaction import shown_to
from services.board.ui.words import name_of
from services.readings import Reading
from services.readings.reasons import Reason

WARD = "phuong_chon_thanh"
NOON = datetime(2026, 11, 22, 5, tzinfo=UTC)


# --- charts ---


def drawn(*pairs: tuple[int | None, int | None]) -> ElementTree.Element:
    """A chart of (now, then) for each step."""
    known = [[None if v is None else Decimal(v) for v in pair] for pair in pairs]
    steps = [Step(str(i), now, then, f"step {i}") for i, (now, then) in enumerate(known)]
    return ElementTree.fromstring(bars(steps, "a figure", "vi"))


def heights(chart: ElementTree.Element, kind: str) -> list[float | None]:
    """The height of each step's bar of a kind; None where there is none."""
    found = [step.find(f"rect[@class='{kind}']") for step in chart.iter("g")]
    return [None if bar is None else float(bar.get("height", "")) for bar in found]


def test_both_periods_are_drawn_on_one_scale_and_told_at_each_step() -> None:
    chart = drawn((10, 40), (20, 20), (40, 10))
    now, then = heights(chart, "now"), heights(chart, "then")
    assert now == then[::-1]
    assert now[2] == pytest.approx(4 * (now[0] or 0), abs=0.3)
    assert [step.findtext("title") for step in chart.iter("g")] == ["step 0", "step 1", "step 2"]


def test_the_bar_lies_within_the_box_of_the_same_step() -> None:
    (step,) = drawn((10, 40)).iter("g")
    then, now = ((float(r.get("x", "")), float(r.get("width", ""))) for r in step.iter("rect"))
    assert then[0] < now[0] and now[0] + now[1] < then[0] + then[1]


def test_what_is_missing_has_no_bar_and_a_zero_has_one() -> None:
    chart = drawn((None, 5), (5, None), (None, None), (0, 0))
    assert [h is None for h in heights(chart, "now")] == [True, False, True, False]
    assert [h is None for h in heights(chart, "then")] == [False, True, True, False]
    assert [step.findtext("text") for step in chart.iter("g")] == ["·", None, "·", None]


def test_shares_and_levels_are_points_on_a_line_with_gaps_and_counts_are_bars() -> None:
    values = [(Decimal(90), Decimal(80)), (None, Decimal(85)), (Decimal(95), None), (Decimal(96), None)]
    steps = [Step(str(i), now, then, f"step {i}") for i, (now, then) in enumerate(values)]
    chart = ElementTree.fromstring(bars(steps, "a share", "vi", joined=True))
    runs = [(line.get("class"), len((line.get("points") or "").split())) for line in chart.iter("polyline")]
    assert runs == [("line then", 2), ("line now", 2)]
    assert [step.find("circle") is not None for step in chart.iter("g")] == [True, False, True, True]
    assert [step.findtext("title") for step in chart.iter("g")] == [f"step {i}" for i in range(4)]
    assert not heights(chart, "now")[0] and not list(drawn((1, 2)).iter("polyline"))
    levels = {i.code for i in CATALOGUE.values() if is_level(i)}
    assert levels >= {"overdue_share", "dossiers_open_overdue", "map_features", "pupils"}
    assert not levels & {"dossiers_received", "budget_revenue", "visits"}


def test_a_compared_value_that_stands_alone_on_a_line_is_seen() -> None:
    steps = [Step("1", Decimal(9), Decimal(8), ""), Step("2", Decimal(7), None, ""), Step("3", None, Decimal(5), "")]
    chart = ElementTree.fromstring(bars(steps, "a level", "vi", joined=True))
    assert [ring.get("class") for ring in chart.findall("circle")] == ["then", "then"]


def test_negative_values_hang_from_zero() -> None:
    up, down = drawn((8, -8), (-8, 8)).iter("g")
    ends = {}
    for name, step in (("up", up), ("down", down)):
        for bar in step.iter("rect"):
            top, height = float(bar.get("y", "")), float(bar.get("height", ""))
            ends[name, bar.get("class")] = (top, top + height)
    assert math.isclose(ends["up", "now"][1], ends["up", "then"][0], abs_tol=0.2), "both begin at zero"
    assert ends["up", "now"] == ends["down", "then"] and ends["up", "then"] == ends["down", "now"]


def test_without_any_value_there_is_no_chart_whatever_the_target() -> None:
    assert bars([Step("1", None, None, "")] * 3, "a figure", "vi", Decimal(95)) == ""
    assert bars([], "a figure", "vi") == ""
    assert heights(drawn((None, 7), (None, 9)), "now") == [None, None], "the compared period alone is shown"


@pytest.mark.parametrize(
    ("group", "told"),
    [("2026-11-05T07", "05/11/2026 07:00"), ("2026-11-05", "05/11/2026"), ("2026-11", "11/2026")],
)
def test_steps_are_told_as_written_in_viet_nam(group: str, told: str) -> None:
    assert moment(group) == told


# --- what a figure is broken down by ---


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("dossiers_received", ("channel", "field", "level", "portal")),
        ("overdue_share", ("channel", "field", "level", "portal")),
        ("on_time_share", ("channel", "field", "level", "portal", "outcome", "result")),
        ("reports_received", ("category", "channel", "priority")),
        ("antivirus_coverage", ()),
        ("poverty_rate", ()),
    ],
)
def test_a_figure_is_broken_down_by_what_all_its_measures_have(code: str, found: tuple[str, ...]) -> None:
    assert labels(CATALOGUE[code].formula) == found
    assert dimensions(CATALOGUE[code]) == ("unit", *found)


def test_figures_stand_under_the_question_that_they_answer() -> None:
    where = {one.code: group for system in SYSTEMS for group, own in grouped(indicators(system)).items() for one in own}
    assert where.keys() == CATALOGUE.keys()
    for group, codes in {
        "now": ("dossiers_in_progress", "outbreaks_open", "pupils", "map_features"),
        "overdue": ("dossiers_open_overdue", "on_time_share", "reports_unrouted_late", "dossiers_due_today"),
        "period": ("dossiers_received", "visits", "mentions"),
        "quality": ("satisfaction_share", "processing_time_median", "antivirus_coverage"),
        "money": ("payments_amount", "payments_count", "school_fees_amount"),
        "stated": ("ii06_03", "index766_points", "nq02_petitions", "production_value", "reported_hotline_received"),
    }.items():
        assert {where[code] for code in codes} == {group}, group


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_page_is_broken_down_by_the_figure_that_a_leader_acts_on(system: str) -> None:
    on_the_wall = [i for i in FIGURES[system] if i.headline]
    assert Choice(system).broken_down()[0] == on_the_wall[0]
    assert len({i.code for i in headlines(system)}) == sum(i.headline for i in indicators(system))


def test_the_table_falls_back_to_what_there_is() -> None:
    heads = headlines("procedures")
    assert Choice("procedures").broken_down() == (heads[0], "unit")
    assert Choice("procedures", ranked="nothing", by="nothing").broken_down() == (heads[0], "unit")
    assert Choice("procedures", ranked="visits").broken_down() == (heads[0], "unit"), "a figure of another system"
    kept = Choice("procedures", ranked="payments_amount", by="field")
    assert kept.broken_down() == (CATALOGUE["payments_amount"], "unit"), "payments know no field"
    assert Choice("procedures", ranked="on_time_share", by="field").broken_down() == (
        CATALOGUE["on_time_share"],
        "field",
    )
    assert kept.path(unit=WARD) == f"/system/procedures?unit={WARD}&ranked=payments_amount&by=field"
    of_week = replace(kept, period=PeriodChoice("week"), against="year", by="")
    assert of_week.path() == "/system/procedures?against=year&ranked=payments_amount&span=week"
    assert of_week.figure("visits") == "/figure/visits?span=week"


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_dimension_and_its_values_have_words(system: str) -> None:
    for by in {by for i in headlines(system) for by in dimensions(i)}:
        assert title(by, system).vi.startswith("theo ") and title(by, system).en.startswith("by ")
    known = {label for m in MEASURES.values() if MEASURE_SYSTEM[m.name] == system for label in m.labels}
    events = SYSTEMS[system][0].EVENTS
    fields = [(name, field.annotation) for event in events for name, field in event.model_fields.items()]
    values = {
        (name, value)
        for name, kind in fields
        if name in known and get_origin(kind) is Literal
        for value in get_args(kind)
    }
    words = {(label, v) for table in (CLASSES, OTHERS) for label, texts in table.items() for v in texts}
    assert [each for each in values if each not in words and each[1] not in EVERYWHERE] == []


def test_values_are_told_in_words() -> None:
    assert label_text("field", "land", "vi") == "đất đai"
    assert label_text("channel", "hotline_1022", "vi") == "tổng đài 1022"
    assert label_text("result", "none", "en") == "not stated"
    assert label_text("topic", "moi_truong", "vi") == "môi trường"
    assert label_text("topic", "ngap_nuoc", "vi") == "ngap nuoc"


# --- a screen without login ---


def reading(code: str, value: int | None, group: str = "") -> Reading:
    return Reading(CATALOGUE[code], group, None if value is None else Decimal(value), None, frozenset())


def figures(days: list[int]) -> Figures:
    period = period_of("week", date(2026, 11, 22), NOON)
    steps = tuple(reading("disease_cases", value, f"2026-11-{day:02}") for day, value in enumerate(days, 16))
    return Figures(period, (reading("disease_cases", sum(days)), reading("visits", 3)), (steps,))


def test_a_screen_without_login_sees_no_exact_count_of_the_compared_period_either() -> None:
    page = Content(figures([0, 9, 3, 30]), figures([40, 2, 8, 0]), Parts((reading("disease_cases", 2, WARD),), ()))
    for whole in (True, False):
        shown = shown_to(PUBLIC, page, whole)
        assert [[r.value for r in half.steps[0]] for half in (shown.now, shown.then)] == [
            [None, 5, None, 30],
            [40, None, 5, None],
        ]
        assert [r.value for r in shown.now.values] == [40, 3], "visits tell of nobody's illness"
        assert shown.parts.chosen[0].value is None


def test_a_break_down_is_in_the_order_of_what_it_shows_and_names_no_class_with_few() -> None:
    parts = tuple(reading("disease_cases", n, group) for group, n in (("a", 6), ("b", 9), ("c", 1), ("d", 12)))
    empty = figures([])
    page = Content(Figures(empty.period, (), ()), Figures(empty.period, (), ()), Parts(parts, (parts[2:3],)))

    def listed(account: Account, by: str) -> list[str]:
        choice = Choice("health", ranked="disease_cases", by=by)
        text = render(PageContext(account, "en", cast(Poller, None)), choice, shown_to(account, page, True))
        return re.findall('<th scope="row">([a-d])<', text) + re.findall(r"Nothing here", text)

    assert listed(PUBLIC, "disease") == ["d", "a", "b", "Nothing here"]
    assert listed(Account("an", "", "viewer"), "disease") == ["d", "b", "a", "c", "c"]
    units = (reading("disease_cases", 3, WARD), reading("disease_cases", 6, "phuong_minh_hung"))
    assert [r.group for r in ranked(shown_to(PUBLIC, units, True))] == ["phuong_minh_hung", WARD]


def test_figures_without_anything_to_draw_stand_in_one_line() -> None:
    one = figures([0, 9, 3, 30])
    empty = tuple(reading("visits", None, f"2026-11-{day}") for day in range(16, 20))
    now, then = (replace(one, steps=(*one.steps, empty, empty)) for _ in range(2))
    account = Account("an", "", "viewer")
    content = Content(now, then, Parts((reading("disease_cases", 2, WARD),), ()))
    text = render(PageContext(account, "vi", cast(Poller, None)), Choice("health"), content)
    name = name_of(CATALOGUE["visits"], "vi")
    assert text.count("<figcaption") == 1 and f"Không có dữ liệu: {name}, {name}<" in text


def test_why_the_compared_period_lacks_figures_is_said_once() -> None:
    content = Content(figures([7]), figures([5]), Parts((reading("disease_cases", 2, WARD),), ()))
    page = PageContext(Account("an", "", "viewer"), "vi", cast(Poller, None))
    assert "không có số liệu" not in render(page, Choice("health"), content).replace("Không có dữ liệu", "")
    none = [replace(r, value=None, reason=Reason("before", "02/11/2026")) for r in content.then.values]
    lacking = replace(content, then=replace(content.then, values=tuple(none)))
    text = render(page, Choice("health"), lacking)
    said = f"Kỳ so sánh ({content.then.period.written}) không có số liệu của 2 chỉ số: {none[0].reason.vi}."
    assert text.count(said) == 1
    assert text.count(f'title="{none[0].reason.vi}">–') == 2


@pytest.mark.parametrize(("zeros", "folded"), [(5, False), (6, True)])
def test_many_units_with_nothing_are_folded_but_not_where_more_is_better(zeros: int, folded: bool) -> None:
    wards = [unit.code for unit in units.at(date(2026, 11, 22)) if unit.level == "commune"][: zeros + 1]
    assert len(wards) == zeros + 1
    page = PageContext(Account("an", "", "viewer"), "vi", cast(Poller, None))

    def parts(code: str) -> str:
        shown = tuple(reading(code, 0 if place else 3, ward) for place, ward in enumerate(wards))
        empty = replace(figures([]), values=(), steps=())
        choice = Choice(MEASURE_OF[code], ranked=code, by="unit")
        return render(page, choice, Content(empty, empty, Parts(shown, ())))

    many = parts("disease_cases")
    assert (f"Bằng 0 ({zeros})" in many) == folded and many.count('<th scope="row"') == zeros + 1
    assert "Bằng 0" not in parts("attendance_share")


MEASURE_OF = {"disease_cases": "health", "attendance_share": "education"}
