"""Letters in their plainest form: the two looks of Đ (converters of old fonts put the Icelandic Ð in its place), and
texts as typed on a keyboard without Vietnamese; and texts in which nothing is that cannot be seen."""

from __future__ import annotations

import json
import re
import unicodedata

LOOKALIKES = str.maketrans("Ðð", "Đđ")
"""Gives Vietnamese its own letter."""
BARE = str.maketrans("ĐđÐð", "DdDd")
"""Leaves the bar out, which no normal form of Unicode does."""


def bare(text: str) -> str:
    """Small letters without any mark: `Đồng Xoài` and `dong xoai` are one."""
    loose = unicodedata.normalize("NFKD", text.translate(BARE)).casefold()
    return "".join(letter for letter in loose if not unicodedata.combining(letter))


def slug(text: str, between: str) -> str:
    """The words of a text in letters and digits of ASCII, for names of files and codes; empty where it has none."""
    return between.join(re.findall("[a-z0-9]+", bare(text)))


_EMPTY = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
"""What counts as a letter or mark, and has no ink."""


def one_line(text: str) -> str:
    """A text as it is kept: one line in NFC, without what cannot be seen (zero-width, bidirectional, control); but for
    NUL, which is refused where it stands."""
    if not text.isascii() or not text.isprintable():
        text = unicodedata.normalize("NFC", "".join(map(_inked, text)))
    return text.strip()


def has_ink(text: str) -> bool:
    """Whether there is anything to see: no mark stands alone."""
    return any(unicodedata.category(char)[0] not in "CMZ" for char in text)


def _inked(char: str) -> str:
    kind = unicodedata.category(char)
    if kind[0] == "Z" or kind == "Cc":
        return " " if char != "\0" else char
    return "" if kind[0] == "C" or char in _EMPTY else char


def visible(text: str) -> str:
    """A text to be looked at by who has to know what is in it: what cannot be seen is written as JSON writes it."""
    return text if text.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x80 else json.dumps(char)[1:-1]
