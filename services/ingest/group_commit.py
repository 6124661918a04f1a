"""What is published at the same time goes to the broker as one batch: a hundred events are synced to disk and answered
at a stroke, and one that comes alone waits for nobody."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from services.kit.bus import BATCH, Outgoing

LARGEST = 2**20
"""Bytes of a batch."""
ABREAST = 3
"""Batches on their way at a time: while so many are, what comes gathers for the next."""
Send = Callable[[Sequence[Outgoing]], Awaitable[Sequence[int | BaseException]]]


class GroupCommit:
    """Gathers messages for `send`, which gives the number of each in the stream, or why it has none."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: deque[tuple[Outgoing, asyncio.Future[int]]] = deque()
        self._flights: set[asyncio.Task[None]] = set()
        self._due = False

    async def put(self, message: Outgoing) -> int:
        """The message's number in the stream, once it is on disk. Raises why it has none."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[int] = loop.create_future()
        self._waiting.append((message, answer))
        self._begin()
        return await answer

    def _begin(self) -> None:
        # At the end of this turn of the loop: whoever publishes in it comes along.
        if self._waiting and not self._due and len(self._flights) < ABREAST:
            self._due = True
            asyncio.get_running_loop().call_soon(self._go)

    def _go(self) -> None:
        self._due = False
        flight = asyncio.create_task(self._together(self._taken()))
        self._flights.add(flight)
        flight.add_done_callback(self._landed)
        self._begin()

    def _taken(self) -> list[tuple[Outgoing, asyncio.Future[int]]]:
        """The oldest, as many as make a batch."""
        taken, size = [self._waiting.popleft()], 0
        while self._waiting and len(taken) < BATCH and (size := size + len(taken[-1][0].raw)) < LARGEST:
            taken.append(self._waiting.popleft())
        return taken

    async def _together(self, taken: Sequence[tuple[Outgoing, asyncio.Future[int]]]) -> None:
        told: Sequence[int | BaseException]
        try:
            told = await self._send([message for message, _ in taken])
        except Exception as error:
            told = [error] * len(taken)
        for (_, answer), said in zip(taken, told, strict=True):
            if answer.done():  # whoever asked is gone
                continue
            if isinstance(said, int):
                answer.set_result(said)
            else:
                answer.set_exception(said)

    def _landed(self, flight: asyncio.Task[None]) -> None:
        self._flights.discard(flight)
        self._begin()
