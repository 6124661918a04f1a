"""Units: the published 33 are found under every spelling, and a series can be followed across 1 July 2025."""

import csv
import unicodedata
from datetime import date, timedelta
from pathlib import Path

import pytest

from schemas import units

LAST_OLD_DAY, FIRST_NEW_DAY = date(2025, 6, 30), date(2025, 7, 1)
ALL = {unit.code: unit for day in (LAST_OLD_DAY, FIRST_NEW_DAY) for unit in units.at(day)}
PUBLISHED = list(
    csv.DictReader(Path(__file__).with_name("data").joinpath("units_2024.csv").read_text(encoding="utf-8").splitlines())
)
HEADER = "code,level,name_vi,name_en,parent,valid_from,valid_to,successors,spellings"


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row["unit_code"])
def test_a_published_unit_is_found_under_every_spelling(row: dict[str, str]) -> None:
    unit = units.get(row["unit_code"])
    assert (unit.name_vi, unit.level, unit.parent) == (row["unit_name_vi"], row["unit_level"], "binh_phuoc")
    for spelling in row["spellings_in_seed"].split(";"):
        assert units.find(spelling) is unit
        assert units.find(spelling.upper()) is unit
        assert units.find(unicodedata.normalize("NFD", spelling)) is unit


def test_there_are_11_districts_22_departments_and_111_old_wards() -> None:
    old = [unit.level for unit in units.at(LAST_OLD_DAY)]
    assert (old.count("district"), old.count("department"), len(PUBLISHED)) == (11, 22, 33)
    assert sum(len(units.children(unit.code)) for unit in units.children("binh_phuoc")) == 111


def test_chon_thanh_had_five_wards_and_four_communes() -> None:
    names = {unit.name_vi for unit in units.children("chon_thanh")}
    wards = {"Phường Hưng Long", "Phường Minh Hưng", "Phường Minh Long", "Phường Minh Thành", "Phường Thành Tâm"}
    assert names == wards | {"Xã Minh Lập", "Xã Minh Thắng", "Xã Nha Bích", "Xã Quang Minh"}


def test_the_merge_replaces_one_tree_by_the_other_overnight() -> None:
    old, new = ({unit.code for unit in units.at(day)} for day in (LAST_OLD_DAY, FIRST_NEW_DAY))
    assert not old & new
    assert "dong_nai" in new and {"binh_phuoc", "dong_nai_before_2025", "chon_thanh", "so_tttt"} <= old
    assert {ALL[code].level for code in new} == {"province", "ward", "commune"}
    assert len(new) == 1 + 95
    assert units.valid_at("chon_thanh", LAST_OLD_DAY) and not units.valid_at("chon_thanh", FIRST_NEW_DAY)
    assert units.valid_at("phuong_chon_thanh", FIRST_NEW_DAY) and not units.valid_at("phuong_chon_thanh", LAST_OLD_DAY)


@pytest.mark.parametrize(
    ("ward", "merged"),
    [
        ("phuong_chon_thanh", {"chon_thanh_hung_long", "chon_thanh_thanh_tam", "chon_thanh_minh_thanh"}),
        ("phuong_minh_hung", {"chon_thanh_minh_hung", "chon_thanh_minh_long"}),
        ("xa_nha_bich", {"chon_thanh_minh_lap", "chon_thanh_minh_thang", "chon_thanh_nha_bich"}),
        ("xa_tan_quan", {"chon_thanh_quang_minh", "hon_quan_tan_loi", "hon_quan_phuoc_an", "hon_quan_tan_quan"}),
    ],
)
def test_the_scope_of_a_new_ward_is_itself_and_the_wards_it_was_made_of(ward: str, merged: set[str]) -> None:
    assert units.scope(ward) == merged | {ward}
    assert units.subtree(ward) == {ward}


def test_a_district_that_was_split_is_in_no_wards_scope_but_in_the_provinces() -> None:
    wards = units.get("chon_thanh").successors
    assert set(wards) == {"phuong_chon_thanh", "phuong_minh_hung", "xa_nha_bich", "xa_tan_quan"}
    assert not any("chon_thanh" in units.scope(ward) for ward in wards)
    assert "chon_thanh" in units.scope("dong_nai")


def test_the_new_provinces_scope_holds_both_old_provinces_with_all_their_units() -> None:
    assert units.subtree("binh_phuoc") | {"dong_nai_before_2025"} < units.scope("dong_nai")
    assert "binh_phuoc" not in units.subtree("dong_nai")
    assert {unit.code for unit in units.predecessors("dong_nai")} == {"binh_phuoc", "dong_nai_before_2025"}
    assert units.scope("binh_phuoc") == units.subtree("binh_phuoc")


def test_a_scope_reaches_back_over_several_merges(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        "m1,district,1,1,,,,m2,",
        "m1_part,ward,1,1,m1,,,,",
        "m2,district,2,2,,,,m3,",
        "split,district,4,4,,,,m3;m2,",
        "m3,district,3,3,,,,,",
    ]
    index = units.build_index(units.read_units([HEADER, *rows]))
    monkeypatch.setattr(units, "_index", lambda: index)
    assert units.scope("m3") == {"m3", "m2", "m1", "m1_part"}


def test_ancestors_are_named_from_the_nearest() -> None:
    assert [unit.code for unit in units.ancestors("chon_thanh_minh_hung")] == ["chon_thanh", "binh_phuoc"]
    assert [unit.code for unit in units.ancestors("phuong_minh_hung")] == ["dong_nai"]
    assert units.ancestors("dong_nai") == ()


def test_subtrees_and_ancestors_agree() -> None:
    for code in ALL:
        assert {below for below in ALL if code in {unit.code for unit in units.ancestors(below)}} == units.subtree(
            code
        ) - {code}


def test_every_unit_exists_within_its_parent_and_hands_over_the_next_day() -> None:
    for unit in ALL.values():
        parent = units.get(unit.parent) if unit.parent else unit
        assert (parent.valid_from, parent.valid_to) == (unit.valid_from, unit.valid_to)
        for successor in unit.successors:
            assert unit.valid_to and units.get(successor).valid_from == unit.valid_to + timedelta(days=1)


def test_what_became_of_a_district_is_what_became_of_its_wards() -> None:
    for district in (unit for unit in ALL.values() if unit.level == "district"):
        after = {successor for ward in units.children(district.code) for successor in ward.successors}
        assert set(district.successors) == after


def test_every_new_ward_was_something_before() -> None:
    before = {ward.code: units.predecessors(ward.code) for ward in units.children("dong_nai")}
    assert sum(not old for old in before.values()) == 55  # those of the former Đồng Nai, which are not listed
    assert all(one.level in ("ward", "commune", "township", "district") for old in before.values() for one in old)


@pytest.mark.parametrize(
    ("text", "day", "code"),
    [
        ("chon_thanh", None, "chon_thanh"),
        ("  Huyện  Chơn Thành ", None, "chon_thanh"),
        ("thi xa chon thanh", None, "chon_thanh"),
        ("Xã Bù \u00d0ăng", None, "xa_bu_dang"),
        ("\uff30\uff28\u01af\u1edc\uff2e\uff27 Chơn\u00a0Thành", None, "phuong_chon_thanh"),
        ("UBND TX Chon Thanh", None, "chon_thanh"),
        ("Chon Thanh Ward", None, "phuong_chon_thanh"),
        ("Đồng Nai", None, "dong_nai"),
        ("dong nai", LAST_OLD_DAY, "dong_nai_before_2025"),
        ("Phường Minh Hưng", None, "phuong_minh_hung"),
        ("Phường Minh Hưng", LAST_OLD_DAY, "chon_thanh_minh_hung"),
        ("Xã Minh Hưng", None, "bu_dang_minh_hung"),
        ("Xã Lộc Thạnh", None, "xa_loc_thanh_25280"),
        ("Xã Lộc Thành", LAST_OLD_DAY, "loc_ninh_loc_thanh_25294"),
    ],
)
def test_find(text: str, day: date | None, code: str) -> None:
    assert units.find(text, day).code == code


def test_a_name_of_several_units_is_refused_with_their_codes() -> None:
    with pytest.raises(units.AmbiguousUnit, match=r"xa_loc_thanh_25280 .*xa_loc_thanh_25294 .*give the code"):
        units.find("xa loc thanh")
    with pytest.raises(units.AmbiguousUnit, match="hon_quan_tan_loi"):
        units.find("Xã Tân Lợi", LAST_OLD_DAY)


@pytest.mark.parametrize("lookup", [units.get, units.find, units.children, units.subtree, units.scope, units.ancestors])
def test_an_unknown_unit_names_the_nearest_codes(lookup: object) -> None:
    assert callable(lookup)
    with pytest.raises(units.UnknownUnit) as refused:
        lookup("chon_than")
    assert "no unit 'chon_than'; nearest: chon_thanh (Thị xã Chơn Thành)" in str(refused.value)
    assert isinstance(refused.value, KeyError)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (["a,district,A,A,,,,,", "a,district,A,A,,,,,"], "'a' is given twice"),
        (["a,district,A,A,b,,,,"], "'a' names 'b'"),
        (["a,district,A,A,,,,b,"], "'a' names 'b'"),
        (["a,district,A,A,b,,,,", "b,district,B,B,a,,,,"], "own ancestor"),
        (["a,district,A,A,,,,b,", "b,district,B,B,,,,c,", "c,district,C,C,,,,b,"], "'b' is its own"),
        (["a,district,A,A,,2025-07-01,2025-06-30,,"], "ends before it begins"),
        (["a,planet,A,A,,,,,"], "row 2 .a.: level 'planet' is none of province"),
        (["a,district,A,A,,,,,", "a.b,district,A,A,,,,,"], "row 3 .a.b.: a code is made of"),
        (["a,district,A,A,,7/2025,,,"], "row 2 .a.: '7/2025' is a month"),
        (["a,district"], "row 2 .a.: "),
    ],
)
def test_a_broken_table_is_refused_with_the_reason(rows: list[str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        units.build_index(units.read_units([HEADER, *rows]))


BEFORE, AFTER = date(2026, 4, 29), date(2026, 4, 30)


def test_dong_nai_has_95_units_before_and_after_ten_communes_became_wards() -> None:
    for day, communes, wards in (
        (FIRST_NEW_DAY, 72, 23),
        (BEFORE, 72, 23),
        (AFTER, 62, 33),
        (date(2026, 11, 28), 62, 33),
    ):
        levels = [unit.level for unit in units.at(day) if unit.parent == "dong_nai"]
        assert (len(levels), levels.count("commune"), levels.count("ward")) == (95, communes, wards)


@pytest.mark.parametrize("name", [
    "Dầu Giây", "Đồng Phú", "Long Thành", "Lộc Ninh", "Nhơn Trạch", "Tân Khai", "Tân Phú", "Trảng Bom", "Trị An",
    "Xuân Lộc",
])  # fmt: skip
def test_a_unit_that_was_raised_is_the_same_under_either_name(name: str) -> None:
    unit = units.find(f"Phường {name}")
    forms = (f"Xã {name}", f"xa {name}", f"P. {name}", f"X. {name}", name, f"UBND phường {name}",
             f"Xã {name}, tỉnh Đồng Nai", f"Phường {name}, thành phố Đồng Nai", f"{name}, Đồng Nai",
             unicodedata.normalize("NFD", f"Phường {name}"))  # fmt: skip
    for text in forms:
        assert units.find(text) is unit, text
        assert units.find(text, AFTER) is unit, text
    assert (unit.on(BEFORE).name_vi, unit.on(BEFORE).level) == (f"Xã {name}", "commune")
    assert (unit.on(AFTER).name_vi, unit.on(AFTER).level) == (f"Phường {name}", "ward")
    assert unit.valid_from == FIRST_NEW_DAY
    assert units.scope(unit.code) == units.scope(unit.on(BEFORE).code)


def test_the_province_became_a_city() -> None:
    assert [units.on("dong_nai", day).name_vi for day in (BEFORE, AFTER)] == ["Tỉnh Đồng Nai", "Thành phố Đồng Nai"]
    for text in ("Đồng Nai", "Tỉnh Đồng Nai", "Thành phố Đồng Nai", "TP. Đồng Nai", "tp dong nai", "Dong Nai City"):
        assert units.find(text, AFTER).code == "dong_nai", text
    assert units.find("Tỉnh Đồng Nai", LAST_OLD_DAY).code == "dong_nai_before_2025"


@pytest.mark.parametrize("text", ["Phường Tân Lợi", "Lộc Ninh, tỉnh Bình Dương", "Xã", "Phường Lộc Ninh, Bình Phước"])
def test_a_name_of_another_level_or_place_is_none(text: str) -> None:
    with pytest.raises(units.UnknownUnit):
        units.find(text)


def built(*rows: str) -> units.Index:
    return units.build_index(units.read_units([HEADER, *rows], "own.csv"), units._index().units)


def test_a_table_of_ones_own_renames_ends_and_adds_below() -> None:
    index = built(
        "xa_nha_bich,ward,Phường Nha Bích,Nha Bich Ward,,2027-01-01,,,",
        "xa_tan_tien,commune,Xã Tân Tiến,Tan Tien Commune,,,2026-12-31,xa_loc_ninh,Tân Tiến cũ",
        "kp_2,quarter,Khu phố 2,Quarter 2,xa_nha_bich,2025-07-01,,,",
        "ap_1,hamlet,Ấp 1,Hamlet 1,xa_nha_bich,2025-07-01,,,",
        "xa_nha_bich,ward,Phường Nha Bích Mới,New Nha Bich Ward,,2028-01-01,,,",
    )
    unit = index.units["xa_nha_bich"]
    names = [unit.on(date(year, 6, 1)).name_vi for year in (2026, 2027, 2028)]
    assert names == ["Xã Nha Bích", "Phường Nha Bích", "Phường Nha Bích Mới"]
    assert [below.code for below in index.children["xa_nha_bich"]] == ["kp_2", "ap_1"]
    ended = index.units["xa_tan_tien"]
    assert (ended.valid_from, ended.valid_to, ended.successors) == (FIRST_NEW_DAY, date(2026, 12, 31), ("xa_loc_ninh",))
    assert ended in index.predecessors["xa_loc_ninh"]
    assert index.spelled["tân tiến cũ"] == (ended,)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (["xa_loc_ninh,ward,P,P,,2020-01-01,,,"], r"own.csv, row 2 \(xa_loc_ninh\): .*given twice; column valid_from"),
        (["xa_loc_ninh,ward,P,P,binh_phuoc,,,,"], r"row 2 .*column parent"),
        (["chon_thanh,district,A,A,,2026-01-01,,,"], r"row 2 .*column valid_from: 'chon_thanh' ended on 2025-06-30"),
        (["a,ward,A,A,nowhere,,,,"], r"row 2 .*'nowhere'.*column parent"),
        (["a,ward,A,A,,,,nowhere,"], r"row 2 .*'nowhere'.*column successors"),
        (["a,ward,A,A,,32/1/2026,,,"], r"row 2 .*no day 32.*column valid_from"),
        (["a,ward,,A,,,,,"], r"row 2 .*columns name_vi"),
        (["xa_loc_ninh,ward,P,P,,,2026-12-31,,", "xa_loc_ninh,ward,P,P,,,2026-12-30,,"], r"row 3 .*given twice"),
    ],
)
def test_a_wrong_row_of_ones_own_is_named_with_its_column(rows: list[str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        built(*rows)
