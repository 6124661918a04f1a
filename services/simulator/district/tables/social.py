"""System 8: each hour what is said of the locality and in which tone; topics that spike, crises that come and go."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from schemas import social as so
from schemas.types import Severity
from services.simulator.district.workflows import Life, Step, Workflow

SYSTEM = "social"
Source = Literal["facebook", "zalo", "tiktok", "news"]
_SOURCES: tuple[Source, ...] = ("facebook", "zalo", "tiktok")
_TOPICS = ("giao_thong", "moi_truong", "dat_dai", "thu_tuc_hanh_chinh", "y_te", "giao_duc", "an_ninh_trat_tu")
_TONES: tuple[Literal["positive", "neutral", "negative"], ...] = ("positive", "neutral", "neutral", "neutral", "negative")  # fmt: skip
_SEVERITIES: tuple[Severity, ...] = ("low", "medium", "medium", "high")


def _hour(x: Life) -> dict[str, Any]:
    """The hour in whose second half the life began."""
    return {"day": x.cohort.start.date(), "hour": x.cohort.start.hour}


def _mentions(x: Life, source: Source, revision: int = 0) -> so.MentionAggregated:
    return so.MentionAggregated(
        **_hour(x),
        source=source,
        topic=x.dice.pick(1, _TOPICS),
        tone=x.dice.pick(2, _TONES),
        count=x.dice.between(3, 1, 1 + x.cohort.ward.share // 4) + 2 * revision,
        revision=revision,
    )


def _spiked(x: Life, t: datetime) -> so.TopicSpiked:
    return so.TopicSpiked(**_hour(x), topic=x.dice.pick(1, _TOPICS), mentions=x.dice.between(2, 30, 120), usual=8)


def _opened(x: Life, t: datetime) -> so.CrisisOpened:
    return so.CrisisOpened(crisis=x.code("KH"), topic=x.dice.pick(1, _TOPICS), severity=x.dice.pick(2, _SEVERITIES))


_NEWS = Step(lambda x, t: _mentions(x, "news"))
_RECOUNTED = Step(lambda x, t: _mentions(x, "news", 1), plus=95)
_CALMED = Step(lambda x, t: so.CrisisClosed(crisis=x.code("KH")), plus=1700)

COURSES = (
    Workflow("mentions", SYSTEM, "every_hour", (Step(lambda x, t: _mentions(x, _SOURCES[x.number])),), fixed=len(_SOURCES), door="listening"),
    Workflow("mentions_recounted", SYSTEM, "every_hour", (_NEWS, _RECOUNTED), fixed=1, door="news"),
    Workflow("spike", SYSTEM, "every_hour", (Step(_spiked),), fixed=0.004, door="listening"),
    Workflow("crisis", SYSTEM, "every_hour", (Step(_opened), _CALMED), fixed=0.001, door="listening"),
)  # fmt: skip
