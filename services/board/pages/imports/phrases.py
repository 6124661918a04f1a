"""What the reader of workbooks asks and says, in both languages: its own words are English, and those of commands."""

from __future__ import annotations

import re
from pathlib import Path

from services.board.ui import phrases
from services.board.ui.words import Language

PHRASES = phrases.read(Path(__file__).with_name("phrases.toml"))
_OPTION = re.compile(r":? say (?:it|which(?: it is meant to be)?) with --\w+")
_COLUMN = re.compile(r"\w+ \((.+)\)")


def said(text: str, language: Language) -> str:
    """A text of the reader as the board says it; one that has no translation is left as it is."""
    head, colon, rest = text.partition(": ")
    if colon and (column := _COLUMN.fullmatch(head)):
        return f"{column[1].replace(' > ', ' – ')}: {said(rest, language)}"
    return _vietnamese(text) if language == "vi" else _OPTION.sub("", text)


def _vietnamese(text: str) -> str:
    for pattern, vi in PHRASES:
        if found := pattern.fullmatch(text):
            inner = _vietnamese(found[1]) if pattern.groups == 1 else None
            return vi.replace(r"\1", inner) if inner is not None else found.expand(vi)
    return text
