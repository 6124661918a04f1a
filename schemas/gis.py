"""System 5, geographic information: what stands where in the locality, layer by layer, and which devices work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

from pydantic import Field

from schemas.calendar_history import CalendarHistory
from schemas.envelope import EventData
from schemas.fold import Fact, Fold, Folded, Labels, Measure, Note, Point, in_order, labels_of
from schemas.notes import Noted
from schemas.offices import ByOffice
from schemas.types import Count, Latitude, Longitude, Place, Reason, Reference, Ward

SYSTEM = "gis"
Layer = Literal[
    "unit", "one_stop", "school", "clinic", "police", "camera", "loudspeaker",
    "wifi", "sensor", "market", "park", "heritage", "other",
]  # fmt: skip
Kind = Literal["camera", "loudspeaker", "sensor", "wifi", "other"]
State = Literal["online", "offline", "faulty", "retired"]


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


class DeviceStateChanged(EventData, event="device.state_changed", system=SYSTEM, entities={"device": ("device",)}):
    """A device (camera, loudspeaker …) began or ceased to work, was first seen, or was taken away."""

    device: Reference = Field(description="number in the office's register of devices")
    kind: Kind = Field(description="what it is")
    state: State = Field(description="how it is from now on; `retired`: it is no longer there and counts no more")
    counter: Count | None = Field(
        None, description="how many changes of its state the device itself has counted, this one among them"
    )


EVENTS: tuple[type[EventData], ...] = (FeatureUpserted, FeatureRetired, DeviceStateChanged)

MEASURES = (
    Measure(
        "map_features",
        "feature",
        ("layer",),
        "Đối tượng trên bản đồ",
        "Features on the map (steps)",
        covered_by=("map_features",),
    ),
    Measure(
        "devices",
        "device",
        ("kind", "state"),
        "Thiết bị hiện trường",
        "Devices (steps)",
        covered_by=("devices",),
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


def fold_device(id: str, facts: Sequence[Fact], calendars: CalendarHistory) -> Folded:
    """Steps of the stock: one less of what the device was, one more of what it is, where these differ."""
    ordered = in_order(facts)
    last = ordered[-1]
    retired = last.data["state"] == "retired"
    folded = Folded(last.unit, last.origin, last.data["state"], opened_at=ordered[0].time, state=last.data)
    folded.ended_at = last.time if retired else None
    current: Fact | None = None
    for fact in ordered:
        if _counted(current) != _counted(fact):
            folded.points += [
                Point("devices", *series, fact.time, fact.key, value)
                for series, value in ((_counted(current), -1), (_counted(fact), 1))
                if series
            ]
        current = fact
    return folded


def _counted(fact: Fact | None) -> tuple[str, str, Labels] | None:
    """The series in which a device counts; None: in none."""
    if fact is None or fact.data["state"] == "retired":
        return None
    return fact.unit, fact.origin, labels_of(fact.data, ("kind", "state"))


def _changes_missed(facts: Sequence[Fact], folded: Folded) -> Iterator[Note]:
    """Where a device has counted more changes than were told. A counter that falls is that of a device begun anew."""
    counted = [fact for fact in in_order(facts) if "counter" in fact.data]
    for before, fact in pairwise(counted):
        counters = [before.data["counter"], fact.data["counter"]]
        if counters[1] - counters[0] > 1:
            yield Note("changes_missed", fact.key, fact.time, fact.unit, {"counter": counters})


FOLDS: dict[str, Fold] = {
    "feature": ByOffice(Noted(fold_feature), "feature.upserted"),
    "device": ByOffice(Noted(fold_device, checks=(_changes_missed,)), DeviceStateChanged.event),
}
