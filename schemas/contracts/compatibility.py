"""Whether a new set of contracts keeps the promises of an old one: what was valid stays valid and means the same."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

Schema = dict[str, Any]
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_SAME = ("pattern", "format", "multipleOf", "uniqueItems")
"""Keywords that may go, but neither come nor change: whether another pattern is wider can't be told."""
_NESTED = ("properties", "required", "additionalProperties", "items", "anyOf", "oneOf", "type", "enum", "const")
_WORDS = ("title", "description", "$comment", "$schema", "examples", "default", "$id", "x-ioc")


def check(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """What breaks a promise, one line each, between two sets of contract files (relative path -> text).

    Compared are the JSON Schemas, each with its own version only, and the golden samples; new types, new versions, new
    optional fields and new samples break nothing.
    """
    lines: list[str] = []
    for path, text in sorted(old.items()):
        if path.endswith(".schema.json"):
            lines += _schema(path, json.loads(text), new.get(path))
        elif path.startswith("samples/"):
            lines += _sample(path, json.loads(text), new.get(path))
    return lines


def _schema(path: str, old: Schema, text: str | None) -> list[str]:
    if text is None:
        return [f"{path}: the event type was removed"]
    new = json.loads(text)
    lines = [
        f"{key} changed from {old.get(key)} to {new.get(key)}"
        for key in ("$id", "x-ioc")
        if old.get(key) != new.get(key)
    ]
    return [f"{path}: {line}" for line in [*lines, *_narrowed(old, new, "")]]


def _sample(path: str, old: Any, text: str | None) -> list[str]:
    if text is None:
        return [f"{path}: the sample was removed; it must be accepted for ever"]
    return [] if json.loads(text) == old else [f"{path}: the sample was changed; leave it and add another"]


def _narrowed(old: Schema, new: Schema, at: str) -> Iterator[str]:
    """Why something valid under `old` may be invalid, or mean something else, under `new`."""
    if "anyOf" in old or "anyOf" in new:
        yield from _branches(old, new, at)
    else:
        yield from chain(_values(old, new, at), _bounds(old, new, at), _objects(old, new, at))
    if old.get("default") != new.get("default"):
        yield f"{at or 'event'}: the default changed from {old.get('default')!r} to {new.get('default')!r}"


def _branches(old: Schema, new: Schema, at: str) -> Iterator[str]:
    accepted = new.get("anyOf", [_bare(new)])
    for branch in old.get("anyOf", [_bare(old)]):
        if not any(not list(_narrowed(branch, candidate, at)) for candidate in accepted):
            reasons = min((list(_narrowed(branch, candidate, at)) for candidate in accepted), key=len)
            yield from reasons


def _bare(schema: Schema) -> Schema:
    """Without the default, which belongs to the property and not to one of its forms."""
    return {key: value for key, value in schema.items() if key != "default"}


def _values(old: Schema, new: Schema, at: str) -> Iterator[str]:
    if "type" in new and not _types(old) <= _types(new) | ({"integer"} if "number" in _types(new) else set()):
        yield f"{at or 'event'}: the type changed from {old.get('type', 'any')} to {new['type']}"
    before, after = _choices(old), _choices(new)
    if after is not None and (before is None or not all(value in after for value in before)):
        gone = "any value" if before is None else ", ".join(repr(v) for v in before if v not in after)
        yield f"{at or 'event'}: {gone} is no longer allowed"
    for key in _SAME:
        if key in new and old.get(key) != new[key]:
            yield f"{at or 'event'}: the {key} changed from {old.get(key, 'none')} to {new[key]}"
    for key in sorted(set(old) | set(new)):
        if key not in (*_LOWER, *_UPPER, *_SAME, *_NESTED, *_WORDS) and old.get(key) != new.get(key):
            yield f"{at or 'event'}: {key} changed"


def _types(schema: Schema) -> set[str]:
    named = schema.get("type", ["any"])
    return {named} if isinstance(named, str) else set(named)


def _choices(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _bounds(old: Schema, new: Schema, at: str) -> Iterator[str]:
    for keys, sign in ((_LOWER, 1), (_UPPER, -1)):
        for key in keys:
            if key in new and (key not in old or sign * new[key] > sign * old[key]):
                yield f"{at or 'event'}: {key} changed from {old.get(key, 'none')} to {new[key]}"


def _objects(old: Schema, new: Schema, at: str) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for name, schema in before.items():
        where = f"{at}.{name}" if at else name
        if name not in after:
            yield f"{where}: the field was removed"
        else:
            yield from _narrowed(schema, after[name], where)
    for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
        yield f"{at}.{name}".lstrip(".") + ": the field is required now"
    if new.get("additionalProperties") is False and old.get("additionalProperties", True) is not False:
        yield f"{at or 'event'}: other fields are no longer allowed"
    if "items" in new:
        yield from _narrowed(old.get("items", {}), new["items"], f"{at}[]")
