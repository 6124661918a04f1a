"""Where the district lies: the wards and communes that the former town of Chơn Thành and its neighbours became."""

from __future__ import annotations

from collections.abc import Iterator
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


Corner = tuple[float, float]
"""Degrees of longitude and latitude."""
BEYOND = 0.055
"""So far, in degrees, the outlines reach beyond the outermost middles."""
SCHEMATIC = "Sơ đồ, không phải địa giới hành chính"


def outlines() -> dict[str, object]:
    """A GeoJSON of schematic outlines: to each unit the ground that is nearest to its middle. They are no boundaries,
    which stands below them."""
    (left, bottom), (right, _), *_ = FRAME
    below = [(x, bottom - y) for x, y in ((left, 0.012), (right, 0.012), (right, 0.0119), (left, 0.0119))]
    features = [_feature(_outline(ward), name=ward.name, unit=ward.unit) for ward in WARDS]
    return {"type": "FeatureCollection", "features": [*features, _feature(below, name=SCHEMATIC)]}


def _frame() -> list[Corner]:
    """An octagon around all."""
    west, east = min(w.longitude for w in WARDS) - BEYOND, max(w.longitude for w in WARDS) + BEYOND
    south, north = min(w.latitude for w in WARDS) - BEYOND, max(w.latitude for w in WARDS) + BEYOND
    cut = (east - west) / 6
    return [
        (west + cut, south), (east - cut, south), (east, south + cut), (east, north - cut),
        (east - cut, north), (west + cut, north), (west, north - cut), (west, south + cut),
    ]  # fmt: skip


FRAME = _frame()


def _outline(ward: Ward) -> list[Corner]:
    corners = FRAME
    for other in WARDS:
        if other is not ward:
            corners = list(_nearer(corners, ward, other))
    return corners


def _feature(corners: list[Corner], **properties: str) -> dict[str, object]:
    ring = [[round(x, 5), round(y, 5)] for x, y in (*corners, corners[0])]
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def _nearer(corners: list[Corner], ward: Ward, other: Ward) -> Iterator[Corner]:
    """The part of a convex area that is nearer to the middle of `ward` than to that of `other`."""
    x, y = other.longitude - ward.longitude, other.latitude - ward.latitude
    half = (other.longitude**2 + other.latitude**2 - ward.longitude**2 - ward.latitude**2) / 2
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        a, b = x * ax + y * ay - half, x * bx + y * by - half
        if a <= 0:
            yield ax, ay
        if a * b < 0:
            share = a / (a - b)
            yield ax + share * (bx - ax), ay + share * (by - ay)


@cache
def wards(day: date) -> tuple[Ward, ...]:
    """Those that exist on a local day."""
    return tuple(ward for ward in WARDS if units.valid_at(ward.unit, day))
