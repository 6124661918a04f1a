"""The morning brief in words: within its length, with what it must say and without what it must not compare."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from psycopg import Connection

from schemas import units
from schemas.economy import Stated
from schemas.index766.rules import rule_set
from schemas.index766.scoring import CountPair
from services.readings.evaluate import ComponentCount
from services.readings.index766 import UnitIndex, score_of
from services.readings.index766_dossiers import Day, moved
from services.reports import brief, brief_data
from services.reports.brief import LONGEST, read_texts, written
from services.reports.brief_data import BriefData, Watched, obstacle_of, to_watch
from services.reports.texts import WrongTexts

DAY = date(2026, 11, 27)
RULES = rule_set("portal", DAY)
NO_DATABASE = cast(Connection, None)
OWN = Path(brief.__file__).parent / "brief.toml"


def index(unit: str = "", **counts: tuple[int, int]) -> UnitIndex:
    """The index of a unit of which these components are counted."""
    found = {m: ComponentCount(CountPair(Decimal(n), Decimal(of)), None, frozenset()) for m, (n, of) in counts.items()}
    level = units.on(unit, DAY).level if unit else ""
    return UnitIndex(unit, level, score_of(RULES, unit, found), found)


def data(**other: Any) -> BriefData:
    values: dict[str, Any] = {
        "unit": None, "as_of": datetime(2026, 11, 27, 23, 30, tzinfo=UTC), "yesterday": DAY,
        "own": index(ON_TIME=(380, 500), ONLINE_DOSSIERS=(9, 20)), "change": Decimal("-0.40"), "obstacle": None,
        "rank": None, "peers": 0, "week": [Day(DAY, Decimal("20.60"))], "weakest": [],
        "watched": {"department": [], "commune": []}, "falling": [], "empty": [], "silent": 0, "silent_since": None,
    }  # fmt: skip
    values["weakest"] = brief_data.weakest(values["own"])
    return BriefData(**values | other)


def text(language: brief.Language = "vi", **other: Any) -> str:
    texts = read_texts(None)
    bare = texts.model_copy(update={"vi": _bare(texts.vi), "en": _bare(texts.en)})
    return written(NO_DATABASE, bare, data(**other), language).text


def _bare(words: brief.Words) -> brief.Words:
    return words.model_copy(update={"figures": ()})


def test_of_what_nothing_is_known_there_are_no_points_of_none() -> None:
    said = text(own=index(), change=None, weakest=())
    assert not re.search(r"0[.,]00 ?/ ?0", said), said
    assert "21/21" in said


def test_points_shares_and_small_bases() -> None:
    said = text()
    assert said.startswith("BẢN TIN SÁNG 28/11/2026: Toàn địa bàn\n")
    assert "đến hết 27/11/2026 (chưa chốt): 20,60/26 điểm, giảm 0,40 so với hôm trước (phần tính từ hồ sơ)." in said
    assert "380/500 (76,00 %) mất 4,80" in said and "9/20 (45,00 %, ít hồ sơ) mất 0,60" in said
    assert "chưa đầy đủ" not in said and "chưa đầy đủ: ngày 26/11 chưa có dữ liệu" in text(empty=[date(2026, 11, 26)])
    assert "not compared with the day before: the rules changed" in text("en", obstacle="other_rules", change=None)


def test_what_is_too_long_names_fewer_units() -> None:
    communes = [one.code for one in units.at(DAY) if one.level in ("commune", "ward")][:40]
    many = [Watched(code, Decimal("12.34"), Decimal("-1.25"), Decimal(3)) for code in communes[:10]]
    said = text(watched={"department": [], "commune": many}, falling=communes)
    assert len(said) <= LONGEST
    named = said.rpartition("lưu ý: ")[2]
    assert f"{units.on(communes[0], DAY).name_vi} 12,34 (-1,25), ít hồ sơ" in named
    assert "và 30 đơn vị khác" in said or "đơn vị khác" in named


def test_who_fell_half_a_point_comes_before_who_has_less_than_half() -> None:
    good, weak = index("phuong_chon_thanh", ON_TIME=(95, 100)), index("phuong_minh_hung", ON_TIME=(10, 100))
    fell_from = index("phuong_chon_thanh", ON_TIME=(99, 100))
    assert moved(good, fell_from) == Decimal("-0.80")
    days = [{u.unit: u for u in (good, weak)}, {"phuong_chon_thanh": fell_from, "phuong_minh_hung": weak}]
    found = to_watch(days)
    assert [one.unit for one in found["commune"]] == ["phuong_chon_thanh", "phuong_minh_hung"]
    assert found["commune"][0].change == Decimal("-0.80") and found["commune"][0].base == 100
    assert [one.unit for one in to_watch(days[:1])["commune"]] == ["phuong_minh_hung"], "no day to compare with"
    other = index("phuong_chon_thanh", ONLINE_DOSSIERS=(1, 2))
    assert moved(good, other) is None, "nothing is known of both days"
    reported = {m: replace(c, stated=cast(Stated, "a report")) for m, c in good.counts.items()}
    assert moved(replace(good, counts=reported), fell_from) is None, "reports come and go"


def test_days_are_compared_within_a_month_and_by_one_rule_set() -> None:
    assert obstacle_of("portal", DAY, []) is None
    assert obstacle_of("portal", date(2026, 11, 1), []) == "first_day"
    assert obstacle_of("portal", DAY, [date(2026, 11, 26)]) == "unknown"
    assert obstacle_of("portal", date(2022, 6, 23), []) == "other_rules", "the day before had none"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{points}/{scored}", "{pionts}", "vi.points: no place {pionts}"),
        ("{dossiers_ended}", "{dossiers_end}", "did you mean"),
        ("{dossiers_ended}", "{dossiers_ended:change}", "known: none here"),
        ('rules = "portal"', 'rules = "own"', "rules"),
        ("{number}/{of}", "{number:03}/{of}", "vi.missing: no place {number:03}"),
        ("{number}/{of}", "{number!x}/{of}", "vi.missing: {number!x}: nothing stands behind"),
        ("{dossiers_ended}", "{dossiers_ended!x}", "{dossiers_ended!x}: nothing stands behind"),
        ("Hôm qua tiếp nhận", "{yesterday:d} tiếp nhận", "{yesterday:d}: yesterday is no figure"),
    ],
)
def test_wrong_words_are_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    own = OWN.read_text(encoding="utf-8")
    assert old in own
    file = tmp_path / "office.toml"
    file.write_text(own.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(WrongTexts) as wrong:
        read_texts(file)
    assert said in str(wrong.value) and "office.toml" in str(wrong.value)
