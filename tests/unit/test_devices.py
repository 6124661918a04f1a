"""Devices: the fold of what they were told to be, and what is understood of what they say by MQTT."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from chance import examples
from hypothesis import given
from hypothesis import strategies as st

from schemas.calendar_history import CalendarHistory
from schemas.fold import Fact, Folded, in_order
from schemas.keys import Bounds
from schemas.registry import FOLDS, parse
from services.ingest.callout import Refused as NotLetIn
from services.ingest.callout import device_permissions
from services.ingest.devices import Devices, topic
from services.ingest.keyring import Keyring
from services.ingest.router import Refused
from services.kit.keys import Key

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


# --- what a device says ---

KEY = Key(Bounds("tram-camera", "/cameras", ("gis",), (UNIT,)), 100, START, START + timedelta(days=400), None, None, {})
SUBJECT = f"ioc.devices.{UNIT}.CAM-1//2.tram-camera"
HEARD = START + timedelta(hours=1)


def understood(body: Any, subject: str = SUBJECT, key: Key = KEY) -> Any:
    keyring = Keyring(cast(Any, None), 2**20)
    keyring._keys = {key.bounds.name: key}
    devices = Devices(keyring, cast(Any, None), cast(Any, None))
    return devices.understood(subject, body if isinstance(body, bytes) else json.dumps(body).encode(), HEARD)


def test_a_topic_names_unit_device_and_key() -> None:
    assert topic(SUBJECT) == (UNIT, "CAM-1.2", "tram-camera")


def test_what_a_device_says_is_an_event_of_its_key() -> None:
    event, by = understood({"kind": "camera", "state": "offline", "counter": 3, "at": "2026-11-02T08:30:00+07:00"})
    assert by == "tram-camera" and (event.source, event.unit) == ("/cameras", UNIT)
    assert event.fields == {"device": "CAM-1.2", "kind": "camera", "state": "offline", "counter": 3}
    assert event.time == START + timedelta(minutes=30)
    assert parse(event.to_json(), HEARD) == event
    assert understood({"kind": "camera", "state": "offline"})[0].time == HEARD


def test_what_stands_behind_a_byte_order_mark_is_taken() -> None:
    marked, _ = understood(json.dumps({"kind": "camera", "state": "offline"}).encode("utf-8-sig"))
    assert marked.fields["state"] == "offline"


def test_a_clock_that_is_a_little_ahead_is_not_believed() -> None:
    ahead = (HEARD + timedelta(minutes=20)).isoformat()
    assert understood({"kind": "camera", "state": "online", "at": ahead})[0].time == HEARD


SOUND = {"kind": "camera", "state": "online"}


@pytest.mark.parametrize(
    ("body", "subject", "code"),
    [
        (b"{", SUBJECT, "not_json"),
        (b"", SUBJECT, "not_json"),
        (b"\xff\xfe", SUBJECT, "not_json"),
        (b"[]", SUBJECT, "bad_words"),
        (b'{"kind": "camera", "kind": "sensor", "state": "online"}', SUBJECT, "bad_words"),
        (SOUND | {"owner": "somebody"}, SUBJECT, "bad_words"),
        (SOUND | {"kind": "drone"}, SUBJECT, "bad_words"),
        (SOUND | {"counter": -1}, SUBJECT, "bad_words"),
        (SOUND | {"counter": "3"}, SUBJECT, "bad_words"),
        (SOUND | {"at": "1780272000"}, SUBJECT, "bad_value"),
        (SOUND | {"at": (HEARD + timedelta(hours=3)).isoformat()}, SUBJECT, "impossible_time"),
        (b" " * 4097, SUBJECT, "too_large"),
        (SOUND, SUBJECT.replace("CAM-1//2", "camera"), "bad_words"),
        (SOUND, SUBJECT.replace("CAM-1//2", "CAM-0912345678"), "personal_data"),
        (SOUND, SUBJECT.replace(UNIT, "nowhere"), "wrong_unit"),
        (SOUND, SUBJECT.replace(UNIT, "phuong_binh_long"), "not_yours"),
        (SOUND, SUBJECT.replace("tram-camera", "another"), "not_yours"),
    ],
)
def test_what_is_wrong_is_refused_and_not_repeated(body: Any, subject: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        understood(body, subject)
    assert caught.value.problem.code == code
    assert "0912345678" not in str(caught.value.problem) and "somebody" not in str(caught.value.problem)


def test_a_key_says_no_more_than_it_may() -> None:
    slow = Key(KEY.bounds, 0.1, START, KEY.expires_at, None, None, {})
    keyring = Keyring(cast(Any, None), 2**20)
    keyring._keys = {"tram-camera": slow}
    devices = Devices(keyring, cast(Any, None), cast(Any, None))
    body = json.dumps(SOUND).encode()
    devices.understood(SUBJECT, body, HEARD)
    with pytest.raises(Refused) as caught:
        devices.understood(SUBJECT, body, HEARD)
    assert caught.value.problem.code == "too_many"


def test_a_keys_devices_tell_their_state_and_hear_nothing() -> None:
    rights = device_permissions(KEY)
    assert f"ioc.devices.{UNIT}.*.tram-camera" in rights["pub"]["allow"]
    assert all(subject.startswith("ioc.devices.") for subject in rights["pub"]["allow"])
    assert rights["sub"] == {"deny": [">"]}
    everywhere = Bounds("x-y-z", "/x", ("gis", "field"))
    assert everywhere.devices() == ["ioc.devices.*.*.x-y-z"]
    clinic = Key(Bounds("tram", "/tram", ("health",)), 1, START, KEY.expires_at, None, None, {})
    with pytest.raises(NotLetIn):
        device_permissions(clinic)
