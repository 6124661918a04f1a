"""The board's words: each there once, in both languages, asked for and found."""

from __future__ import annotations

import ast
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from infra.local.paths import CHECKOUT
from schemas.indicators import CATALOGUE
from services import board
from services.board.pages.actions.alarm_client import DEEDS
from services.board.pages.worklist import apology, joining
from services.board.ui.charts import sparkline
from services.board.ui.labels import event_cell, source_cell
from services.board.ui.words import WORDS, axis, figure, number, read_words
from services.readings import Reading
from services.reports import drawing

FOLDER = Path(board.__file__).parent
SOURCES = [file.read_text(encoding="utf-8") for file in sorted(FOLDER.rglob("*.py"))]
NODES = [node for source in SOURCES for node in ast.walk(ast.parse(source))]
TEXTS = {node.value for node in NODES if isinstance(node, ast.Constant) and isinstance(node.value, str)}
SAID = {word for text in TEXTS for word in [text, *text.split()]}
STEMS = tuple(text for text in TEXTS if re.fullmatch(r"[a-z_]+_", text))
"""What stands before the part of a key that is filled in."""


def test_no_key_stands_on_two_pages() -> None:
    assert [key for key, times in Counter(key for key, _ in read_words()).items() if times > 1] == []


def test_both_languages_say_it_with_the_same_places_to_fill_in() -> None:
    assert [key for key, (vi, en) in WORDS.items() if vi.count("{}") != en.count("{}")] == []
    assert [key for key, (vi, en) in WORDS.items() if bool(vi) != bool(en)] == []


def test_every_word_that_is_asked_for_is_there() -> None:
    asked = set(re.findall(r"\bword\([\"']([\w.]+)[\"']", "\n".join(SOURCES)))
    assert len(asked) > 100
    assert asked - WORDS.keys() == set()


def test_every_word_is_asked_for() -> None:
    assert [key for key in WORDS if key not in SAID and not key.startswith(STEMS)] == []


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("115450000", "115,5 triệu đ"),
        ("115449999", "115,4 triệu đ"),
        ("2345000000", "2,35 tỷ đ"),
        ("2500000.5", "2,5 triệu đ"),
        ("999", "999 đ"),
    ],
)
def test_money_is_shortened_as_clerks_round(value: str, shown: str) -> None:
    reading = Reading(CATALOGUE["payments_online_tax_amount"], "", Decimal(value), None, frozenset())
    assert figure(reading, "vi") == shown


def test_every_number_is_rounded_as_clerks_round() -> None:
    halves = ("0.5", "1.5", "2.5", "-0.5", "1234.5")
    assert [number(Decimal(half), 0, "en") for half in halves] == ["1", "2", "3", "-1", "1,235"]


@pytest.mark.parametrize(
    ("code", "minutes", "vi", "en"),
    [
        ("processing_time_mean", "1303.3", "2,7 ngày làm việc", "2.7 working days"),
        ("processing_time_mean", "480", "1 ngày làm việc", "1 working days"),
        ("processing_time_median", "90", "1,5 giờ làm việc", "1.5 working h"),
        ("processing_time_median", "12.4", "12,4 phút làm việc", "12.4 working min"),
        ("report_time_mean", "14641", "244 giờ", "244 h"),
        ("outage_time", "59", "59 phút", "59 min"),
        ("outage_time", "0", "0 phút", "0 min"),
    ],
)
def test_durations_are_shown_in_the_unit_that_people_use(code: str, minutes: str, vi: str, en: str) -> None:
    reading = Reading(CATALOGUE[code], "", Decimal(minutes), None, frozenset())
    assert (figure(reading, "vi"), figure(reading, "en")) == (vi, en)


@pytest.mark.parametrize(
    ("code", "largest", "size", "vi"),
    [
        ("payments_online_tax_amount", "12000000000", "1000000000", "tỷ đ"),
        ("dossiers_received", "25000", "1000", "nghìn"),
        ("dossiers_received", "9999", "1", ""),
        ("processing_time_mean", "1303", "480", "ngày làm việc"),
        ("report_time_mean", "14641", "60", "giờ"),
        ("overdue_share", "12", "1", "%"),
    ],
)
def test_an_axis_says_what_its_numbers_count(code: str, largest: str, size: str, vi: str) -> None:
    assert axis(CATALOGUE[code], [None, Decimal(1), Decimal(largest)], "vi") == (Decimal(size), vi)


@pytest.mark.parametrize(
    ("source", "vi"),
    [
        ("/simulator/social/forum", "Mô phỏng: diễn đàn"),
        ("/scenario/november-2024/health", "Số liệu công bố: tháng 11/2024"),
        ("/payments/dong_xoai", "Hệ thống thanh toán: Thành phố Đồng Xoài"),
        ("/deadlines", "Theo dõi thời hạn"),
        ("/schools-of-town", "/schools-of-town"),
    ],
)
def test_a_source_is_called_by_name_where_it_has_one(source: str, vi: str) -> None:
    cell = source_cell(source, "vi")
    assert re.sub("<.*?>", "", cell) == vi and cell.count(source) == 1


def test_an_event_is_called_by_name() -> None:
    assert re.sub("<.*?>", "", event_cell("vn.ioc.dossier.submitted.v1", "vi")) == "Hồ sơ: mới nộp"


def test_every_deed_that_the_audit_keeps_has_words() -> None:
    sources = [*SOURCES, (CHECKOUT / "services" / "centre" / "erase.py").read_text()]
    noted = re.compile(r"""audit\.note\(\s*\w+, \S+, "([a-z_.]+)\"""")
    deeds = {deed for source in sources for deed in noted.findall(source)}
    deeds |= {f"alarm.{deed}" for deed in DEEDS} | {"quarantine.resubmit", "quarantine.discard"}
    deeds |= {apology.DEED, joining.DEED}
    assert len(deeds) > 25 and {deed for deed in deeds if f"deed_{deed}" not in WORDS} == set()


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ((0, 0, 0), ["0", "1"]),
        ((0, 1), ["0", "1"]),
        ((2, 3), ["0", "1", "2", "3"]),
        (("99.2", "98.6"), ["0", "20", "40", "60", "80", "100"]),
        ((444, 12), ["0", "100", "200", "300", "400", "500"]),
        (("-12.5", 30), ["-20", "-10", "0", "10", "20", "30"]),
    ],
)
def test_an_axis_begins_and_ends_with_a_round_value_that_is_written(
    values: tuple[int | str, ...], written: list[str]
) -> None:
    drawn = drawing.bars([drawing.Step("x", Decimal(value), None, "") for value in values], "title")
    assert drawn is not None
    assert [text.text for text in drawn.iter("text") if text.get("text-anchor") == "end"] == written


def test_a_course_needs_more_than_a_few_values() -> None:
    assert sparkline([Decimal(n) for n in range(3)]) == "" and "<svg" in sparkline([Decimal(n) for n in range(4)])
