"""What a panel's queries answered, as frames: named columns of equal length, whatever database they come from."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias

Value: TypeAlias = str | float | datetime | None
Json: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """One column: None where there is no value, never 0."""

    name: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Frame:
    """The columns that one series, or one table, of the query `ref` brought."""

    ref: str
    columns: tuple[Column, ...] = field(default=())

    @property
    def times(self) -> tuple[Value, ...]:
        """The column of times; empty where there is none."""
        return next((c.values for c in self.columns if c.name.lower() == "time"), ())

    @property
    def figures(self) -> list[Column]:
        """The columns beside the time."""
        return [c for c in self.columns if c.name.lower() != "time"]

    def rows(self) -> list[dict[str, Value]]:
        """The frame row by row."""
        return [
            dict(zip([c.name for c in self.columns], row, strict=True))
            for row in zip(*(c.values for c in self.columns), strict=True)
        ]


def of_rows(ref: str, names: Sequence[str], rows: Iterable[Sequence[object]]) -> Frame:
    """A frame of what a database answers row by row."""
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return Frame(ref, tuple(Column(n, tuple(map(_value, values))) for n, values in zip(names, columns, strict=True)))


def of_series(target: Json, answer: Json) -> list[Frame]:
    """A frame for each series that Prometheus answers to a target (`refId`, `legendFormat`)."""
    frames = []
    for series in answer["result"]:
        points = series.get("values") or [series["value"]]
        times = tuple(datetime.fromtimestamp(float(t), UTC) for t, _ in points)
        called = legend(str(target.get("legendFormat") or ""), series["metric"])
        frames.append(
            Frame(target["refId"], (Column("Time", times), Column(called, tuple(number(v) for _, v in points))))
        )
    return frames


def of_vector(target: Json, answer: Json, several: bool) -> list[Frame]:
    """Prometheus's answer for one moment as a table: a column for each label, one for the value.

    The value's column bears the query's letter where `several` queries stand side by side.
    """
    found = answer["result"]
    labels = sorted({label for series in found for label in series["metric"]})
    value = f"Value #{target['refId']}" if several else "Value"
    rows = [
        (
            datetime.fromtimestamp(float(series["value"][0]), UTC),
            *(series["metric"].get(label) for label in labels),
            number(series["value"][1]),
        )
        for series in found
    ]
    return [of_rows(target["refId"], ["Time", *labels, value], rows)] if rows else []


def legend(pattern: str, labels: Json) -> str:
    """A series' name: the pattern with its labels filled in, or all labels where there is no pattern."""
    if not pattern:
        return ", ".join(str(v) for k, v in labels.items() if k != "__name__") or str(labels.get("__name__", "Value"))
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: str(labels.get(found[1], "")), pattern)


def number(text: str) -> float | None:
    """A sample's value; None where it is no number."""
    value = float(text)
    return value if math.isfinite(value) else None


def _value(value: object) -> Value:
    if isinstance(value, Decimal | int | float):  # booleans are 0 and 1
        return float(value) if math.isfinite(value) else None
    return value if value is None or isinstance(value, datetime) else str(value)


def transformed(frames: list[Frame], steps: Iterable[Json]) -> list[Frame]:
    """The frames after a panel's transformations; ValueError for one that is not known here."""
    for step in steps:
        match step["id"]:
            case "merge":
                frames = _merged(frames)
            case "organize":
                frames = [_organized(frame, step["options"]) for frame in frames]
            case other:
                raise ValueError(f"a picture knows no transformation {other!r}")
    return frames


def _merged(frames: list[Frame]) -> list[Frame]:
    """Rows that agree in what all frames share become one row."""
    if not frames:
        return []
    names = list(dict.fromkeys(c.name for frame in frames for c in frame.columns))
    shared = [n for n in names if all(n in {c.name for c in frame.columns} for frame in frames)]
    rows: dict[tuple[Value, ...], dict[str, Value]] = {}
    for frame in frames:
        for row in frame.rows():
            key = tuple(row[n] for n in (shared if len(frames) > 1 else names))
            rows.setdefault(key, {}).update(row)
    return [of_rows(frames[0].ref, names, ([row.get(n) for n in names] for row in rows.values()))]


def _organized(frame: Frame, how: Json) -> Frame:
    hidden, places = how.get("excludeByName", {}), how.get("indexByName", {})
    kept = [c for c in frame.columns if not hidden.get(c.name)]
    return Frame(frame.ref, tuple(sorted(kept, key=lambda c: places.get(c.name, len(places)))))
