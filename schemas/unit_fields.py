"""Where an event's data names units: found by the type of its fields, however deep, so that none is forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel

from schemas.types import NamesUnit

EACH = "*"
"""A step of a path: every item of a list, every value of an object."""


class UnitField(NamedTuple):
    """A path into the data, and what holds for the unit that stands there."""

    path: tuple[str, ...]
    rule: NamesUnit


@cache
def unit_fields(model: type[BaseModel]) -> tuple[UnitField, ...]:
    """The places in a model's data that name a unit."""
    return tuple(
        UnitField((name, *rest), rule)
        for name, field in model.model_fields.items()
        for rest, rule in _within(field.annotation, field.metadata)
    )


def _within(annotation: Any, metadata: Any = ()) -> Iterator[tuple[tuple[str, ...], NamesUnit]]:
    for mark in (*metadata, *getattr(annotation, "__metadata__", ())):
        if isinstance(mark, NamesUnit):
            yield (), mark
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from unit_fields(annotation)
    several = getattr(annotation, "__origin__", None) in (list, tuple, dict)
    for part in get_args(annotation):
        yield from (((EACH, *path) if several else path, rule) for path, rule in _within(part))


def named(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """(where, unit code) of what stands at a path in JSON values; absent fields name nothing."""
    if not path:
        yield from [("", value)] if isinstance(value, str) else []
        return
    step, *rest = path
    for name, item in _items(value, step):
        yield from ((f".{name}{where}", code) for where, code in named(item, tuple(rest)))


def _items(value: Any, step: str) -> Iterable[tuple[Any, Any]]:
    if step != EACH:
        return [(step, value[step])] if isinstance(value, Mapping) and step in value else []
    return value.items() if isinstance(value, Mapping) else enumerate(value or ())
