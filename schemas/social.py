"""System 8, social listening: how often a topic is mentioned, where and in what tone. Counts only, no author."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from schemas.calendar import VN
from schemas.daily import Daily
from schemas.envelope import EventData
from schemas.fold import Fold, Measure
from schemas.notes import latest
from schemas.offices import lifecycle
from schemas.types import Count, HowBad, Reference, Slug

SYSTEM = "social"
Hour = Annotated[int, Field(ge=0, le=23, description="hour of the local day, 0 to 23")]
Topic = Annotated[Slug, Field(description="code of the topic")]


class Hourly(Daily, system=SYSTEM):
    """A report about one hour of a local day."""

    hour: Hour

    def contradiction(self, time: datetime) -> str | None:
        """The hour must have begun."""
        return super().contradiction(time) or self._hour_ahead(time)

    def _hour_ahead(self, time: datetime) -> str | None:
        local = time.astimezone(VN)
        if (self.day, self.hour) <= (local.date(), local.hour):
            return None
        return f"data.hour: {self.hour} lies after the event's time {time.isoformat()}"


class MentionAggregated(
    Hourly, event="mention.aggregated", entities={"mention": ("unit", "day", "hour", "source", "topic", "tone")}
):
    """Mentions of a topic within one hour, in one source and one tone."""

    source: Literal["facebook", "zalo", "tiktok", "youtube", "news", "forum", "other"] = Field(
        description="where it was mentioned"
    )
    topic: Topic
    tone: Literal["positive", "neutral", "negative"] = Field(description="tone of the mentions")
    count: Count = Field(description="number of mentions")


class TopicSpiked(Hourly, event="topic.spiked", entities={"spike": ("unit", "day", "hour", "topic")}):
    """A topic was mentioned far more often in an hour than it usually is."""

    topic: Topic
    mentions: Count = Field(description="mentions in that hour")
    usual: Count | None = Field(None, description="mentions usual for such an hour")


class CrisisEvent(EventData, system=SYSTEM, entities={"crisis": ("crisis",)}):
    """Every event of a crisis names it by its number."""

    crisis: Reference = Field(description="number of the crisis")


class CrisisOpened(CrisisEvent, event="crisis.opened"):
    """A topic needs an answer of the authorities."""

    topic: Topic
    severity: HowBad


class CrisisClosed(CrisisEvent, event="crisis.closed"):
    """The topic has calmed down."""


EVENTS: tuple[type[EventData], ...] = (MentionAggregated, TopicSpiked, CrisisOpened, CrisisClosed)

_CRISIS = ("severity", "topic")
MEASURES = (
    Measure("mentions", "mention", ("source", "tone", "topic"), "Lượt đề cập", "Mentions", covered_by=("mentions",)),
    Measure(
        "topics_spiked",
        "spike",
        ("topic",),
        "Chủ đề tăng đột biến",
        "Sudden rises of a topic",
        covered_by=("mentions",),
    ),
    Measure(
        "crises_opened",
        "crisis",
        _CRISIS,
        "Khủng hoảng truyền thông phát sinh",
        "Crises opened",
        covered_by=("mentions",),
    ),
    Measure(
        "crises_closed",
        "crisis",
        _CRISIS,
        "Khủng hoảng truyền thông đã xử lý",
        "Crises closed",
        covered_by=("mentions",),
    ),
    Measure(
        "crisis_minutes",
        "minute",
        _CRISIS,
        "Thời gian xử lý khủng hoảng",
        "Minutes from a crisis to its end",
        covered_by=("mentions",),
    ),
)

FOLDS: dict[str, Fold] = {
    "mention": latest({"mentions": "count"}, ("source", "tone", "topic"), "day", "hour"),
    "spike": latest({"topics_spiked": None}, ("topic",), "day", "hour"),
    "crisis": lifecycle(
        opens="crisis.opened",
        closes="crisis.closed",
        opened="crises_opened",
        closed="crises_closed",
        labels=_CRISIS,
        minutes={"crisis.closed": "crisis_minutes"},
    ),
}
