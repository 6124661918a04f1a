"""Texts of a sheet in one plain form, so that they can be compared however they were typed."""

from __future__ import annotations

import re
from functools import lru_cache

from schemas.text import letters

_ASIDE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|[*†]+")


_MARK = re.compile(r"\s*(?:(?:\d+(?:\.\d+)*|(?![xX]\.)[ivxIVX]+)\s*[.)]|[a-zđ]\s*\)|[-–+•]\s)\s*")


def unmarked(text: str) -> str:
    """A name without what it is listed under: `1.`, `II.`, `a)`, `-`. `X.` may be a commune's *Xã*, and stays."""
    return _MARK.sub("", text, count=1) if _MARK.match(text) else text


@lru_cache(maxsize=8192)
def bare(text: str) -> str:
    """Small letters without diacritics, one blank between words; punctuation stays."""
    return " ".join(letters.bare(text).split())


@lru_cache(maxsize=8192)
def plain(text: str) -> str:
    """As `bare`, without punctuation and without what stands in brackets: the words by which a header is known."""
    return " ".join(re.findall(r"\w+", bare(_ASIDE.sub(" ", text))))


@lru_cache(maxsize=8192)
def heading_of(text: str) -> str:
    """As `plain`, of a header, which may say `số lượng` for `số`."""
    return re.sub(r"\bso luong (?=\w)", "so ", plain(text))
