"""Every Vietnamese word that is written for readers is spelled as Debian's dictionary has it, and all in one way."""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from dictionary import known, plain, syllables

from infra.local.paths import CHECKOUT

ROOMS = ("services", "schemas", "dashboards", "infra")
LETTERS = ("old_fonts.py", "letters.py", "collation.py", "personal.py", "documents.py", "files.py")
"""Files whose texts are letters, not words."""
SHORT = frozenset({"cđs", "hsơ", "đtc", "đ", "đv", "đvt", "qđ", "skđt", "tđ", "zđ", "zđđ", "hđnd", "ubnd", "σ"})
"""Abbreviations, parts of patterns, and a sum's sign."""


def texts(file: Path) -> Iterator[str]:
    """What a file may show to readers: its strings, without the docstrings; all of a table."""
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".py":
        yield text
        return
    tree = ast.parse(text)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for one in body if isinstance(body, list) else ():
            if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant):
                one.value.value = ""
    yield from (n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str))


def words(text: str) -> set[str]:
    """Its words that are Vietnamese by their letters."""
    return {
        word for word in map(plain, re.findall(r"[^\W\d_]+", unicodedata.normalize("NFC", text))) if not word.isascii()
    }


def files() -> list[Path]:
    found = chain.from_iterable((CHECKOUT / room).rglob(kind) for room in ROOMS for kind in ("*.py", "*.toml"))
    return [CHECKOUT / "README.vi.md", *(file for file in sorted(found) if file.name not in LETTERS)]


def test_every_word_is_in_the_dictionary() -> None:
    assert len(syllables()) > 6000 and known("hồ") and known("hộ") and not known("sơx")
    strange = {
        f"{file.relative_to(CHECKOUT)}: {word}"
        for file in files()
        for word in set(chain.from_iterable(map(words, texts(file))))
        if not known(word) and word not in SHORT
    }
    assert not strange


def test_marks_stand_where_decrees_have_them() -> None:
    """`hóa`, `khỏe`, `ủy`, and never also the other way, but for what offices' files have."""
    later = re.compile(r"\b(?!qu)\w*?(?:o[áàảãạéèẻẽẹ]|u[ýỳỷỹỵ])\b", re.IGNORECASE)
    found = {
        f"{file.relative_to(CHECKOUT)}: {word}"
        for file in files()
        if not {"spreadsheets", "questions"} & set(file.parts)
        for text in texts(file)
        for word in later.findall(unicodedata.normalize("NFC", text))
    }
    assert not found
