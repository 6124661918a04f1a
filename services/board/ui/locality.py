"""Whose board it is: the locality's name and emblem, which stand on every page, on the log-in and on paper."""

from __future__ import annotations

import hashlib
import re
import struct
from dataclasses import dataclass
from xml.etree import ElementTree

from fastapi import FastAPI, Response
from starlette.requests import HTTPConnection

from services.board.ui.markup import Html, tag
from services.kit.settings import Settings

PATH = "/static/emblem"
LARGEST, LONGEST = 512 * 1024, 4096
"""Bytes of an emblem, and pixels of a side: one larger than this is a poster."""
PNG, SVG = "image/png", "image/svg+xml; charset=utf-8"
_PNG_BEGINS, _PNG_ENDS = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", b"IEND\xaeB`\x82"
_DECLARED = re.compile(r"<!ENTITY|<\?(?!xml\s)", re.IGNORECASE)
"""What an SVG says before its content that has no business there: entities, style sheets from elsewhere."""
_ACTIVE = frozenset(
    ("script", "handler", "listener", "foreignobject", "iframe", "object", "embed", "audio", "video", "a", "set",
     "animate", "animatetransform", "animatemotion", "html", "meta", "link")
)  # fmt: skip
_OWN = re.compile(r"#|data:image/(png|jpeg);base64,")
"""What a reference may lead to: the image itself, or pixels that it brings."""
_AWAY = re.compile(r"""@import|image-set|\\|url\(\s*["']?\s*(?!["'\s#])""", re.IGNORECASE)
_HEADERS = {
    "content-security-policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox",
    "cache-control": "public, max-age=31536000, immutable",
}
"""Opened by itself it does nothing either; another emblem has another address."""


class UnfitEmblem(ValueError):
    """The file is no image that a page may show."""


@dataclass(frozen=True)
class Emblem:
    """An image that was looked at: its kind, as `Content-Type` says it, and its bytes."""

    kind: str
    content: bytes

    @property
    def address(self) -> str:
        """Where the board serves it; that of another image differs."""
        return f"{PATH}?{hashlib.sha256(self.content).hexdigest()[:12]}"


@dataclass(frozen=True)
class Locality:
    """Whose board it is; "" and None where nobody said."""

    name: str = ""
    emblem: Emblem | None = None

    @classmethod
    def read(cls, settings: Settings) -> Locality:
        """As the settings say; an empty file is no emblem. Raises `UnfitEmblem` with file and reason."""
        file = settings.board_emblem
        try:
            content = file.read_bytes() if file else b""
            return cls(settings.board_place, checked(content) if content else None)
        except (UnfitEmblem, OSError) as wrong:
            raise UnfitEmblem(f"IOC_BOARD_EMBLEM, {file}: {wrong}") from None

    def add(self, app: FastAPI) -> None:
        """Have the application know it, and serve the emblem, to everybody as the style sheets are."""
        app.state.locality, emblem = self, self.emblem
        if emblem:
            app.get(PATH)(lambda: Response(emblem.content, media_type=emblem.kind, headers=_HEADERS))

    def image(self) -> Html:
        """The emblem; the name beside it says whose it is."""
        return tag("img", src=self.emblem.address, alt="", class_="emblem") if self.emblem else Html("")

    def sign(self) -> Html:
        """Emblem and name, for the head of a page."""
        named = tag("strong", self.name, class_="locality") if self.name else ""
        return Html(self.image() + named)


NOWHERE = Locality()


def locality_of(connection: HTTPConnection) -> Locality:
    """That of the board which is asked."""
    return getattr(connection.app.state, "locality", NOWHERE)


def checked(content: bytes) -> Emblem:
    """An image that cannot do harm in a page: PNG, or an SVG that runs nothing and asks for nothing. Raises
    `UnfitEmblem` with the reason."""
    if len(content) > LARGEST:
        raise UnfitEmblem(f"it has {len(content):,} bytes; {LARGEST:,} are the most")
    if content.startswith(_PNG_BEGINS):
        return Emblem(PNG, _png(content))
    return Emblem(SVG, _svg(content))


def _png(content: bytes) -> bytes:
    if not content.endswith(_PNG_ENDS) or max(struct.unpack(">II", content[16:24])) > LONGEST:
        raise UnfitEmblem(f"the PNG is cut off, or a side of it is longer than {LONGEST} pixels")
    return content


def _svg(content: bytes) -> bytes:
    try:
        text = content.decode("utf-8-sig")
        if found := _DECLARED.search(text):
            raise UnfitEmblem(f"the SVG has `{found[0]}`, which an emblem does not need")
        root = ElementTree.fromstring(text)  # noqa: S314 (without entities)
    except (UnicodeDecodeError, ElementTree.ParseError):
        raise UnfitEmblem("it is neither PNG nor SVG in UTF-8") from None
    if root.tag != "{http://www.w3.org/2000/svg}svg":
        raise UnfitEmblem("it is neither PNG nor SVG in UTF-8")
    for element in root.iter():
        _require_still(element)
    return content


def _require_still(element: ElementTree.Element) -> None:
    """Nothing that runs, moves, or is fetched."""
    name = _local(element.tag)
    if name in _ACTIVE:
        raise UnfitEmblem(f"the SVG has the element `{name}`: an emblem neither runs nor leads anywhere")
    for key, value in element.attrib.items():
        attribute = _local(key)
        if attribute.startswith("on") or (attribute in ("href", "src") and not _OWN.match(value.strip())):
            raise UnfitEmblem(f"the SVG has the attribute `{attribute}` that runs or fetches something")
    if found := _AWAY.search(" ".join((element.text or "" if name == "style" else "", *element.attrib.values()))):
        raise UnfitEmblem(f"the SVG has `{found[0].strip()}`, which fetches something")


def _local(name: str) -> str:
    return name.rpartition("}")[2].lower()
