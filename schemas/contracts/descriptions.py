"""The contracts in short, as a person reads them: what a type is for, its fields, a sample and how to send it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from difflib import get_close_matches
from itertools import groupby
from typing import Any

from schemas.contracts import samples
from schemas.contracts.json_schemas import event_schema
from schemas.envelope import TYPE_PREFIX
from schemas.registry import DATA_TYPES, SYSTEMS
from schemas.text.columns import aligned


def event_type(text: str) -> str:
    """The type meant by `dossier.submitted`, with or without prefix and version; ValueError names near ones."""
    short = text.removeprefix(TYPE_PREFIX)
    for name, data in DATA_TYPES.items():
        if short in (data.event, name.removeprefix(TYPE_PREFIX)):
            return name
    near = get_close_matches(short, [data.event for data in DATA_TYPES.values()], n=3)
    hint = f"did you mean {', '.join(near)}?" if near else "`ioc events` lists them all"
    raise ValueError(f"no event type {text!r}; {hint}")


def outline(name: str) -> dict[str, Any]:
    """One event type in short: type, system in both languages, purpose, NATS subject."""
    schema = event_schema(name)
    _, vi, en = SYSTEMS[schema["x-ioc"]["system"]]
    return {
        "type": name,
        "system": {"slug": schema["x-ioc"]["system"], "vi": vi, "en": en},
        "purpose": " ".join(schema["description"].partition("\n\n")[0].split()),
        "subject": schema["x-ioc"]["subject"],
    }


def details(name: str) -> dict[str, Any]:
    """One event type in full: besides what `outline` says its attributes, fields, a sample and a line that sends it."""
    schema = event_schema(name)
    sample = json.loads(next(iter(samples()[name].values())))
    line = json.dumps(sample, ensure_ascii=False, separators=(",", ":"))
    return {
        **outline(name),
        "attributes": [field for field in _fields(schema) if field["name"] != "data"],
        "fields": list(_fields(schema["properties"]["data"])),
        "sample": sample,
        "emit": f"echo {shlex.quote(line)} | ioc emit -",
    }


def _fields(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name, spec in schema["properties"].items():
        yield {
            "name": name,
            "type": _form(spec),
            "required": name in schema["required"],
            **({"default": spec["default"]} if spec.get("default") is not None else {}),
            "meaning": spec["description"],
        }


def _form(spec: dict[str, Any]) -> str:
    """What a value looks like, in a few words."""
    if "anyOf" in spec:
        return " or ".join(_form(branch) for branch in spec["anyOf"] if branch.get("type") != "null")
    if "const" in spec or "enum" in spec:
        return " | ".join(map(str, spec.get("enum") or [spec["const"]]))
    limits = [f"{word} {spec[key]}" for key, word in (("minimum", "from"), ("maximum", "to")) if key in spec]
    return " ".join([spec.get("format") or spec["type"], *limits, *([spec["pattern"]] if "pattern" in spec else [])])


def outline_lines(listed: list[dict[str, Any]]) -> Iterator[str]:
    """Outlines by system, for people."""
    width = max(len(item["type"]) for item in listed)
    for _, group in groupby(listed, key=lambda item: item["system"]):
        members = list(group)
        yield "{vi} · {en} ({slug})".format(**members[0]["system"])
        yield from (f"  {item['type'].ljust(width)}  {item['purpose']}" for item in members)
        yield ""
    yield "`ioc events TYPE` shows the fields of one, and a sample to send."


def detail_lines(item: dict[str, Any]) -> Iterator[str]:
    """The details of one type, for people."""
    yield f"{item['type']}: {item['purpose']}"
    yield f"system   {item['system']['vi']} · {item['system']['en']}"
    yield f"subject  {item['subject']}"
    for title, fields in (("attributes", item["attributes"]), ("data", item["fields"])):
        yield f"\n{title}"
        yield aligned([(f"  {f['name']}", _need(f), f["meaning"], f["type"]) for f in fields])
    yield f"\nsample\n{json.dumps(item['sample'], ensure_ascii=False, indent=2)}"
    yield f"\nsend it\n{item['emit']}"


def _need(field: dict[str, Any]) -> str:
    if field["required"]:
        return "required"
    return f"default {json.dumps(field['default'])}" if "default" in field else "optional"
