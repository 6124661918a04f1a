"""The body of a request, no larger and no slower than it may be."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive


def bounded(receive: Receive, largest: int, seconds: float) -> Receive:
    """`receive` for a body of at most `largest` bytes, all of which come within `seconds`; who reads on gets an
    `HTTPException` 413 or 408."""
    size, until = 0, asyncio.get_running_loop().time() + seconds

    async def give() -> Message:
        nonlocal size
        try:
            async with asyncio.timeout_at(until):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, f"the body did not arrive within {seconds:.0f} s", _CLOSE) from None
        size += len(message.get("body", b""))
        if size > largest:
            raise HTTPException(413, f"a body may have {largest:,} bytes", _CLOSE)
        return message

    return give


_CLOSE = {"Connection": "close"}
