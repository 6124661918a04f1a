"""Names stand in the order of the Vietnamese alphabet."""

from __future__ import annotations

from itertools import pairwise

import pytest

from schemas.text.collation import key

ORDER = [
    "1 tháng 5",
    "An Lộc",
    "Ăn Hòa",
    "Ân Phú",
    "Bình Long",
    "Bình Phước",
    "Bù Đăng",
    "Dầu Giây",
    "Đa Kia",
    "Đăk Nhau",
    "Đồng Phú",
    "Đồng Xoài",
    "Em",
    "Êm",
    "Khu phố 2",
    "Khu phố 2A",
    "Khu phố 10",
    "la hét",
    "là gì",
    "lả",
    "lã",
    "lá",
    "lạ",
    "Ơn",
    "Phường Tân Khai",
    "Phường Trảng Bom",
    "Tân Khai",
    "Tân Phú",
    "Thiện Hưng",
    "Xã Đồng Tâm",
    "Xã Long Hà",
    "Zen",
]


def test_names_stand_in_their_order() -> None:
    assert sorted(set(ORDER), key=key) == ORDER
    assert all(key(before) < key(after) for before, after in pairwise(ORDER))


@pytest.mark.parametrize(("one", "other"), [("Đồng", "\u0110o\u0302\u0300ng"), ("tân", "ta\u0302n"), ("Đa", "\u00d0a")])
def test_composed_and_loose_accents_are_one(one: str, other: str) -> None:
    assert key(one)[0] == key(other)[0]


def test_case_decides_last() -> None:
    assert sorted(["đồng phú", "Đồng Phú", "Đồng Nai"], key=key) == ["Đồng Nai", "Đồng Phú", "đồng phú"]
