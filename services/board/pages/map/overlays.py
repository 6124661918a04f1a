"""Shapes of one's own on the map: GeoJSON files, taken in only after every part was looked at; the centre's are kept in
its data folder."""

from __future__ import annotations

import json
import os
from collections.abc import Hashable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

from schemas.envelope import Invalid, refuse_personal
from schemas.text.letters import slug
from services.board.pages.map.geojson import LARGEST, Overlay, Unfit, mended, read
from services.board.ui.live_page import PageContext
from services.board.ui.markup import Html, tag
from services.board.ui.page_layout import form

MOST_FILES = 20


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
        return self.keep(name, read(raw))

    def keep(self, name: str, overlay: Overlay) -> str:
        """Keep the shapes of a file; returns the name that they are kept under. Raises `Unfit`."""
        kept = plain(name)
        if self._folder is None or (kept not in self.names() and len(self.names()) >= MOST_FILES):
            raise Unfit("outline_full", str(MOST_FILES))
        self._folder.mkdir(parents=True, exist_ok=True)
        fresh = self._folder / f".{kept}.new"
        fresh.write_text(json.dumps(overlay.collection, ensure_ascii=False), encoding="utf-8")
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
    """A file's name of small letters, digits and hyphens: it leads nowhere else. Raises `Unfit` if it is personal."""
    kept = slug(Path(name).stem, "-")[:60] or "layer"
    try:
        for written in (name, kept):
            refuse_personal("name", written)
    except Invalid as personal:
        raise Unfit("outline_personal", personal.reason) from None
    return kept


def section(context: PageContext, folder: Folder) -> Html:
    """Shapes of one's own: for every reader in their browser, for all readers by an administrator."""
    account = context.account
    mine = [tag("p", context.word("outlines_mine_hint"), class_="small"), _file(context, "check")]
    parts = [tag("h3", context.word("outlines_mine")), *mine, tag("ul", id="map-mine", class_="own")]
    if account.may("outlines"):
        parts += [tag("h3", context.word("outlines_all")), *_everybodys(context, folder)]
    status = tag("p", id="map-told", role="status")
    hint = tag("p", context.word("outlines_hint"), class_="small")
    words = {"remove": "remove", "full": "outline_browser_full", "away": "board_away"}
    return tag(
        "section", tag("h2", context.word("outlines")), hint, status, *parts, id="map-own", class_="panel wide",
        data_account=account.name, data_csrf=context.csrf, data_largest=LARGEST + 1,
        **{f"data_{name}": context.word(key) for name, key in words.items()},
    )  # fmt: skip


def _everybodys(context: PageContext, folder: Folder) -> list[Html]:
    if not folder.open:
        return [tag("p", context.word("outlines_closed"))]
    rows = (tag("li", name, " ", _removal(context, name)) for name in folder.names())
    return [_file(context, ""), tag("ul", *rows, class_="own")]


def _file(context: PageContext, way: str) -> Html:
    """The field for a file; `way`: where below /map/outlines it goes."""
    field = tag("input", type="file", accept=".geojson,.json", data_outlines=f"/map/outlines/{way}".rstrip("/"))
    return tag("label", context.word("outlines_put"), field, class_="own")


def _removal(context: PageContext, name: str) -> Html:
    said = f"{context.word('remove')}: {name}"
    button = tag("button", context.word("remove"), class_="plain", aria_label=said)
    return form(context, "/map/outlines/remove", tag("input", type="hidden", name="name", value=name), button)
