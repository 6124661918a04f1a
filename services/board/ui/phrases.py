"""English sentences of other rooms in Vietnamese, by tables of patterns: `'pattern' = 'the same in Vietnamese'`."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

Phrases = tuple[tuple[re.Pattern[str], str], ...]


def read(file: Path) -> Phrases:
    """A table of phrases, in the order in which they are looked for."""
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    return tuple((re.compile(pattern), vi) for pattern, vi in table.items())


def translated(text: str, phrases: Phrases) -> str:
    """A text with each phrase in it, wherever it stands; what is in no table is left as it is."""
    for pattern, vi in phrases:
        text = pattern.sub(vi, text)
    return text
