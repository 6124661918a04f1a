"""The order of the Vietnamese alphabet, for names in lists: syllable by syllable, first letters, then tones, then case.

SQL has the same order as `string_to_array(lower(name), ' ') COLLATE vietnamese, name`; a test holds them together.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from schemas.text.letters import LOOKALIKES

LETTERS = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
TONES = "\u0300\u0309\u0303\u0301\u0323"
"""Huyền, hỏi, ngã, sắc, nặng; no tone comes before them."""

_RANK = {letter: rank for rank, letter in enumerate(LETTERS)}
_PART = re.compile(r"[0-9]+|.")

Key = tuple[tuple[object, ...], str]


@cache
def key(name: str) -> Key:
    """What to sort a name by; numbers within it count as numbers."""
    return tuple(_syllable(part) for part in _lower(name).split(" ")), name


def _lower(name: str) -> str:
    """Small letters, with đ for the letter of another alphabet that looks like it."""
    return unicodedata.normalize("NFC", name).lower().translate(LOOKALIKES)


def _syllable(text: str) -> tuple[object, ...]:
    letters, tones = [], []
    for part in _PART.findall(text):
        plain, tone = _split(part)
        letters.append(_place(plain))
        tones.append(tone)
    return tuple(letters), tuple(tones)


def _split(part: str) -> tuple[str, int]:
    """A letter without its tone, and the tone's rank; what is no Vietnamese letter stays as it is."""
    loose = unicodedata.normalize("NFD", part)
    tone = next((mark for mark in TONES if mark in loose), "")
    plain = unicodedata.normalize("NFC", loose.replace(tone, "")) if tone else part
    return plain, TONES.index(tone) + 1 if tone else 0


def _place(plain: str) -> tuple[int, int, str]:
    """Marks before numbers, numbers before letters, other scripts last."""
    if plain.isdecimal() and plain.isascii():
        return 1, int(plain), ""
    if plain in _RANK:
        return 2, _RANK[plain], ""
    return (3 if plain.isalpha() else 0), 0, plain
