"""The board's words: each there once, in both languages, asked for and found."""

from __future__ import annotations

import ast
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from schemas.indicators import CATALOGUE
from services import board
from services.board.ui.words import WORDS, figure, number, read_words
from services.readings import Reading

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


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("115450000", "115,5 triệu đ"),
        ("115449999", "115,4 triệu đ"),
        ("2345000000", "2,35 tỷ đ"),
        ("2500000.5", "2,5 triệu đ"),
        ("999", "999 đ"),
    ],
)
def test_money_is_shortened_as_clerks_round(value: str, shown: str) -> None:
    reading = Reading(CATALOGUE["payments_online_tax_amount"], "", Decimal(value), None, frozenset())
    assert figure(reading, "vi") == shown


def test_every_number_is_rounded_as_clerks_round() -> None:
    halves = ("0.5", "1.5", "2.5", "-0.5", "1234.5")
    assert [number(Decimal(half), 0, "en") for half in halves] == ["1", "2", "3", "-1", "1,235"]
