"""Questions as officials put them, each with the indicator, the unit and the days that it asks for."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from schemas import questions, units
from schemas.indicators import CATALOGUE
from schemas.questions.words import fold, table

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
    found = questions.read(fold(row["question"]), TODAY)
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
