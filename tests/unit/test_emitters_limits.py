"""How much one credential may send by HTTP, and for how long an emitter knows again what it has sent."""

from __future__ import annotations

from uuid import UUID

from services.ingest.limits import BURST_SECONDS, Bucket
from services.ingest.memory import Memory


class Clock:
    """A clock that stands until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_gives_a_burst_and_then_its_rate() -> None:
    clock = Clock()
    bucket = Bucket(5, clock)
    assert [bucket.take(1) for _ in range(5 * BURST_SECONDS)] == [0.0] * 50
    assert bucket.take(1) == 0.2
    clock.now = 0.2
    assert (bucket.take(1), bucket.take(1)) == (0.0, 0.2)
    clock.now = 1000.0
    assert [bucket.take(1) for _ in range(51)] == [0.0] * 50 + [0.2]


def test_what_is_larger_than_the_bucket_waits_until_it_is_full() -> None:
    clock = Clock()
    bucket = Bucket(1, clock)
    assert bucket.take(1000) == 0.0
    assert bucket.take(1) > 900


def test_to_ask_whether_there_is_room_takes_none() -> None:
    bucket = Bucket(1, Clock())
    assert [bucket.lacks(n) for n in (BURST_SECONDS, BURST_SECONDS, 1000)] == [0.0] * 3
    assert bucket.take(BURST_SECONDS) == 0.0 and bucket.lacks(3) == 3


def test_what_was_acknowledged_is_known_for_minutes_and_until_the_stream_is_another() -> None:
    clock, (one, other) = Clock(), (UUID(int=1), UUID(int=2))
    memory = Memory(seconds=10, most=2, clock=clock)
    assert memory.sequence(one) is None
    memory.keep(one, 5000)
    assert (memory.sequence(one), memory.sequence(other)) == (5000, None)
    clock.now = 10.0
    assert memory.sequence(one) is None
    memory.keep(one, 5001)
    memory.keep(other, 5002)
    memory.keep(UUID(int=3), 5003)
    assert (memory.sequence(one), memory.sequence(other)) == (None, 5002)
    memory.keep(one, 7)  # numbers that fall: a stream that was made anew
    assert (memory.sequence(one), memory.sequence(other)) == (7, None)
    memory.forget()
    assert memory.sequence(one) is None
