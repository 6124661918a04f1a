"""System 5: features that come onto the map, are drawn anew, and go."""

from __future__ import annotations

from datetime import datetime

from schemas import gis as g
from services.simulator.district.courses import Course, Life, Step

SYSTEM = "gis"
_LAYERS: tuple[tuple[g.Layer, str], ...] = (
    ("camera", "Camera giám sát"), ("camera", "Camera giao thông"), ("loudspeaker", "Cụm loa thông minh"),
    ("wifi", "Điểm wifi công cộng"), ("sensor", "Trạm quan trắc"), ("school", "Trường học"), ("clinic", "Trạm y tế"),
    ("market", "Chợ"), ("park", "Công viên"),
)  # fmt: skip


def _drawn(x: Life, t: datetime) -> g.FeatureUpserted:
    ward = x.cohort.ward
    layer, name = x.dice.pick(1, _LAYERS)
    return g.FeatureUpserted(
        feature=x.code("DT"),
        layer=layer,
        name=f"{name}, {ward.name}",
        latitude=round(ward.latitude + (x.dice.unit(2) - 0.5) / 20, 6),
        longitude=round(ward.longitude + (x.dice.unit(3) - 0.5) / 20, 6),
        ward=ward.unit,
    )


def _redrawn(x: Life, t: datetime) -> g.FeatureUpserted:
    """What was taken for a camera is something else."""
    return _drawn(x, t).model_copy(update={"layer": "other"})


_DRAWN = Step(_drawn)
_GONE = Step(lambda x, t: g.FeatureRetired(feature=x.code("DT"), reason="replaced"), 3.5 * 480, door="survey")

COURSES = (
    Course("feature", SYSTEM, "counter", (_DRAWN,), often=40, door="map"),
    Course("feature_redrawn", SYSTEM, "counter", (_DRAWN, Step(_redrawn, 700, door="survey")), often=5, door="map"),
    Course("feature_gone", SYSTEM, "counter", (_DRAWN, _GONE), often=4, door="map"),
)
