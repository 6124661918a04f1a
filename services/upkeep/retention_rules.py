"""What is kept how long: one table for the database, and the streams' own declaration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from schemas.streams import EVENTS, STREAMS

LEAST_DAYS = EVENTS.max_age.days + 30
"""The broker may send again what it still has, so the horizon stays behind the oldest of it, with a margin."""
STATE_KINDS = ("calendar", "feature", "service", "statistic", "target")
"""Kinds of entities that readings or folds need for ever, however old: they are few and grow no further."""


class RetentionRule(NamedTuple):
    """What is kept, how long, and what that means. The horizon is `IOC_RETENTION_DAYS` ago, at most a chunk more."""

    what: str
    until: str
    meaning: str


TABLES = (
    RetentionRule(
        "rollup_day, rollup_month, rollup_unit_month",
        "for ever",
        "every figure of whole days, also of days before the horizon, stays as it was",
    ),
    RetentionRule("series, source", "for ever", "a source's counters go on counting"),
    RetentionRule(
        "entity", "the horizon", "what ended before it and was not heard of since; what is open stays with its facts"
    ),
    RetentionRule(f"entity: {', '.join(STATE_KINDS)}", "for ever", "state that readings and folds need"),
    RetentionRule(
        "event, event_key", "the horizon", "an event from before it is quarantined; figures no longer open to events"
    ),
    RetentionRule("point", "the horizon", "before it, figures are of whole days only"),
)


def retention_rules() -> Iterator[RetentionRule]:
    """All rows: tables, then streams."""
    yield from TABLES
    for stream in STREAMS:
        yield RetentionRule(f"stream {stream.name}", f"{stream.max_age.days} days", stream.purpose)
