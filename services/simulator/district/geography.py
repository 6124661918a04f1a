"""Where the district lies: the wards and communes that the former town of Chơn Thành and its neighbours became."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import NamedTuple

from schemas import units


class Ward(NamedTuple):
    """A unit, its share of all that happens (parts of 100), and the middle of its map in degrees."""

    unit: str
    share: int
    latitude: float
    longitude: float
    number: int

    @property
    def name(self) -> str:
        """As a Vietnamese reader knows it."""
        return units.get(self.unit).name_vi


_TABLE = (
    ("phuong_chon_thanh", 24, 11.429, 106.656),
    ("phuong_minh_hung", 16, 11.497, 106.612),
    ("xa_nha_bich", 9, 11.492, 106.752),
    ("xa_tan_quan", 7, 11.552, 106.701),
    ("phuong_binh_long", 13, 11.650, 106.603),
    ("phuong_an_loc", 11, 11.668, 106.631),
    ("xa_tan_khai", 8, 11.545, 106.613),
    ("xa_tan_hung", 7, 11.612, 106.736),
    ("xa_minh_duc", 5, 11.700, 106.520),
)
WARDS = tuple(Ward(*row, number) for number, row in enumerate(_TABLE, start=1))
FIRST_DAY = max(day for ward in WARDS if (day := units.get(ward.unit).valid_from))
"""The first day on which all of them exist: before it there was another tree."""


@cache
def wards(day: date) -> tuple[Ward, ...]:
    """Those that exist on a local day."""
    return tuple(ward for ward in WARDS if units.valid_at(ward.unit, day))
