"""What is left of an event when a person's data is erased: what figures are made of, and nothing else."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any

from schemas.envelope import EventData
from schemas.registry import DATA_TYPES
from schemas.types import REGISTER

ERASED = "[erased]"
WORDS = frozenset({"place", "name", "document"})
"""The fields in which people write as they like."""
PLACES = frozenset({"latitude", "longitude"})
"""Where somebody may live; of a feature of the map, which is nobody's home, they are needed and stay."""
BY_EVENT = {data.event: data for data in DATA_TYPES.values()}
"""`entity.event` -> the contract of its data."""
NUMBERED = frozenset(
    kind
    for data in DATA_TYPES.values()
    for kind, names in data.entities.items()
    if len(names) == 1 and names != ("day",)
)
"""The kinds of entities that bear a number."""
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_DAY_AND_RUN = re.compile(r"-(\d\d)\d{4}-\d{4,8}$")


def letters(count: int) -> str:
    """Chance that spells no word and could pass for no number."""
    return "".join(secrets.choice(_LETTERS) for _ in range(count))


def alias_of(number: str) -> str:
    """What stands for a number from now on, of the same form: of a dossier the office and the year stay, of another
    number its register."""
    if day := _DAY_AND_RUN.search(number):
        return f"{number[: day.start()]}-{day[1]}0000-{secrets.randbelow(10**8):08d}"
    register = re.match(REGISTER, number)
    return f"{register[0] if register else ''}ERASED.{letters(12)}"


def erased(
    fields: Mapping[str, Any], data: type[EventData], kind: str | None, number: str, alias: str
) -> dict[str, Any]:
    """The JSON fields of an event without what people wrote and where it was; of a whole case (`kind`) with the alias
    in place of the number."""
    naming = {*data.entities.get(kind or "", ()), *(("duplicate_of",) if kind == "report" else ())}
    left = {}
    for name, value in fields.items():
        if name in WORDS | PLACES and not data.model_fields[name].is_required():
            continue
        said = ERASED if name in WORDS else value
        left[name] = alias if name in naming and value == number else said
    return left


def pattern_of(number: str) -> str:
    """A number as such, and not as a part of a longer one: a regular expression for Python and PostgreSQL alike."""
    escaped = number.replace(".", r"\.").replace("-", r"\-")
    return rf"(?<![A-Za-z0-9]){escaped}(?![A-Za-z0-9_\-]|\.[A-Za-z0-9])"
