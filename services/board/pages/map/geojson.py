"""GeoJSON as people have it: read part by part, refused with the place in the file, or taken without what can be left
out, which is said.

What is kept of a file is written anew: shapes, names and unit codes, nothing else that came with it.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from functools import cache
from typing import Any, NamedTuple

from schemas import units
from schemas.envelope import Invalid, refuse_personal
from schemas.json_members import repeated
from schemas.personal import mask
from schemas.text.files import wide_encoding

LARGEST = 8 * 2**20
MOST_POSITIONS = 200_000
MOST_SHAPES = 5_000
"""What a browser still draws while the map is moved."""
PARTS = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
"""Kind of geometry -> how deep its positions lie."""
SHORTEST = {"LineString": (0, 2), "MultiLineString": (1, 2), "Polygon": (1, 4), "MultiPolygon": (2, 4)}
"""Kind of geometry -> how deep its lines or rings lie, and the positions that one needs."""
WEST, SOUTH, EAST, NORTH = 102.0, 6.0, 118.0, 24.0
"""Degrees: Việt Nam with Hoàng Sa and Trường Sa; catches swapped coordinates and metres."""
MOST_NAMED = 5
"""So many places are named of what was left out."""


class Unfit(ValueError):
    """A file that cannot be taken: `key` is a word of the board, `where` the place in the file, without personal data
    and letters that cannot be sent."""

    def __init__(self, key: str, where: str = "") -> None:
        where = mask(where[:1000].encode("utf-8", "replace").decode())[:200]
        super().__init__(f"{key}: {where}")
        self.key, self.where = key, where


class Overlay(NamedTuple):
    """The shapes of a file, as features of our own making; and the places of what was left out of it."""

    features: list[dict[str, Any]]
    skipped: list[str]

    @property
    def collection(self) -> dict[str, Any]:
        """A FeatureCollection."""
        return {"type": "FeatureCollection", "features": self.features}

    @property
    def left_out(self) -> str:
        """What was left out, for people; empty where nothing was."""
        more = len(self.skipped) - MOST_NAMED
        return "; ".join(self.skipped[:MOST_NAMED]) + (f"; +{more}" if more > 0 else "")


def mended(raw: bytes) -> dict[str, Any]:
    """A GeoJSON file's shapes as a FeatureCollection of our own making; raises `Unfit`."""
    return read(raw).collection


def read(raw: bytes) -> Overlay:
    """A GeoJSON file's shapes, and what was left out; raises `Unfit`."""
    if len(raw) > LARGEST:
        raise Unfit("outline_large", f"> {LARGEST / 2**20:.0f} MB")
    found = Overlay([], [])
    try:
        for number, one in enumerate(_features(_parsed(raw)), 1):
            _take(f"feature {number}", one, found)
    except RecursionError:
        raise Unfit("outline_no_geojson", "[[[[…") from None
    if not found.features:
        raise Unfit("outline_empty", found.left_out)
    _count(found.features)
    return found


def _parsed(raw: bytes) -> Any:
    if wide := wide_encoding(raw):
        raise Unfit("outline_no_geojson", f"{wide} → UTF-8")
    twice: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs) and not twice:
            names = Counter(name for name, _ in pairs)
            twice.append(names.most_common(1)[0][0])
        return found

    try:
        text = raw.decode("utf-8-sig")
        value = json.loads(text, object_pairs_hook=once)
    except UnicodeDecodeError as wrong:
        raise Unfit("outline_no_geojson", f"byte {wrong.start + 1}: UTF-8") from None
    except json.JSONDecodeError as wrong:
        raise Unfit("outline_no_geojson", f"line {wrong.lineno}, column {wrong.colno}") from None
    except ValueError:
        raise Unfit("outline_no_geojson", "number of thousands of digits") from None
    if twice:
        raise Unfit("outline_twice", repeated(text.encode(), -1) or twice[0])
    return value


def _features(value: Any) -> list[Any]:
    if not isinstance(value, dict):
        raise Unfit("outline_no_geojson", "not a JSON object")
    if value.get("type") == "FeatureCollection":
        features = value.get("features")
        if not isinstance(features, list):
            raise Unfit("outline_shape", "features")
        return features
    return [value if value.get("type") == "Feature" else {"type": "Feature", "geometry": value}]


def _take(where: str, value: Any, found: Overlay) -> None:
    """Put a feature among those found, or its place among what is left out."""
    if not isinstance(value, dict) or value.get("type") != "Feature":
        raise Unfit("outline_shape", where)
    shape = value.get("geometry")
    if shape is None:
        found.skipped.append(f"{where}: geometry null")
        return
    geometry = _geometry(shape, where)
    properties = _properties(value.get("properties"), where, found.skipped)
    found.features.append({"type": "Feature", "properties": properties, "geometry": geometry})


def _geometry(shape: Any, where: str) -> dict[str, Any]:
    kind = shape.get("type") if isinstance(shape, dict) else None
    if not isinstance(kind, str) or kind not in PARTS:
        raise Unfit("outline_shape", f"{where}: geometry.type {kind[:40] if isinstance(kind, str) else ''}".strip())
    coordinates = _checked(shape.get("coordinates"), PARTS[kind], f"{where}: coordinates")
    if kind in SHORTEST:
        _check_lines(coordinates, *SHORTEST[kind], f"{where}: coordinates")
    return {"type": kind, "coordinates": coordinates}


def _checked(part: Any, depth: int, where: str) -> list[Any]:
    """Lists of positions, each of two numbers within the country, rounded to about a metre."""
    if not isinstance(part, list) or not part:
        raise Unfit("outline_shape", where)
    if depth:
        return [_checked(inner, depth - 1, f"{where}[{i}]") for i, inner in enumerate(part)]
    # A height is left out; whatever else stands there must be a number too.
    numbers = [one for one in part if isinstance(one, int | float) and not isinstance(one, bool)]
    if len(numbers) < max(len(part), 2) or not (WEST <= part[0] <= EAST and SOUTH <= part[1] <= NORTH):
        raise Unfit("outline_outside", f"{where} {', '.join(_short(one) for one in part[:2])}")
    return [round(part[0], 5), round(part[1], 5)]


def _short(value: Any) -> str:
    """A coordinate as it was written, if it is a number that can be."""
    shown = isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**15)
    return f"{value:g}" if shown else "?"


def _check_lines(part: list[Any], depth: int, least: int, where: str) -> None:
    """A line has two ends, a ring four positions, of which the last is the first."""
    if depth:
        for i, inner in enumerate(part):
            _check_lines(inner, depth - 1, least, f"{where}[{i}]")
    elif len(part) < least or (least == 4 and part[0] != part[-1]):
        raise Unfit("outline_ring" if least == 4 else "outline_shape", where)


def _properties(value: Any, where: str, skipped: list[str]) -> dict[str, str]:
    if value is not None and not isinstance(value, dict):
        raise Unfit("outline_property", f"{where}: properties")
    kept = {}
    if name := _name((value or {}).get("name"), f"{where}: properties.name"):
        kept["name"] = name
    unit = (value or {}).get("unit")
    if unit is not None and not isinstance(unit, str):
        raise Unfit("outline_property", f"{where}: properties.unit")
    if unit in _codes():
        kept["unit"] = unit
    elif unit:
        skipped.append(f"{where}: properties.unit")
    return kept


def _name(value: Any, where: str) -> str:
    if value is not None and (isinstance(value, bool) or not isinstance(value, str | int | float)):
        raise Unfit("outline_property", where)
    shown = "" if value is None else _short(value) if not isinstance(value, str) else value[:120]
    name = "".join(c for c in shown if unicodedata.category(c)[0] != "C").strip()
    try:
        refuse_personal(where, name)
    except Invalid as personal:
        raise Unfit("outline_personal", personal.reason) from None
    return name


@cache
def _codes() -> frozenset[str]:
    return frozenset(unit.code for unit in units.every())


def _count(features: list[dict[str, Any]]) -> None:
    positions = [_positions(f["geometry"]["coordinates"]) for f in features]
    points = (f["geometry"]["type"].endswith("Point") for f in features)
    if sum(n if point else 1 for n, point in zip(positions, points, strict=True)) > MOST_SHAPES:
        raise Unfit("outline_large", f"> {MOST_SHAPES} points, lines, areas")
    if sum(positions) > MOST_POSITIONS:
        raise Unfit("outline_large", f"> {MOST_POSITIONS} positions")


def _positions(part: list[Any]) -> int:
    return sum(_positions(inner) for inner in part) if isinstance(part[0], list) else 1
