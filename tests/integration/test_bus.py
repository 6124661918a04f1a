"""The streams as they are made, and publishing many messages to one that refuses them."""

from __future__ import annotations

import asyncio
import time
from itertools import chain, islice

import pytest

from infra.local.configure import broker_storage
from infra.local.servers import Instance
from schemas.contracts import samples
from schemas.registry import parse
from schemas.streams import EVENTS, STREAMS
from services.centre.prepare import settings_of
from services.kit import bus, clock
from services.kit.errors import Unavailable


def test_the_streams_share_what_this_disk_has_for_the_broker(centre: Instance) -> None:
    async def promised() -> float:
        async with bus.connected(settings_of(centre, "admin"), "test") as client:
            js = client.jetstream()
            return sum([(await js.stream_info(stream.name)).config.max_bytes or 0 for stream in STREAMS])

    assert 0.8 < asyncio.run(promised()) / (broker_storage(centre.data) or 0) <= 1


async def _limit(centre: Instance, size: int) -> int:
    """Set how many bytes the stream of events may hold; what it might before."""
    async with bus.connected(settings_of(centre, "admin"), "test") as client:
        js = client.jetstream()
        config = (await js.stream_info(EVENTS.name)).config
        before, config.max_bytes = config.max_bytes, size
        await js.update_stream(config)
        return before or -1


async def _publish_in_vain(centre: Instance) -> int:
    """Publish to a full stream; how many messages the client still believes to be on their way."""
    events = [parse(text.encode(), clock.now()) for variants in samples().values() for text in variants.values()]
    async with bus.connected(settings_of(centre, "cli"), "test") as client:
        js = client.jetstream()
        with pytest.raises(Unavailable, match="maximum bytes exceeded"):
            await bus.publish_many(js, events)
        await asyncio.sleep(0)  # what is given up is counted off a moment later
        return js.publish_async_pending()


def test_a_full_stream_is_told_at_once_and_leaves_nothing_behind(centre: Instance) -> None:
    before = asyncio.run(_limit(centre, 1))
    began = time.monotonic()
    try:
        assert asyncio.run(_publish_in_vain(centre)) == 0
    finally:
        asyncio.run(_limit(centre, before))
    assert time.monotonic() - began < bus.PATIENCE / 2


def test_what_goes_together_is_numbered_as_it_lies_in_the_stream_and_a_refused_one_is_told_alone(
    centre: Instance,
) -> None:
    events = [
        parse(text.encode(), clock.now())
        for text in islice(chain.from_iterable(map(dict.values, samples().values())), 5)
    ]
    good = [bus.outgoing(event) for event in events]
    strange = bus.Outgoing("ioc.nowhere", b"{}")

    async def run() -> None:
        async with (
            bus.connected(settings_of(centre, "cli"), "test") as client,
            bus.connected(settings_of(centre, "admin"), "test") as looking,
        ):
            js = client.jetstream()
            numbers = await bus.deliver_together(js, good)
            assert numbers == list(range(min(numbers), min(numbers) + len(good)))
            lie = [(await looking.jetstream().get_msg(EVENTS.name, number)).data for number in numbers]
            assert lie == [message.raw for message in good]
            one, refused, other = await bus.deliver_together(js, [good[0], strange, good[1]], 2)
            assert isinstance(one, int) and isinstance(other, int) and isinstance(refused, BaseException)
            (alone,) = await bus.deliver_together(js, good[:1])
            assert isinstance(alone, int) and alone > max(one, other)

    asyncio.run(run())
