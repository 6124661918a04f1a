"""The AsyncAPI 3 document: a channel per event, who sends and who receives, and which schema its messages have."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import cleandoc
from typing import Any

from schemas import registry
from schemas.contracts.json_schemas import subject_of
from schemas.envelope import TYPE_PREFIX

SCHEMA_FORMAT = "application/schema+json;version=draft-07"
CONTENT_TYPE = "application/cloudevents+json"
_ABOUT = """\
Every event is a CloudEvents 1.0 object in structured JSON, published to JetStream under its own subject.

An event sent twice is stored once: the same source and id with the same content is recognised when it is stored,
whoever sends it and whenever. `Nats-Msg-Id` has no effect. What can't be understood goes to the quarantine with its
reason; nothing is dropped in silence."""
_SIDES = {
    "send": ("publish", "An emitter publishes it and waits for JetStream's acknowledgement."),
    "receive": ("store", "The aggregator pulls it, stores it and adds it to the figures."),
}


def document(schema_paths: Mapping[str, str]) -> dict[str, Any]:
    """The whole document; `schema_paths` maps each event type to its schema, relative to the document."""
    events = {
        registry.DATA_TYPES[name].event: [n for n in schema_paths if _event(n) == _event(name)] for name in schema_paths
    }
    return {
        "asyncapi": "3.0.0",
        "id": "urn:ioc:events",
        "info": {"title": "IOC events", "version": "1.0.0", "description": _ABOUT},
        "defaultContentType": CONTENT_TYPE,
        "servers": {"broker": _SERVER},
        "channels": {event: _channel(names) for event, names in events.items()},
        "operations": {
            f"{verb}.{event}": _operation(action, event, names, summary)
            for event, names in events.items()
            for action, (verb, summary) in _SIDES.items()
        },
        "components": {
            "messages": {_short(name): _message(name, path) for name, path in schema_paths.items()},
            "messageTraits": {"event": _TRAIT},
            "parameters": {"unit": {"description": "code of the administrative unit, as in the event's `unit`"}},
            "securitySchemes": {"account": {"type": "userPassword", "description": "each emitter has its own account"}},
            "tags": {
                slug: {"name": slug, "description": f"{en} ({vi})"} for slug, (_, vi, en) in registry.SYSTEMS.items()
            },
        },
    }


_SERVER = {
    "host": "{host}",
    "protocol": "nats",
    "description": "NATS with JetStream",
    "variables": {"host": {"description": "address and port of the broker, as `ioc status` shows it"}},
    "security": [{"$ref": "#/components/securitySchemes/account"}],
}
_TRAIT = {
    "contentType": CONTENT_TYPE,
    "correlationId": {"location": "$message.payload#/id", "description": "with `source` what makes it this event"},
}


def _event(name: str) -> str:
    return registry.DATA_TYPES[name].event


def _short(name: str) -> str:
    return name.removeprefix(TYPE_PREFIX)


def _channel(names: list[str]) -> dict[str, Any]:
    data = registry.DATA_TYPES[names[0]]
    return {
        "address": subject_of(data),
        "parameters": {"unit": {"$ref": "#/components/parameters/unit"}},
        "tags": [{"$ref": f"#/components/tags/{data.system}"}],
        "messages": {_short(name): {"$ref": f"#/components/messages/{_short(name)}"} for name in names},
    }


def _operation(action: str, event: str, names: list[str], summary: str) -> dict[str, Any]:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": f"#/channels/{event}"},
        "messages": [{"$ref": f"#/channels/{event}/messages/{_short(name)}"} for name in names],
    }


def _message(name: str, path: str) -> dict[str, Any]:
    return {
        "name": name,
        "title": _short(name),
        "summary": cleandoc(registry.DATA_TYPES[name].__doc__ or "").partition("\n")[0],
        "payload": {"schemaFormat": SCHEMA_FORMAT, "schema": {"$ref": path}},
        "traits": [{"$ref": "#/components/messageTraits/event"}],
    }
