"""A locality's emblem is an image that runs nothing and fetches nothing, else it is refused with the reason."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from services.board.ui.locality import LARGEST, LONGEST, PNG, SVG, Locality, UnfitEmblem, checked
from services.kit.settings import Settings


def png(width: int = 2, height: int = 2) -> bytes:
    """An image of one bit a pixel."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = zlib.compress(b"".join(b"\0" + bytes((width + 7) // 8) for _ in range(height)))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def svg(inside: str = "", before: str = "", more: str = "") -> bytes:
    name = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f"{before}<svg {name} viewBox='0 0 9 9' {more}>{inside}</svg>".encode()


GOOD = (
    svg('<path d="M0 0h9v9z" fill="#c00"/>'),
    svg('<text x="1">Khu đất, phường: url không có</text>', '\ufeff<?xml version="1.0" encoding="UTF-8"?>\n'),
    svg('<defs><g id="a"/><linearGradient id="b"/></defs><use xlink:href="#a" fill="url(#b)"/>'),
    svg("<style>.a{fill:url('#b')} .c{fill:red}</style><image href='data:image/png;base64,AAAA'/>"),
    svg(before='<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'),
    svg('<metadata><x:view xmlns:x="http://example.org/drawing" x:zoom="1"/></metadata>'),
)
BAD = {
    "script": svg("<script>alert(1)</script>"),
    "SCRIPT": svg("<SCRIPT>alert(1)</SCRIPT>"),
    "script of a page": svg('<h:script xmlns:h="http://www.w3.org/1999/xhtml">alert(1)</h:script>'),
    "page": svg("<foreignObject><b/></foreignObject>"),
    "handler": svg(more='onload="alert(1)"'),
    "link": svg('<a href="#x"/>'),
    "away": svg('<use href="https://example.org/a.svg#b"/>'),
    "away, xlink": svg('<image xlink:href="//example.org/a.png"/>'),
    "script in a reference": svg('<use href=" javascript:alert(1)"/>'),
    "SVG in a reference": svg('<image href="data:image/svg+xml;base64,AAAA"/>'),
    "fetched colour": svg('<path fill="url(http://example.org/a#b)"/>'),
    "fetched style": svg("<style>@import 'http://example.org/a.css';</style>"),
    "fetched picture": svg("<style>.a{background:URL( 'http://example.org/a.png')}</style>"),
    "style away": svg(before='<?xml-stylesheet href="http://example.org/a.css"?>'),
    "entities": svg("&a;", '<!DOCTYPE svg [<!ENTITY a "aaaa">]>'),
    "moves": svg('<use href="#a"><set attributeName="href" to="javascript:alert(1)"/></use>'),
    "escaped style": svg("<style>.a{background:u\\72l(http://example.org/a.png)}</style>"),
    "picture by another name": svg("<style>.a{background:image-set('http://example.org/a.png' 1x)}</style>"),
    "no SVG": b"<svg><path/></svg>",
    "page of HTML": b"<html><body/></html>",
    "JPEG": b"\xff\xd8\xff\xe0",
    "other encoding": svg("<path/>").decode().encode("utf-16"),
    "cut PNG": png()[:-4],
    "wide PNG": png(LONGEST + 1),
    "large": svg("<path/>" + " " * LARGEST),
    "cut SVG": svg("<path/>")[:-3],
}


@pytest.mark.parametrize("content", GOOD)
def test_a_still_svg_is_taken_as_it_is(content: bytes) -> None:
    emblem = checked(content)
    assert (emblem.kind, emblem.content) == (SVG, content)


def test_a_png_is_taken() -> None:
    assert checked(png()).kind == PNG


@pytest.mark.parametrize("why", BAD)
def test_what_runs_fetches_or_is_no_image_is_refused(why: str) -> None:
    with pytest.raises(UnfitEmblem):
        checked(BAD[why])


def test_another_image_has_another_address() -> None:
    assert checked(png()).address != checked(png(3)).address


def test_no_file_and_an_empty_one_are_no_emblem_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    empty, wrong = tmp_path / "empty", tmp_path / "wrong.svg"
    empty.touch()
    wrong.write_bytes(BAD["script"])
    assert Locality.read(Settings()).sign() == ""
    assert Locality.read(Settings(board_emblem=empty, board_place="Phường <A>")).sign().count("&lt;A&gt;") == 1
    for file in (wrong, tmp_path / "none.svg"):
        with pytest.raises(UnfitEmblem, match=rf"IOC_BOARD_EMBLEM, {file}: "):
            Locality.read(Settings(board_emblem=file))
