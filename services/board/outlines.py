"""Shapes of one's own on the map: GeoJSON files, taken in only after every part was looked at; the centre's are kept in
its data folder.

What is kept of a file is written anew: shapes, names and unit codes, nothing else that came with it.
"""

from __future__ import annotations

import json
import math
import os
import re
import unicodedata
from collections.abc import Hashable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

from schemas import units
from schemas.envelope import Invalid, refuse_personal
from services.board.frame import Look, form
from services.board.markup import Html, tag

LARGEST = 8 * 2**20
MOST_POSITIONS = 200_000
MOST_SHAPES = 5_000
"""What a browser still draws while the map is moved."""
MOST_FILES = 20
PARTS = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
"""Kind of geometry -> how deep its positions lie."""
WEST, SOUTH, EAST, NORTH = 102.0, 6.0, 118.0, 24.0
"""Degrees: Việt Nam with Hoàng Sa and Trường Sa; catches swapped coordinates and metres."""


class Unfit(ValueError):
    """A file that cannot be taken: `key` is a word of the board, `where` the place in the file."""

    def __init__(self, key: str, where: str = "") -> None:
        super().__init__(f"{key}: {where}")
        self.key, self.where = key, where


def mended(raw: bytes) -> dict[str, Any]:
    """A GeoJSON file's shapes as a FeatureCollection of our own making; raises `Unfit`."""
    if len(raw) > LARGEST:
        raise Unfit("outline_large", f"> {LARGEST / 2**20:.0f} MB")
    try:
        told = json.loads(raw)
        features = [_feature(number, one) for number, one in enumerate(_features(told), 1)]
    except (ValueError, RecursionError) as wrong:
        if isinstance(wrong, Unfit):
            raise
        raise Unfit("outline_no_geojson") from None
    if not features:
        raise Unfit("outline_empty")
    positions = [_positions(f["geometry"]["coordinates"]) for f in features]
    points = (f["geometry"]["type"].endswith("Point") for f in features)
    if sum(n if point else 1 for n, point in zip(positions, points, strict=True)) > MOST_SHAPES:
        raise Unfit("outline_large", f"> {MOST_SHAPES} points, lines, areas")
    if sum(positions) > MOST_POSITIONS:
        raise Unfit("outline_large", f"> {MOST_POSITIONS} positions")
    return {"type": "FeatureCollection", "features": features}


def _features(told: Any) -> list[Any]:
    kind = told.get("type") if isinstance(told, dict) else None
    if kind == "FeatureCollection" and isinstance(told.get("features"), list):
        return list(told["features"])
    return [told if kind == "Feature" else {"type": "Feature", "geometry": told}]


def _feature(number: int, told: Any) -> dict[str, Any]:
    where = f"feature {number}"
    shape = told.get("geometry") if isinstance(told, dict) else None
    kind = shape.get("type") if isinstance(shape, dict) else None
    if not isinstance(shape, dict) or kind not in PARTS:
        raise Unfit("outline_shape", f"{where}: {str(kind)[:40]}")
    coordinates = _checked(shape.get("coordinates"), PARTS[kind], where)
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "properties": _properties(told.get("properties"), where), "geometry": geometry}


def _checked(part: Any, depth: int, where: str) -> list[Any]:
    """Lists of positions, each of two numbers within the country, rounded to about a metre."""
    if not isinstance(part, list) or not part:
        raise Unfit("outline_shape", where)
    if depth:
        return [_checked(inner, depth - 1, where) for inner in part]
    longitude, latitude = _number(part[0]), _number(part[1] if len(part) > 1 else None)
    if not (WEST <= longitude <= EAST and SOUTH <= latitude <= NORTH):
        raise Unfit("outline_outside", f"{where}: {str(part)[:60]}")
    return [round(longitude, 5), round(latitude, 5)]


def _number(told: Any) -> float:
    """A number, or one that lies nowhere."""
    return told if isinstance(told, int | float) and not isinstance(told, bool) else math.nan


def _properties(told: Any, where: str) -> dict[str, str]:
    told = told if isinstance(told, dict) else {}
    kept = {}
    name = "".join(c for c in str(told.get("name") or "")[:120] if unicodedata.category(c)[0] != "C").strip()
    try:
        refuse_personal(where, name)
    except Invalid as personal:
        raise Unfit("outline_personal", personal.reason) from None
    if name:
        kept["name"] = name
    if told.get("unit") in {unit.code for unit in units.every()}:
        kept["unit"] = str(told["unit"])
    return kept


def _positions(part: list[Any]) -> int:
    return sum(_positions(inner) for inner in part) if isinstance(part[0], list) else 1


class Folder:
    """The files of a centre, in `layers` of its data folder; without a data folder there are none."""

    def __init__(self, data: Path | None) -> None:
        self._folder = data / "layers" if data else None
        self._packed: tuple[Hashable, bytes] = (None, b"")
        self._one_at_a_time = Lock()

    @property
    def open(self) -> bool:
        """Whether files can be kept at all."""
        return self._folder is not None

    def names(self) -> list[str]:
        """The files' names without their ending."""
        return [path.stem for path in self._paths()]

    def shapes(self) -> dict[str, Any]:
        """All files' shapes as one collection. A file laid there by hand is looked at like any other, and left out if
        it is unfit."""
        features = []
        for path in self._paths():
            try:
                features += mended(path.read_bytes())["features"]
            except (OSError, Unfit):
                continue
        return {"type": "FeatureCollection", "features": features}

    def packed(self) -> bytes:
        """The same as JSON, made anew when a file has changed: each may take a second to look at."""
        with self._one_at_a_time:
            stamp = tuple((path.name, found.st_mtime_ns, found.st_size, found.st_ino) for path, found in self._stats())
            if self._packed[0] != stamp:
                self._packed = stamp, json.dumps(self.shapes(), ensure_ascii=False).encode()
            return self._packed[1]

    def put(self, name: str, raw: bytes) -> str:
        """Take a file in; returns the name that it is kept under. Raises `Unfit`."""
        shapes, kept = mended(raw), plain(name)
        if self._folder is None or (kept not in self.names() and len(self.names()) >= MOST_FILES):
            raise Unfit("outline_full", str(MOST_FILES))
        self._folder.mkdir(parents=True, exist_ok=True)
        fresh = self._folder / f".{kept}.new"
        fresh.write_text(json.dumps(shapes, ensure_ascii=False), encoding="utf-8")
        fresh.rename(self._folder / f"{kept}.geojson")
        return kept

    def remove(self, name: str) -> bool:
        """Take a file away; False if there was none of that name."""
        if self._folder is None or name not in self.names():
            return False
        (self._folder / f"{name}.geojson").unlink()
        return True

    def _paths(self) -> Iterator[Path]:
        return iter(sorted(self._folder.glob("*.geojson")) if self._folder else ())

    def _stats(self) -> Iterator[tuple[Path, os.stat_result]]:
        for path in self._paths():
            with suppress(OSError):
                yield path, path.stat()


def plain(name: str) -> str:
    """A file's name of small letters, digits and hyphens: it leads nowhere else."""
    bare = unicodedata.normalize("NFKD", Path(name).stem.lower().replace("đ", "d")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", bare).strip("-")[:60] or "layer"


def section(look: Look, folder: Folder) -> Html:
    """Shapes of one's own: for every reader in their browser, for all readers by an administrator."""
    account = look.account
    mine = [tag("p", look.word("outlines_mine_hint"), class_="small"), _file(look, "check")]
    parts = [tag("h3", look.word("outlines_mine")), *mine, tag("ul", id="map-mine", class_="own")]
    if account.may("outlines"):
        parts += [tag("h3", look.word("outlines_all")), *_everybodys(look, folder)]
    told = tag("p", id="map-told", role="status")
    hint = tag("p", look.word("outlines_hint"), class_="small")
    words = {"remove": "remove", "full": "outline_browser_full", "away": "board_away"}
    return tag(
        "section", tag("h2", look.word("outlines")), hint, told, *parts, id="map-own", class_="panel wide",
        data_account=account.name, data_csrf=look.csrf, data_largest=LARGEST + 1,
        **{f"data_{name}": look.word(key) for name, key in words.items()},
    )  # fmt: skip


def _everybodys(look: Look, folder: Folder) -> list[Html]:
    if not folder.open:
        return [tag("p", look.word("outlines_closed"))]
    rows = (tag("li", name, " ", _removal(look, name)) for name in folder.names())
    return [_file(look, ""), tag("ul", *rows, class_="own")]


def _file(look: Look, way: str) -> Html:
    """The field for a file; `way`: where below /map/outlines it goes."""
    field = tag("input", type="file", accept=".geojson,.json", data_outlines=f"/map/outlines/{way}".rstrip("/"))
    return tag("label", look.word("outlines_put"), field, class_="own")


def _removal(look: Look, name: str) -> Html:
    said = f"{look.word('remove')}: {name}"
    button = tag("button", look.word("remove"), class_="plain", aria_label=said)
    return form(look, "/map/outlines/remove", tag("input", type="hidden", name="name", value=name), button)
