"""System 5, geographic information: what stands where in the locality, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from schemas.calendar_history import CalendarHistory
from schemas.envelope import EventData
from schemas.fold import Fact, Fold, Folded, Measure, Point, in_order
from schemas.notes import Noted
from schemas.offices import ByOffice
from schemas.types import Latitude, Longitude, Place, Reason, Reference, Ward

SYSTEM = "gis"
Layer = Literal[
    "unit", "one_stop", "school", "clinic", "police", "camera", "loudspeaker",
    "wifi", "sensor", "market", "park", "heritage", "other",
]  # fmt: skip


class FeatureEvent(EventData, system=SYSTEM, entities={"feature": ("feature",)}):
    """Every event of a feature names it by its number in the map's register."""

    feature: Reference = Field(description="number in the register of the map")


class FeatureUpserted(FeatureEvent, event="feature.upserted"):
    """A feature was put on the map, or what the map says of it was replaced."""

    layer: Layer = Field(description="layer of the map")
    name: Place = Field(description="public name of the feature")
    latitude: Latitude
    longitude: Longitude
    ward: Ward | None = None


class FeatureRetired(FeatureEvent, event="feature.retired"):
    """A feature is no longer there."""

    reason: Reason | None = None


EVENTS: tuple[type[EventData], ...] = (FeatureUpserted, FeatureRetired)

MEASURES = (
    Measure(
        "map_features",
        "feature",
        ("layer",),
        "Đối tượng trên bản đồ",
        "Features on the map (steps)",
        covered_by=("map_features",),
    ),
)


def fold_feature(id: str, facts: Sequence[Fact], calendars: CalendarHistory) -> Folded:
    """Steps of the stock: one more where a feature comes, one less where it goes; a new layer or unit is both."""
    ordered = in_order(facts, {"feature.upserted": 0, "feature.retired": 1})
    placed = [f for f in ordered if f.event == "feature.upserted"]
    last, known = ordered[-1], placed[-1] if placed else ordered[-1]
    retired = last.event == "feature.retired"
    folded = Folded(known.unit, known.origin, "retired" if retired else "present", state={**known.data, **last.data})
    folded.opened_at = placed[0].time if placed else None
    folded.ended_at = last.time if retired else None
    current: Fact | None = None
    for fact in ordered:
        now = fact if fact.event == "feature.upserted" else None
        if _place(current) != _place(now):
            folded.points += [_step(current, fact, -1)] if current else []
            folded.points += [_step(now, fact, 1)] if now else []
        current = now
    return folded


def _place(fact: Fact | None) -> tuple[str, str, str] | None:
    return (fact.unit, fact.origin, fact.data["layer"]) if fact else None


def _step(current: Fact, because: Fact, value: int) -> Point:
    labels = (("layer", current.data["layer"]),)
    return Point("map_features", current.unit, current.origin, labels, because.time, because.key, value)


FOLDS: dict[str, Fold] = {"feature": ByOffice(Noted(fold_feature), "feature.upserted")}
