"""JSON Schema of one event type version, whole envelope, as the door accepts it."""

from __future__ import annotations

from inspect import cleandoc
from typing import Any

from schemas import attributes, registry
from schemas.contracts.glossary import ATTRIBUTES, IGNORED, meaning
from schemas.envelope import SUBJECT_PREFIX, EventData

DIALECT = "http://json-schema.org/draft-07/schema#"
"""The dialect that AsyncAPI tools must understand."""


_CONTENT_TYPE = {
    "description": ATTRIBUTES["datacontenttype"],
    "type": "string",
    "pattern": "^[Aa]pplication/([a-z0-9.+-]+[+])?[Jj][Ss][Oo][Nn]( *;.*)?$",
    "default": "application/json",
}
_DROPPED = {name: {"description": IGNORED, **attributes.SCHEMAS[kind]} for name, kind in attributes.DROPPED.items()}


def subject_of(data: type[EventData]) -> str:
    """The NATS subject of an event type, with `{unit}` in place of the unit's code."""
    return f"{SUBJECT_PREFIX}{{unit}}.{data.system}.{data.event}"


def event_schema(type_name: str) -> dict[str, Any]:
    """The schema of one type; `x-ioc` records what belongs to the contract but not to the form of the JSON."""
    data = registry.DATA_TYPES[type_name]
    model = registry.EVENT_MODELS[type_name].model_json_schema(mode="validation")
    fields = _described(model["$defs"][data.__name__], {name: meaning(data.event, name) for name in data.model_fields})
    envelope = _described({**model, "properties": {**model["properties"], "data": fields}}, ATTRIBUTES)
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
    """An object schema with what its properties mean in place of the titles that pydantic makes up."""
    properties = {
        name: {"description": meanings[name], **{key: value for key, value in spec.items() if key != "title"}}
        for name, spec in schema["properties"].items()
    }
    dropped = ("title", "description", "$defs")
    return {**{key: value for key, value in schema.items() if key not in dropped}, "properties": properties}
