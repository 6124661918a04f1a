"""Questions as officials put them, each with the indicator, the unit and the days that it asks for."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from schemas import questions, units
from schemas.indicators import CATALOGUE
from schemas.questions.words import table
from schemas.text.letters import bare
from schemas.text.moments import NoMoment

TODAY = date(2026, 11, 29)
with (Path(__file__).parent / "data" / "questions.csv").open(encoding="utf-8") as file:
    ASKED = list(csv.DictReader(file, delimiter=";"))


def test_there_are_a_hundred_of_all_systems() -> None:
    assert len(ASKED) >= 100 and len({row["indicator"] for row in ASKED}) > 80
    assert {CATALOGUE[row["indicator"]].system for row in ASKED} == {i.system for i in CATALOGUE.values()}


@pytest.mark.parametrize("row", ASKED, ids=lambda row: row["question"])
def test_a_question_is_read_as_it_is_meant(row: dict[str, str]) -> None:
    found = questions.read(row["question"], TODAY)
    days = (found.days.first.isoformat(), found.days.last.isoformat()) if found.days else ("", "")
    read = [found.indicators[0][0].code if found.indicators else None, [unit.code for unit in found.units], *days]
    assert read == [row["indicator"], [row["unit"]] if row["unit"] else [], row["from"], row["to"]]


@pytest.mark.parametrize("row", ASKED, ids=lambda row: row["question"])
def test_without_accents_it_asks_for_the_same_days(row: dict[str, str]) -> None:
    found = questions.read(bare(row["question"]), TODAY)
    days = (found.days.first.isoformat(), found.days.last.isoformat()) if found.days else ("", "")
    assert days == (row["from"], row["to"])
    assert found.indicators[0][0].code == row["indicator"]


@pytest.mark.parametrize(
    ("question", "by"),
    [
        ("hồ sơ tiếp nhận theo từng đơn vị tháng 11/2024", "unit"),
        ("Hồ sơ quá hạn của từng xã", "unit"),
        ("lượt khám bệnh theo ngày trong tháng này", "day"),
        ("hồ sơ tiếp nhận từng tháng năm 2024", "month"),
        ("hồ sơ quá hạn theo lĩnh vực", "field"),
        ("hồ sơ quá hạn", None),
    ],
)
def test_a_breakdown_is_heard(question: str, by: str | None) -> None:
    assert questions.read(question, TODAY).by == by


@pytest.mark.parametrize(
    "day", ["2026-11-20", "20261120", "2026/11/20", "\uff12\uff10/11/2026", "20.11.2026", "20-11-2026"]
)
def test_a_day_is_read_as_every_other_door_reads_it(day: str) -> None:
    assert questions.read(f"hồ sơ quá hạn ngày {day}", TODAY).days == (date(2026, 11, 20), date(2026, 11, 20), False)
    if day != "20261120":
        asked = questions.read(f"hồ sơ quá hạn từ 1/11 đến {day}", TODAY)
        assert asked.days == (date(2026, 11, 1), date(2026, 11, 20), False)


def test_a_unit_is_found_with_a_letter_that_looks_like_its_own() -> None:
    assert [one.code for one in questions.read("hồ sơ quá hạn xã Bù \u00d0ăng", TODAY).units] == ["xa_bu_dang"]


@pytest.mark.parametrize(
    "period",
    ["ngày 20/11/24", "11/20/2026", "ngày 31/2/2026", "ngày 29/2", "tháng 13/2026", "tháng 11/24", "tháng 13",
     "quý 5/2026", "quý 0 năm 2026", "quý V/2026", "từ 20/11 đến 10/11", "tháng 11/2026 so với tháng 10/2026"],
)  # fmt: skip
def test_a_period_that_is_none_is_refused_and_never_passed_over(period: str) -> None:
    with pytest.raises(NoMoment):
        questions.read(f"hồ sơ quá hạn {period}", TODAY)
    with pytest.raises(NoMoment):
        questions.read(bare(f"hồ sơ quá hạn {period} của phường Chơn Thành"), TODAY)


@pytest.mark.parametrize("question", ["thời tiết ngày mai thế nào", "giá vàng hôm nay", "xin chào", "", "…"])
def test_what_no_figure_answers_finds_none(question: str) -> None:
    assert questions.read(question, TODAY).indicators == ()


def test_an_english_question_is_read_as_well() -> None:
    found = questions.read("how many field reports received in Chơn Thành ward last month", TODAY)
    assert found.indicators[0][0].code == "reports_received"
    assert found.days and found.days[:2] == (date(2026, 10, 1), date(2026, 10, 31))


def test_a_name_that_several_units_bear_is_told_with_all_of_them() -> None:
    found = questions.read("hồ sơ quá hạn ở Tân Hưng tháng 11/2024", TODAY).units
    assert len({unit.code for unit in found}) == len(found) >= 1
    assert all("Tân Hưng" in unit.name_vi for unit in found)


def test_the_table_of_words_names_indicators_that_exist() -> None:
    assert table()["called"].keys() <= CATALOGUE.keys()
    assert units.find("Phường Chơn Thành").code == "phuong_chon_thanh"
