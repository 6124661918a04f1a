"""Letters in their plainest form: the two looks of Đ (converters of old fonts put the Icelandic Ð in its place), and
texts as typed on a keyboard without Vietnamese."""

from __future__ import annotations

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
