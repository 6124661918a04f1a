"""A message that is kept although it was refused, without what looks personal in it, by the door's own rules."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from schemas import personal
from schemas.json_members import Number, Pairs, as_written, written
from schemas.registry import DATA_TYPES
from schemas.text.letters import slug
from schemas.types import REFERENCE

HIDDEN = "[hidden]"
_MASK = re.compile("|".join(map(re.escape, (HIDDEN, *personal.MASKS.values()))))

_OF_A_PERSON = frozenset({
    "fullname", "hoten", "hovaten", "tencongdan", "citizenname", "applicant", "nguoinop", "chuhoso", "patient",
    "benhnhan", "cccd", "socccd", "cmnd", "socmnd", "sodinhdanh", "citizenid", "phone", "phonenumber", "mobile", "sdt",
    "sodienthoai", "dienthoai", "email", "address", "diachi", "thuongtru", "ngaysinh", "birthdate", "dateofbirth",
    "dob", "bienso", "plate", "passport", "hochieu", "database64", "mst", "masothue", "taxcode", "taxid", "stk",
    "sotaikhoan", "bankaccount", "accountnumber", "iban", "bhxh", "sobhxh", "masobhxh", "bhyt", "sobhyt", "mathebhyt",
})  # fmt: skip
"""Names of fields, in small letters alone, whose values are of a person whatever they are."""


@cache
def _counted() -> frozenset[str]:
    """Names of fields that take numbers: what stands there is no phone."""
    fields = (pair for data in DATA_TYPES.values() for pair in data.model_json_schema()["properties"].items())
    return frozenset(name for name, schema in fields if re.search(r'"(?:integer|number)"', json.dumps(schema)))


def masked(raw: bytes) -> bytes | None:
    """The message with a word in place of all that looks personal; None where nothing does."""
    text = raw.decode("utf-8", "surrogateescape")
    try:
        value = as_written(text)
        hidden = _masked(value, "", _numbers_of_banks(value))
        if hidden == value:
            return None
        left = written(hidden)
    except (ValueError, RecursionError):
        left = personal.mask(text)
        if left == text:
            return None
    return left.encode("utf-8", "surrogateescape")


def is_masked(raw: bytes) -> bool:
    """Whether the words of a mask still stand in a message."""
    return _MASK.search(raw.decode(errors="replace")) is not None


def _masked(value: Any, name: str, numbers: list[str]) -> Any:
    if isinstance(value, Pairs):
        return Pairs((personal.mask(key), _value(key, part, numbers)) for key, part in value)
    if isinstance(value, list):
        return _list(value, name, numbers)
    if isinstance(value, Number):
        return value if name in _counted() else _number(value)
    return _text(value, name, numbers) if isinstance(value, str) else value


def _value(name: str, value: Any, numbers: list[str]) -> Any:
    if value not in (None, "") and slug(name, "") in _OF_A_PERSON:
        return HIDDEN
    return _masked(value, name, numbers)


def _list(value: list[Any], name: str, numbers: list[str]) -> list[Any]:
    """Each part, and all of them where they are the parts of one number."""
    parts = [_masked(part, name, numbers) for part in value]
    texts = [part for part in parts if isinstance(part, str)]
    return [HIDDEN] if parts == value and personal.find(" ".join(texts)) else parts


def _number(value: Number) -> str:
    """A number where no event has one; the 0 in front of a phone or a citizen number is lost in numbers."""
    for text in (value, f"0{value}"):
        if found := personal.find(text):
            return personal.MASKS[found[0].what]
    return value


def _text(value: str, name: str, numbers: list[str]) -> str:
    if name == "transaction" and value in numbers:
        return value
    for number in numbers:
        if name in ("id", "source") and number in value:
            return number.join(map(personal.mask, value.split(number)))
    return personal.mask(value)


def _numbers_of_banks(value: Any) -> list[str]:
    """A payment's transaction, which may look like anything, and which its id may repeat."""
    data = [part for key, part in value if key == "data"] if isinstance(value, Pairs) else []
    fields = [field for one in data if isinstance(one, Pairs) for field in one]
    return [
        value for key, value in fields if key == "transaction" and isinstance(value, str) and REFERENCE.match(value)
    ]
