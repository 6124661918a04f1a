"""`ioc events` and `ioc units`: what can be said to the centre, and of whom."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from services.cli.times import Day
from services.kit import clock

if TYPE_CHECKING:
    from schemas.units import Unit

FORMAT = click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)


@click.command()
@click.argument("type_", metavar="[TYPE]", required=False)
@FORMAT
def events(type_: str | None, form: str) -> None:
    """The event types, or the fields of one with a sample to send."""
    from schemas import registry

    listed = [about(name) for name in registry.DATA_TYPES] if type_ is None else details(_event_type(type_))
    if form == "json":
        click.echo(json.dumps(listed, ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(_overview(listed) if isinstance(listed, list) else _page(listed)))


@click.command()
@click.option("--date", "day", type=Day(), help="Units as of this day; today when not said.")
@click.option("--tree", is_flag=True, help="Each unit below its parent.")
@FORMAT
def units(day: date | None, tree: bool, form: str) -> None:
    """The administrative units at a date."""
    from schemas.calendar import local_day
    from schemas.units import LEVELS, at, order

    there = sorted(at(day or local_day(clock.now())), key=lambda unit: (LEVELS.index(unit.level), order(unit.code)))
    if form == "json":
        click.echo(json.dumps([_plain(unit) for unit in there], ensure_ascii=False, indent=2))
        return
    ordered = list(_below(None, there)) if tree else [(0, unit) for unit in there]
    rows = [("  " * depth + u.code, u.level, u.name_vi, u.name_en, _validity(u)) for depth, u in ordered]
    click.echo("\n".join(aligned([("CODE", "LEVEL", "NAME", "IN ENGLISH", "VALID"), *rows])))


def about(name: str) -> dict[str, Any]:
    """One event type in short: type, system in both languages, purpose, NATS subject."""
    from schemas import registry
    from schemas.contracts.json_schemas import event_schema

    schema = event_schema(name)
    _, vi, en = registry.SYSTEMS[schema["x-ioc"]["system"]]
    return {
        "type": name,
        "system": {"slug": schema["x-ioc"]["system"], "vi": vi, "en": en},
        "purpose": " ".join(schema["description"].partition("\n\n")[0].split()),
        "subject": schema["x-ioc"]["subject"],
    }


def details(name: str) -> dict[str, Any]:
    """One event type in full: besides what `about` says its attributes, fields, a sample and a line that sends it."""
    from schemas.contracts import samples
    from schemas.contracts.json_schemas import event_schema

    schema = event_schema(name)
    sample = json.loads(next(iter(samples()[name].values())))
    line = json.dumps(sample, ensure_ascii=False, separators=(",", ":"))
    return {
        **about(name),
        "attributes": [field for field in _fields(schema) if field["name"] != "data"],
        "fields": list(_fields(schema["properties"]["data"])),
        "sample": sample,
        "emit": f"echo {shlex.quote(line)} | ioc emit -",
    }


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows of text as lines with columns under each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _event_type(text: str) -> str:
    """The type meant by `dossier.submitted`, with or without prefix and version."""
    from difflib import get_close_matches

    from schemas.envelope import TYPE_PREFIX
    from schemas.registry import DATA_TYPES

    short = text.removeprefix(TYPE_PREFIX)
    for name, data in DATA_TYPES.items():
        if short in (data.event, name.removeprefix(TYPE_PREFIX)):
            return name
    near = get_close_matches(short, [data.event for data in DATA_TYPES.values()], n=3)
    hint = f"did you mean {', '.join(near)}?" if near else "`ioc events` lists them all"
    raise click.ClickException(f"no event type {text!r}; {hint}")


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


def _overview(listed: list[dict[str, Any]]) -> Iterator[str]:
    width = max(len(item["type"]) for item in listed)
    for _, group in groupby(listed, key=lambda item: item["system"]):
        members = list(group)
        yield "{vi} · {en} ({slug})".format(**members[0]["system"])
        yield from (f"  {item['type'].ljust(width)}  {item['purpose']}" for item in members)
        yield ""
    yield "`ioc events TYPE` shows the fields of one, and a sample to send."


def _page(item: dict[str, Any]) -> Iterator[str]:
    yield f"{item['type']}: {item['purpose']}"
    yield f"system   {item['system']['vi']} · {item['system']['en']}"
    yield f"subject  {item['subject']}"
    for title, fields in (("attributes", item["attributes"]), ("data", item["fields"])):
        yield f"\n{title}"
        yield from aligned([(f"  {f['name']}", _need(f), f["meaning"], f["type"]) for f in fields])
    yield f"\nsample\n{json.dumps(item['sample'], ensure_ascii=False, indent=2)}"
    yield f"\nsend it\n{item['emit']}"


def _need(field: dict[str, Any]) -> str:
    if field["required"]:
        return "required"
    return f"default {json.dumps(field['default'])}" if "default" in field else "optional"


def _below(parent: str | None, there: list[Unit]) -> Iterator[tuple[int, Unit]]:
    codes = {unit.code for unit in there}
    for unit in there:
        if (unit.parent if unit.parent in codes else None) == parent:
            yield 0, unit
            yield from ((depth + 1, child) for depth, child in _below(unit.code, there))


def _validity(unit: Unit) -> str:
    return f"{unit.valid_from or ''} … {unit.valid_to or ''}".strip() if unit.valid_from or unit.valid_to else "always"


def _plain(unit: Unit) -> dict[str, Any]:
    return {
        "code": unit.code,
        "level": unit.level,
        "name_vi": unit.name_vi,
        "name_en": unit.name_en,
        "parent": unit.parent,
        "valid_from": _iso(unit.valid_from),
        "valid_to": _iso(unit.valid_to),
        "successors": list(unit.successors),
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


COMMANDS = (events, units)
