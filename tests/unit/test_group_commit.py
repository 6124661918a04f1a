"""What is published at the same time goes together; each is told what became of it and nothing of the others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from services.ingest.group_commit import ABREAST, LARGEST, GroupCommit
from services.kit.bus import BATCH, Outgoing


class Broker:
    """Numbers what it is given; what says `no` it does not take. It answers when `open` is set."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []
        self.open, self.last = asyncio.Event(), 0
        self.open.set()

    async def send(self, messages: Sequence[Outgoing]) -> list[int | BaseException]:
        self.batches.append([message.raw for message in messages])
        await self.open.wait()
        if any(message.raw == b"outage" for message in messages):
            raise TimeoutError
        said: list[int | BaseException] = []
        for message in messages:
            self.last += message.raw != b"no"
            said.append(ValueError("no") if message.raw == b"no" else self.last)
        return said


def told(*bodies: bytes, broker: Broker | None = None) -> tuple[list[list[bytes]], list[int | BaseException]]:
    """The batches that went out for what was published at the same time, and what became of each."""

    async def run() -> tuple[list[list[bytes]], list[int | BaseException]]:
        there = broker or Broker()
        together = GroupCommit(there.send)
        puts = (together.put(Outgoing("x", body)) for body in bodies)
        return there.batches, await asyncio.gather(*puts, return_exceptions=True)

    return asyncio.run(run())


def test_one_alone_goes_alone_and_at_once() -> None:
    assert told(b"a") == ([[b"a"]], [1])


def test_what_comes_in_one_turn_goes_as_one_in_its_order() -> None:
    bodies = [b"%d" % number for number in range(BATCH + 7)]
    assert told(*bodies) == ([bodies[:BATCH], bodies[BATCH:]], list(range(1, BATCH + 8)))


def test_large_ones_make_smaller_batches() -> None:
    half = b"x" * (LARGEST // 2)
    batches, _ = told(half, half, half, b"y")
    assert [len(batch) for batch in batches] == [2, 2]


def test_one_that_is_refused_keeps_no_other_back() -> None:
    _, said = told(b"a", b"no", b"b")
    assert said[0] == 1 and isinstance(said[1], ValueError) and said[2] == 2


def test_an_outage_is_told_to_all_of_its_batch() -> None:
    _, said = told(b"a", b"outage")
    assert [type(one) for one in said] == [TimeoutError, TimeoutError]


def test_while_some_are_on_their_way_the_rest_gathers_and_who_leaves_takes_none_along() -> None:
    async def run() -> None:
        broker = Broker()
        together = GroupCommit(broker.send)
        broker.open.clear()
        puts = []
        for number in range(ABREAST + 4):
            puts.append(asyncio.create_task(together.put(Outgoing("x", b"%d" % number))))
            await asyncio.sleep(0.001)
        assert [len(batch) for batch in broker.batches] == [1] * ABREAST
        puts[-1].cancel()
        broker.open.set()
        assert await asyncio.gather(*puts[:-1]) == list(range(1, ABREAST + 4))
        assert len(broker.batches) == ABREAST + 1
        with pytest.raises(asyncio.CancelledError):
            await puts[-1]

    asyncio.run(run())
