"""The words of a question, folded and put as the catalogue puts them."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import NamedTuple

from schemas.text.letters import LOOKALIKES, bare

_WORD = re.compile(r"%|\w+(?:[./-]\w+)*")


class Token(NamedTuple):
    """A word as it is folded, and as it was written."""

    plain: str
    written: str


def tokens(text: str) -> list[Token]:
    """The words of a text; what stands between them is left out, but not within `11/2024` or `1022`."""
    composed = unicodedata.normalize("NFKC", text).translate(LOOKALIKES)
    return [Token(bare(word), word) for word in _WORD.findall(composed)]


def plain(words: list[Token]) -> str:
    """Folded, with one space between."""
    return " ".join(word.plain for word in words)


@cache
def table() -> Mapping[str, Mapping[str, list[str]]]:
    """`words.toml`, folded."""
    text = resources.files(__package__).joinpath("words.toml").read_text(encoding="utf-8")
    return {
        part: {bare(key): [bare(one) for one in spoken] for key, spoken in rows.items()}
        for part, rows in tomllib.loads(text).items()
    }


@cache
def _same() -> tuple[tuple[re.Pattern[str], str], ...]:
    pairs = [(spoken, canonical) for canonical, many in table()["same"].items() for spoken in many]
    longest = sorted(pairs, key=lambda pair: -len(pair[0]))
    return tuple((re.compile(rf"(?<!\S){re.escape(spoken)}(?!\S)"), canonical) for spoken, canonical in longest)


def settled(text: str) -> list[str]:
    """A folded text in the words of the table, without those that say nothing."""
    for spoken, canonical in _same():
        text = spoken.sub(canonical, text)
    nothing = set(table()["nothing"]["words"])
    return [word for word in text.split() if word not in nothing]
