"""How a panel's definition wants a value shown: its overrides, thresholds and words become a text and a colour."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from schemas.calendar import VN
from services.cli.picture.frames import Json, Value

COLOURS = {
    "text": "#dfe5ec",
    "blue": "#6ea6ff",
    "dark-blue": "#1f4fa8",
    "orange": "#ff9f40",
    "dark-orange": "#b45309",
    "yellow": "#f2cc0c",
    "green": "#6ccf8e",
    "red": "#ff6b6b",
}
"""Grafana's names of colours, as they are drawn on a dark ground."""
MUTED = "#8c98a8"
PALETTE = ("#6ea6ff", "#ff9f40", "#6ccf8e", "#d78cf0", "#f2cc0c", "#5fd0d8", "#ff8fa3", "#a7b4c5")
CALM, ALERT = COLOURS["blue"], COLOURS["orange"]
SECONDS = (("ngày", "d", 86400), ("giờ", "h", 3600), ("phút", "min", 60), ("giây", "s", 1), ("ms", "ms", 0.001))
BYTES = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "B"))
Properties: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Shown:
    """A value as it is drawn. `sign`: what its colour says, for those who cannot see it: alert, calm or nothing."""

    text: str
    colour: str
    missing: bool = False

    @property
    def sign(self) -> str:
        """`alert`, `calm` or empty."""
        return {ALERT: "alert", CALM: "calm"}.get(self.colour, "")


def properties(panel: Json, ref: str, column: str) -> dict[str, Any]:
    """What holds for a column of a query: the panel's defaults, then each override that means it."""
    config = panel.get("fieldConfig", {})
    found = dict(config.get("defaults", {}))
    found |= {f"custom.{name}": value for name, value in (found.get("custom") or {}).items()}
    for override in config.get("overrides", ()):
        if _meant(override["matcher"], ref, column):
            found |= {given["id"]: given.get("value") for given in override["properties"]}
    return found


def _meant(matcher: Json, ref: str, column: str) -> bool:
    match matcher["id"]:
        case "byName":
            return bool(matcher["options"] == column)
        case "byFrameRefID":
            return bool(matcher["options"] == ref)
        case "byRegexp":
            return bool(re.search(matcher["options"].strip("/"), column))
        case other:
            raise ValueError(f"a picture knows no matcher {other!r}")


def title(said: Properties, column: str) -> str:
    """The name of a column for people."""
    return str(said.get("displayName") or column)


def shown(value: Value, said: Properties, language: str) -> Shown:
    """A value as text and colour. What is missing says so and is never 0."""
    if value is None:
        return Shown(str(said.get("noValue") or "–"), MUTED, missing=True)
    if mapped := _mapped(value, said):
        return Shown(str(mapped.get("text", value)), colour(mapped["color"]) if mapped.get("color") else _scheme(None))
    if isinstance(value, str):
        return Shown(value, _scheme(None))
    if isinstance(value, datetime):
        return Shown(moment(value), _scheme(None))
    return Shown(figure(value, said, language), threshold(value, said))


def _mapped(value: Value, said: Properties) -> Mapping[str, Any] | None:
    key = f"{value:g}" if isinstance(value, float) else str(value)
    for mapping in said.get("mappings") or ():
        if mapping["type"] == "value" and key in mapping["options"]:
            found: Mapping[str, Any] = mapping["options"][key]
            return found
    return None


def threshold(value: float, said: Properties) -> str:
    """The colour of the highest step at or below the value; a fixed colour goes before."""
    if fixed := (said.get("color") or {}).get("fixedColor"):
        return colour(fixed)
    steps = (said.get("thresholds") or {}).get("steps") or []
    reached = [step["color"] for step in steps if step.get("value") is None or value >= step["value"]]
    return _scheme(reached[-1] if reached else None)


def _scheme(name: str | None) -> str:
    return colour(name or "text")


def colour(name: str) -> str:
    """A colour of Grafana's by its name, or as it is written."""
    return COLOURS.get(name, name if name.startswith("#") else COLOURS["text"])


def moment(t: datetime) -> str:
    """A moment of local time, to the minute."""
    return (t if t.tzinfo else t.replace(tzinfo=UTC)).astimezone(VN).strftime("%H:%M %d/%m/%Y")


def figure(value: float, said: Properties, language: str) -> str:
    """A number in its unit, written as the language writes numbers."""
    unit, decimals = str(said.get("unit") or ""), said.get("decimals")
    if unit.startswith("time:"):
        return moment(datetime.fromtimestamp(value / 1000, UTC))
    if unit == "percentunit":
        return grouped(value * 100, decimals if decimals is not None else _digits(value * 100), language) + "%"
    if unit == "s":
        return _scaled(value, [(size, f" {vi if language == 'vi' else en}") for vi, en, size in SECONDS], 1, language)
    if unit == "bytes":
        return _scaled(
            value, [(size, f" {name}") for size, name in BYTES], 1 if decimals is None else decimals, language
        )
    rate = "/s" if unit == "cps" else ""
    return grouped(value, decimals if decimals is not None else _digits(value), language) + rate


def _scaled(value: float, sizes: list[tuple[float, str]], decimals: int, language: str) -> str:
    size, name = next(((size, name) for size, name in sizes if abs(value) >= size), sizes[-1] if value else sizes[-2])
    scaled = value / size
    return grouped(scaled, 0 if scaled == round(scaled) or abs(scaled) >= 100 else decimals, language) + name


def _digits(value: float) -> int:
    return 0 if value == round(value) or abs(value) >= 1000 else 1 if abs(value) >= 10 else 2


def grouped(value: float, decimals: int, language: str) -> str:
    """Thousands grouped: 1.234,5 in Vietnamese, 1,234.5 in English."""
    text = f"{value:,.{decimals}f}"
    return text.translate(str.maketrans(",.", ".,")) if language == "vi" else text
