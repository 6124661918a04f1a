"""The board's words: each there once, in both languages, asked for and found."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

from services import board
from services.board.ui.words import WORDS, read_words

FOLDER = Path(board.__file__).parent
SOURCES = [file.read_text(encoding="utf-8") for file in sorted(FOLDER.rglob("*.py"))]
NODES = [node for source in SOURCES for node in ast.walk(ast.parse(source))]
TEXTS = {node.value for node in NODES if isinstance(node, ast.Constant) and isinstance(node.value, str)}
SAID = {word for text in TEXTS for word in [text, *text.split()]}
STEMS = tuple(text for text in TEXTS if re.fullmatch(r"[a-z_]+_", text))
"""What stands before the part of a key that is filled in."""


def test_no_key_stands_on_two_pages() -> None:
    assert [key for key, times in Counter(key for key, _ in read_words()).items() if times > 1] == []


def test_both_languages_say_it_with_the_same_places_to_fill_in() -> None:
    assert [key for key, (vi, en) in WORDS.items() if vi.count("{}") != en.count("{}")] == []
    assert [key for key, (vi, en) in WORDS.items() if bool(vi) != bool(en)] == []


def test_every_word_that_is_asked_for_is_there() -> None:
    asked = set(re.findall(r"\bword\([\"']([\w.]+)[\"']", "\n".join(SOURCES)))
    assert len(asked) > 100
    assert asked - WORDS.keys() == set()


def test_every_word_is_asked_for() -> None:
    assert [key for key in WORDS if key not in SAID and not key.startswith(STEMS)] == []
