"""System 5: features that come onto the map, are drawn anew, and go."""

from __future__ import annotations

from datetime import datetime

from schemas import gis as g
from services.simulator.district.rng import Dice
from services.simulator.district.workflows import Life, Step, Workflow

SYSTEM = "gis"
What = tuple[g.Layer, str]
_CAMERA: What = "camera", "Camera giám sát"
_TRAFFIC_CAMERA: What = "camera", "Camera giao thông"
_LOUDSPEAKERS: What = "loudspeaker", "Cụm loa thông minh"
_WIFI: What = "wifi", "Điểm wifi công cộng"
_SENSOR: What = "sensor", "Trạm quan trắc"
_NEW = (_CAMERA, _TRAFFIC_CAMERA, _LOUDSPEAKERS, _WIFI, _SENSOR)
_STANDING: tuple[What, ...] = (
    *(_CAMERA,) * 12, *(_TRAFFIC_CAMERA,) * 6, *(_LOUDSPEAKERS,) * 8, *(_WIFI,) * 4, _SENSOR,
    ("school", "Trường mầm non"), ("school", "Trường tiểu học"), ("school", "Trường trung học cơ sở"),
    ("clinic", "Trạm y tế"), ("market", "Chợ"), ("park", "Công viên"),
)  # fmt: skip
"""What a ward has; it is told of anew every week."""


def _existing(x: Life, t: datetime) -> g.FeatureUpserted:
    """The same feature in the same place each week."""
    name = f"DT-T{x.cohort.tag}-U{x.cohort.ward.number:02d}N{x.number:06d}"
    return _feature(x, name, _STANDING[x.number], Dice(name))


def _drawn(x: Life, t: datetime) -> g.FeatureUpserted:
    return _feature(x, x.code("DT"), x.dice.pick(1, _NEW), x.dice)


def _feature(x: Life, code: str, what: What, dice: Dice) -> g.FeatureUpserted:
    ward, (layer, name) = x.cohort.ward, what
    return g.FeatureUpserted(
        feature=code,
        layer=layer,
        name=f"{name}, {ward.name}",
        latitude=round(ward.latitude + (dice.unit(2) - 0.5) / 20, 6),
        longitude=round(ward.longitude + (dice.unit(3) - 0.5) / 20, 6),
        ward=ward.unit,
    )


def _redrawn(x: Life, t: datetime) -> g.FeatureUpserted:
    """What was taken for a camera is something else."""
    return _drawn(x, t).model_copy(update={"layer": "other"})


_DRAWN = Step(_drawn)
_GONE = Step(lambda x, t: g.FeatureRetired(feature=x.code("DT"), reason="replaced"), 3.5 * 480, door="survey")

COURSES = (
    Workflow("standing", SYSTEM, "week_begins", (Step(_existing),), fixed=len(_STANDING), door="map"),
    Workflow("feature", SYSTEM, "counter", (_DRAWN,), often=0.5, door="map"),
    Workflow(
        "feature_redrawn", SYSTEM, "counter", (_DRAWN, Step(_redrawn, 700, door="survey")), often=0.15, door="map"
    ),
    Workflow("feature_gone", SYSTEM, "counter", (_DRAWN, _GONE), often=0.15, door="map"),
)
