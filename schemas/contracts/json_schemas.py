"""JSON Schema of one event type version, whole envelope, as the door accepts it."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from schemas import attributes, registry
from schemas.envelope import SUBJECT_PREFIX, Event, EventData

DIALECT = "http://json-schema.org/draft-07/schema#"
"""The dialect that AsyncAPI tools must understand."""


def meanings(model: type[BaseModel]) -> dict[str, str]:
    """Field -> what it means: its description, else that of the type it has or may have; empty where neither says."""
    return {name: next(_descriptions(field), "") for name, field in model.model_fields.items()}


def _descriptions(field: FieldInfo) -> Iterator[str]:
    marks = (mark for kind in get_args(field.annotation) for mark in reversed(getattr(kind, "__metadata__", ())))
    return (mark.description for mark in (field, *marks) if isinstance(mark, FieldInfo) and mark.description)


_ATTRIBUTES = meanings(Event)
_CONTENT_TYPE = {
    "description": _ATTRIBUTES["datacontenttype"],
    "type": "string",
    "pattern": "^[Aa]pplication/([a-z0-9.+-]+[+])?[Jj][Ss][Oo][Nn]( *;.*)?$",
    "default": "application/json",
}
_IGNORED = "of CloudEvents and its registered extensions: looked at, then dropped; it changes nothing"
_DROPPED = {name: {"description": _IGNORED, **attributes.SCHEMAS[kind]} for name, kind in attributes.DROPPED.items()}


def subject_of(data: type[EventData]) -> str:
    """The NATS subject of an event type, with `{unit}` in place of the unit's code."""
    return f"{SUBJECT_PREFIX}{{unit}}.{data.system}.{data.event}"


def event_schema(type_name: str) -> dict[str, Any]:
    """The schema of one type; `x-ioc` records what belongs to the contract but not to the form of the JSON."""
    data = registry.DATA_TYPES[type_name]
    model = registry.event_models()[type_name].model_json_schema(mode="validation")
    fields = _described(model["$defs"][data.__name__], meanings(data))
    envelope = _described({**model, "properties": {**model["properties"], "data": fields}}, _ATTRIBUTES)
    return {
        "$schema": DIALECT,
        "$id": f"urn:ioc:{type_name}",
        "title": f"{data.event} v{data.version}",
        "description": cleandoc(data.__doc__ or ""),
        "type": "object",
        "properties": {**envelope["properties"], "datacontenttype": _CONTENT_TYPE, **_DROPPED},
        # The type is what tells an event's schema, so it can't be left to a default.
        "required": ["type", *model["required"]],
        "additionalProperties": False,
        "x-ioc": {
            "type": type_name,
            "version": data.version,
            "system": data.system,
            "subject": subject_of(data),
            "entities": {kind: list(names) for kind, names in data.entities.items()},
        },
    }


def _described(schema: dict[str, Any], meanings: dict[str, str]) -> dict[str, Any]:
    """An object schema whose properties begin with what they mean."""
    properties = {name: {"description": meanings[name], **_form(spec)} for name, spec in schema["properties"].items()}
    return {**_form(schema), "properties": properties}


def _form(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema's form, and that of its alternatives, without the titles and descriptions that pydantic gives them."""
    form = {key: value for key, value in schema.items() if key not in ("title", "description", "$defs")}
    return form | {"anyOf": [_form(each) for each in form["anyOf"]]} if "anyOf" in form else form
