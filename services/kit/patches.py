"""Where libraries are mended from outside: what each lacks upstream, and what would go wrong without the patch.

Whoever raises a pinned version looks here first: a patch whose lack is made good is deleted.

| library | what it lacks | without the patch |
|---|---|---|
| nats-py 2.16 | `publish_async` gives a refusal of the broker to nobody | its future is waited for in vain |
| nats-py 2.16 | a header block that is none ends the connection | the message comes again, for ever, and nothing else |
| nats-py 2.16 | goes on by `tls://…` where the broker offers no TLS | whoever stands between hears the password |
| nats-py 2.16 | looks at each letter of a header's name for spaces | a tenth of the time that a fetch takes |
| FastStream 0.7.8 | a batch has no bound in bytes | a batch of large messages fills the memory |
| FastStream 0.7.8 | its loop knows nats-py's own `TimeoutError` alone | it dies with messages in hand, without a word |

Reading ahead in nats-py's queue of a subscription (`pull._next`) patches nothing, but knows its private names as well.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import APIError

log = logging.getLogger(__name__)
Reader = JetStreamContext.PullSubscription
Fetch = Callable[[Reader, int, float, int], Awaitable[list[Msg]]]
LIBRARY_HEADERS = Client._parse_header_lines
"""How nats-py reads them itself."""


@cache
def nats_py() -> None:
    """Mend what every connection to the broker needs, once in a process."""
    _hear_refusals()
    _bear_headers()
    _insist_on_tls()
    Client._parse_header_lines = staticmethod(headers_of)  # type: ignore[method-assign]


def _hear_refusals() -> None:
    """Have a refusal reach the future that `publish_async` has given: nats-py 2.16 raises it where no one listens."""
    hear = JetStreamContext._handle_async_reply

    async def mended(self: JetStreamContext, message: Msg) -> None:
        try:
            await hear(self, message)
        except APIError as refusal:
            for token, future in self._publish_async_futures.items():
                if message.subject.endswith(token) and not future.done():
                    future.set_exception(refusal)
                    return

    JetStreamContext._handle_async_reply = mended  # type: ignore[method-assign, assignment]


def _bear_headers() -> None:
    """Have a message with headers that are none arrive without them: nats-py 2.16 breaks the connection over it, and
    would do so for ever, as the message comes again."""
    parse = Client._process_headers

    async def mended(self: Client, headers: bytes) -> dict[str, str] | None:
        try:
            return await parse(self, headers)
        except (IndexError, ValueError):
            log.warning("a message with broken headers: %r", headers[:20])
            return None

    Client._process_headers = mended  # type: ignore[method-assign]


class NoTls(nats.errors.Error):
    """A broker that was to speak TLS does not."""


def _insist_on_tls() -> None:
    """Have a connection by `tls://…` end before anything is shown to a broker that offers no TLS."""
    take = Client._process_info

    async def mended(self: Client, info: dict[str, Any], initial_connection: bool = False) -> None:
        server = self._current_server
        if initial_connection and server and server.uri.scheme == "tls" and not info.get("tls_required"):
            raise NoTls("the address says tls://, and the broker offers no TLS")
        await take(self, info, initial_connection=initial_connection)

    Client._process_info = mended  # type: ignore[method-assign]


def headers_of(raw: bytes) -> dict[str, str]:
    """The headers of a block of lines, name by value, exactly as nats-py 2.16 reads them."""
    found: dict[str, str] = {}
    for line in raw.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon and name.isascii():
            key = name.strip().decode()
            if not key or key.split() == [key]:
                found[key] = value.strip().decode("utf-8", "replace")
    return found


@cache
def faststream(whole: int, fetch: Fetch, most: int) -> None:
    """Have FastStream fetch by `fetch`, for its one subscriber with batches of `whole` messages and `most` bytes.

    It collects a batch by several fetches, each asking for what is missing: what they bring together is bounded too.
    """
    left = 0

    async def mended(reader: Reader, batch: int, timeout: float) -> list[Msg]:  # noqa: ASYNC109
        nonlocal left
        if batch == whole:
            left = most
        if left <= 0:
            raise nats.errors.TimeoutError
        found = await fetch(reader, batch, timeout, left)
        left -= sum(len(message.data) for message in found)
        return found

    JetStreamContext.PullSubscription.fetch = mended  # type: ignore[method-assign, assignment]
