"""A target that a second workbook changes: the later one counts, and nothing contradicts itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from schemas.calendar_history import CalendarHistory
from schemas.economy import FOLDS, IndicatorTargetSet
from schemas.envelope import Event
from schemas.fold import Fact
from services.kit.imports import SOURCE, _stated, event_of

SET = datetime(2026, 1, 5, tzinfo=UTC)
TODAY = date(2026, 3, 2)


def stated(target: int, at: datetime) -> Event:
    data = IndicatorTargetSet(
        indicator="production_value", period_start=date(2026, 1, 1), period_end=date(2026, 12, 31),
        target=Decimal(target),
    )  # fmt: skip
    return event_of("economy", "phuong_chon_thanh", at, data)


def fact(event: Event) -> Fact:
    return Fact(event.time, event.key.hex, event.data.event, event.unit, event.origin, event.fields)


def test_a_target_that_a_second_workbook_changes_is_a_revision_and_no_contradiction() -> None:
    first, second = stated(100, SET), stated(120, SET + timedelta(days=1))
    assert first.source.startswith(SOURCE)
    known = {ref: [fact(first)] for ref in first.touches}
    sent = _stated(second, known, TODAY)
    assert not sent.known and sent.event.fields["revision"] == 1
    folded = FOLDS["target"]("target", [fact(first), fact(sent.event)], CalendarHistory())
    assert folded.notes == [] and Decimal(folded.state["target"]) == 120
    assert "revision" not in first.fields, "what was sent before this field was there has the same digest"


def test_what_a_file_said_before_its_correction_it_does_not_say_anew() -> None:
    first, second = stated(100, SET), stated(120, SET + timedelta(days=1))
    correction = _stated(second, {ref: [fact(first)] for ref in first.touches}, TODAY).event
    facts = {ref: [fact(first), fact(correction)] for ref in first.touches}
    again = _stated(first, facts, TODAY, own={first.key.hex})
    assert again.known and again.outdated and again.key == first.key.hex
    other = _stated(first, facts, TODAY)
    assert not other.known and other.event.fields["revision"] == 2, "another file may say so: it is a correction"
    assert not _stated(second, facts, TODAY, own={first.key.hex}).outdated, "what is in force is known"
