"""JSON objects that name a member twice: which of the two values is meant nobody can tell, so neither is taken."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

_BEFORE_VALUES = (b'":', b" :", b"\t:", b"\n:", b"\r:")
"""Behind a member's name stands one of these. In a text they may stand too, so there are at most so many members."""

DEEPEST = 100
"""Levels of an object; no event has more than four."""


def repeated(raw: bytes, members: int) -> str | None:
    """Where a member is named for the second time (`data.amount`), or None. `members`: how many different ones were
    understood in all objects; as long as no more can be there the text is not parsed again."""
    if sum(map(raw.count, _BEFORE_VALUES)) == members:
        return None
    try:
        return next(_repeated(as_written(raw), ""), None)
    except (ValueError, RecursionError):
        return None


class Pairs(list[tuple[str, Any]]):
    """An object as it is written: a name may come twice."""


class Number(str):
    """A number as it is written."""


def as_written(raw: bytes | str) -> Any:
    """JSON of which nothing is lost: objects are `Pairs`, numbers `Number`.

    Raises ValueError and RecursionError. What is nested deeper than `DEEPEST` is refused here, since Python 3.12 and
    later read JSON deeper than a function may call itself.
    """
    value = json.loads(raw, object_pairs_hook=Pairs, parse_int=Number, parse_float=Number)
    level, depth = [value], 0
    while level := [part for value in level if isinstance(value, list) for part in _parts(value)]:
        if (depth := depth + 1) > DEEPEST:
            raise ValueError(f"nested deeper than {DEEPEST} levels")
    return value


def _parts(value: list[Any]) -> list[Any]:
    return [part for _, part in value] if isinstance(value, Pairs) else value


def written(value: Any) -> str:
    """What `as_written` gave as JSON again, without spaces."""
    if isinstance(value, Pairs):
        return "{" + ",".join(f"{_scalar(key)}:{written(value)}" for key, value in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return str(value) if isinstance(value, Number) else _scalar(value)


_scalar: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False).encode


def _repeated(value: Any, where: str) -> Iterator[str]:
    if isinstance(value, Pairs):
        names = set[str]()
        for name, item in value:
            here = f"{where}.{name}".lstrip(".")
            if name in names:
                yield here
            names.add(name)
            yield from _repeated(item, here)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _repeated(item, f"{where}.{i}".lstrip("."))
