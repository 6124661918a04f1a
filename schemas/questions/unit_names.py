"""Which unit is meant: the longest stretch of words that is a unit's name, with its level or written as a name."""

from __future__ import annotations

from datetime import date

from schemas import units
from schemas.questions.words import Token
from schemas.units import AmbiguousUnit, Unit, UnknownUnit

LEVELS = (
    "phuong",
    "xa",
    "thi xa",
    "thi tran",
    "thanh pho",
    "huyen",
    "tinh",
    "khu pho",
    "p",
    "x",
    "tx",
    "tt",
    "tp",
    "h",
)
BEFORE = ("ubnd", "dang uy", "cua", "tai", "o", "dia ban", "don vi", "in", "of", "at", "for", "cho")
LONGEST = 8


def take(words: list[Token], day: date) -> tuple[list[Token], tuple[Unit, ...]]:
    """The words without those of the unit, and the unit; several where the name is not clear."""
    for size in range(min(LONGEST, len(words)), 0, -1):
        for start in range(len(words) - size + 1):
            part = words[start : start + size]
            if found := _named(part, words[:start], start + size == len(words), day):
                before = words[:start]
                while before and before[-1].plain in ("ubnd", "cua", "tai", "o", "of", "in", "at", "for"):
                    before = before[:-1]
                return [*before, *words[start + size :]], found
    return words, ()


def _named(part: list[Token], before: list[Token], at_end: bool, day: date) -> tuple[Unit, ...]:
    if not _is_name(part, before, at_end):
        return ()
    text = " ".join(word.written for word in part)
    try:
        found = units.find(text, day)
        return (found,) if _is_spelled(part, found) else ()
    except AmbiguousUnit as several:
        return tuple(several.units)
    except UnknownUnit:
        return ()


def _is_spelled(part: list[Token], unit: Unit) -> bool:
    """Whether words with accents are those of its name: `số tiền thành` is no Tiến Thành."""
    last = part[-1].written.casefold()
    names = " ".join((unit.name_vi, *unit.spellings, *(stage.name_vi for stage in unit.stages))).casefold()
    return last == part[-1].plain or last in names.split()


def _is_name(part: list[Token], before: list[Token], at_end: bool) -> bool:
    """Whether words may be a name: with its level, after a word that leads to a place, at the end, or in capitals."""
    if len(part) == 1:
        return "_" in part[0].plain
    head = " ".join(word.plain for word in part)
    if head.startswith(tuple(f"{level} " for level in LEVELS)):
        return True
    led = " " + " ".join(word.plain for word in before[-2:])
    return (
        at_end or led.endswith(tuple(f" {word}" for word in BEFORE)) or all(word.written[0].isupper() for word in part)
    )
