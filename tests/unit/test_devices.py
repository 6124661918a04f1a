"""Devices: the fold of what they were told to be."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from chance import examples
from hypothesis import given
from hypothesis import strategies as st

from schemas.calendar_history import CalendarHistory
from schemas.fold import Fact, Folded, in_order
from schemas.registry import FOLDS

START, UNIT = datetime(2026, 11, 2, 1, tzinfo=UTC), "phuong_chon_thanh"


def told(minute: int, state: str, counter: int | None = None, kind: str = "camera") -> Fact:
    data = {"device": "CAM-1", "kind": kind, "state": state} | ({} if counter is None else {"counter": counter})
    key = f"{minute}/{state}/{counter}/{kind}"
    return Fact(START + timedelta(minutes=minute), key, "device.state_changed", UNIT, "real", data)


def fold(facts: list[Fact]) -> Folded:
    return FOLDS["device"]("CAM-1", in_order(facts), CalendarHistory())


def stock(folded: Folded) -> dict[Any, Any]:
    sums: Counter[Any] = Counter()
    for point in folded.points:
        sums[dict(point.labels)["kind"], dict(point.labels)["state"]] += point.value  # type: ignore[assignment]
    return {series: value for series, value in sums.items() if value}


FACTS = st.lists(
    st.builds(
        told,
        st.integers(0, 60),
        st.sampled_from(["online", "offline", "faulty", "retired"]),
        st.none() | st.integers(0, 9),
        st.sampled_from(["camera", "sensor"]),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda fact: fact.key,
)


@examples(60)
@given(FACTS, st.randoms(use_true_random=False))
def test_a_device_is_in_one_state_or_none_whatever_the_order_of_arrival(
    facts: list[Fact], chance: random.Random
) -> None:
    folded, last = fold(facts), in_order(facts)[-1].data
    expected = {} if last["state"] == "retired" else {(last["kind"], last["state"]): 1}
    assert stock(folded) == expected
    assert (folded.ended_at is not None) == (last["state"] == "retired")
    chance.shuffle(facts)
    assert fold(facts) == folded


def test_a_change_is_a_step_and_a_repetition_none() -> None:
    folded = fold([told(0, "online", 1), told(5, "offline", 2), told(9, "offline", 2)])
    assert [(dict(p.labels)["state"], p.value) for p in folded.points] == [
        ("online", 1),
        ("online", -1),
        ("offline", 1),
    ]
    assert [note.code for note in folded.notes] == ["repeated"]


def test_changes_that_were_missed_are_a_finding_and_a_restart_is_none() -> None:
    facts = [told(0, "online", 1), told(1, "offline"), told(2, "online", 4), told(3, "online", 0), told(4, "faulty", 1)]
    notes = [(note.code, note.said) for note in fold(facts).notes]
    assert notes == [("changes_missed", {"counter": [1, 4]})]


def test_the_same_state_told_with_missed_changes_between_is_said_too() -> None:
    folded = fold([told(0, "online", 1), told(5, "online", 3)])
    assert stock(folded) == {("camera", "online"): 1}
    assert [note.code for note in folded.notes] == ["changes_missed"]
