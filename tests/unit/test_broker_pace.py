"""What keys send by connections of their own is taken from what they may send, by what the broker's nodes tell."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from schemas.keys import Bounds
from services.ingest.broker_pace import BrokerPace, surplus
from services.ingest.keyring import Keyring
from services.ingest.limits import BURST_SECONDS
from services.kit.keys import Key

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
RATE, SIZE = 5, 1000.0
AT_ONCE = RATE * BURST_SECONDS
QUICK, SLOW = "nhanh", "cham"


def told(server: str = "A", **sent: tuple[int, int]) -> bytes:
    """What a node tells: `c7_nhanh=(messages, bytes)` is of the connection 7 of a user."""
    connections = []
    for name, (messages, size) in sent.items():
        number, _, user = name[1:].partition("_")
        connections.append({"cid": int(number), "authorized_user": user, "in_msgs": messages, "in_bytes": size})
    return json.dumps({"server": {"id": server}, "data": {"connections": connections}}).encode()


@pytest.fixture
def pace() -> BrokerPace:
    keyring = Keyring(cast(Any, None), SIZE)
    until = NOW + timedelta(days=1)
    keyring.know(
        [Key(Bounds(name, f"/{name}", ("health",)), RATE, NOW, until, None, None, {}) for name in (QUICK, SLOW)]
    )
    pace = BrokerPace(keyring)
    assert pace.over([told(c1_nhanh=(10**6, 10**9), c2_cham=(1, 1), c3_aggregator=(10**6, 1))]) == []
    return pace


def test_who_keeps_within_its_rate_goes_on_and_who_does_not_is_named_and_waits(pace: BrokerPace) -> None:
    of_before = (10**6 + AT_ONCE, 10**9)
    assert pace.over([told(c1_nhanh=of_before, c2_cham=(1 + 2 * AT_ONCE, 1), c3_aggregator=(10**7, 1))]) == [SLOW]
    assert pace.wait(QUICK) == 0 and 8 < pace.wait(SLOW) <= BURST_SECONDS
    assert pace.over([told(c1_nhanh=of_before)]) == []


def test_what_a_connection_sent_before_it_ended_counts_and_each_node_counts_alone(pace: BrokerPace) -> None:
    ended = told(c7_cham=(2 * AT_ONCE, 1))
    assert pace.over([ended, told("B", c1_nhanh=(AT_ONCE, 1))]) == [SLOW]
    assert pace.over([ended, told("B", c1_nhanh=(AT_ONCE, 1))]) == [], "it is counted once"
    assert pace.over([ended, told("B", c1_nhanh=(AT_ONCE + 3 * RATE, 1))]) == [QUICK]


def test_bytes_are_bounded_too_and_nobody_pays_who_has_no_key(pace: BrokerPace) -> None:
    large = int(2 * SIZE * BURST_SECONDS)
    assert pace.over([told(c8_cham=(1, large), c9_stranger=(10**6, 10**9))]) == [SLOW]
    assert pace.wait("stranger") == 0 and pace.over([told()]) == []


def test_beyond_its_share_a_users_newest_connections_are_named_and_nobody_elses() -> None:
    held = {f"c{number}_emitter_field": (1, 1) for number in range(1, 8)}
    assert set(surplus(told("B", c9_board=(1, 1), **held), 5)) == {("B", 6), ("B", 7)}
    assert not list(surplus(told(**held), 7))
