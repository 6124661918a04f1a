"""HTTP and WebSocket as uvicorn speaks them, within bounds: for a request's head and body, for time, for what waits."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from services.kit.crowd import Crowd, waiting

LARGEST_HEAD = 32 * 1024
HEAD_SECONDS, BODY_SECONDS, DRAIN_SECONDS, REFUSED_SECONDS = 10.0, 30.0, 10.0, 2.0
"""How long the head and the body of a request may take, and what is still sent of one that was answered or refused."""
LARGEST_HELD = 256 * 1024
"""Bytes of a body that no application here keeps more than, but of those who have shown a token or a session."""
SLOWEST = 16 * 1024
"""So many bytes of a body give it a further second: a large file on a slow line takes longer."""
MOST_DRAINED = 16 * 2**20
"""How much is read (and forgotten) of a request that was answered already, so that the sender hears the answer."""
MOST_PIPELINED, MOST_MESSAGES, MOST_FRAGMENTS = 16, 256, 1024
LARGEST_MESSAGE = 2**20
LARGEST_BACKLOG = 8 * 2**20
"""Bytes that a WebSocket's reader may leave lying before nothing more is taken from it."""
_SLICE = 8 * 1024
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%s"
)
_REASON = b"a request's line and headers may have %d bytes\n" % LARGEST_HEAD
_CLIENTS_DOING = ("Invalid HTTP request received.", "Invalid UTF-8 sequence received")


class Guarded(HttpToolsProtocol):
    """One connection; `crowd` are all of the door's."""

    def __init__(self, *args: Any, crowd: Crowd, **options: Any) -> None:
        super().__init__(*args, **options)
        self.crowd, self.address = crowd, ""
        self.waits: tuple[float, float] | None = None
        self.reserved, self._body = 0, 0
        self._part, self._silent = 0, 0  # bytes of this slice, and since the parser last told of anything
        self._drained = 0
        self._whole = True  # no message has begun that is not whole
        self._refused = False  # what still comes is read and forgotten
        self._fed = b""

    def is_held_up(self) -> bool:
        """Whether nothing more is read of its body until the application has taken what there is."""
        return self.flow is not None and self.flow.read_paused

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(cast(asyncio.Transport, _Patient(transport, self.hang_up)))
        self.address = self.client[0] if self.client else ""
        self.waits = waiting(HEAD_SECONDS)
        if not self.crowd.admit(self):
            self._refused = True
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.crowd.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """In slices, so that no more than one is parsed beyond a bound."""
        for start in range(0, len(data), _SLICE):
            part = data[start : start + _SLICE]
            if self._refused:
                self._drain(len(part))
            else:
                self._part = len(part)
                self._silent += len(part)
                self._feed(part)
                self.crowd.hold(self, min(self._body, LARGEST_HELD) + self._silent)
                if self._silent > LARGEST_HEAD:
                    self._refuse()
            if self.transport.is_closing() or self.transport.get_protocol() is not self:
                return

    def _feed(self, data: bytes) -> None:
        self._fed = data
        super().data_received(data)

    def _declines(self) -> bool:
        """Whether a head asks for another protocol, as Java's client does (h2c): a server may pass that by."""
        asked = self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"
        return asked and not self._should_upgrade()

    def _unsupported_upgrade_warning(self) -> None:
        """The parser takes what follows such a head for the other protocol's: it is parsed anew without that wish."""
        error = sys.exc_info()[1]
        if not isinstance(error, httptools.HttpParserUpgrade) or not self._declines():
            return
        rest, head = self._fed[error.args[0] :], [self.parser.get_method() + b" " + self.url + b" HTTP/1.1"]
        for name, value in self.headers:
            if name == b"connection":
                value = b", ".join(token for token in value.split(b",") if token.strip().lower() != b"upgrade")
            if name != b"upgrade":
                head.append(name + b": " + value)
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own
        self._feed(b"\r\n".join([*head, b"", b""]) + rest)

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._silent, self._drained, self._whole = self._part, 0, False
        self.waits = waiting(HEAD_SECONDS)

    def on_headers_complete(self) -> None:
        """A body may follow."""
        if self._declines():
            return
        super().on_headers_complete()
        self.waits = waiting(BODY_SECONDS)
        if len(self.pipeline) > MOST_PIPELINED:
            self.transport.abort()

    def on_body(self, body: bytes) -> None:
        """Some of it."""
        self._silent = 0
        if self.cycle is not None and self.cycle.response_complete:
            self._drain(len(body))
        elif self.waits:
            self._body += len(body)
            self.waits = self.waits[0], self.waits[1] + len(body) / SLOWEST
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Now the door is at work for it, if it has not answered already."""
        if self._declines():
            return
        super().on_message_complete()
        self._silent, self._whole = 0, True
        self.waits = waiting(HEAD_SECONDS) if self.cycle is not None and self.cycle.response_complete else None

    def on_response_complete(self) -> None:
        """Either another request may come, or the rest of this one."""
        super().on_response_complete()
        if self.cycle.response_complete:
            self._body, self.cycle.body = 0, bytearray()  # what was not read of it is held no longer
            self.crowd.hold(self, 0)
            self.waits = waiting(HEAD_SECONDS if self._whole else DRAIN_SECONDS)

    def hang_up(self, transport: asyncio.Transport) -> None:
        """Close; one who was answered while still sending is read for a while, or the answer is lost on the way."""
        if self._whole or self.cycle is None or not self.cycle.response_complete:
            transport.close()
        elif not self._refused:
            self._refused, self.waits = True, waiting(DRAIN_SECONDS)
            self.pipeline.clear()
            if transport.can_write_eof():
                transport.write_eof()

    def shutdown(self) -> None:
        """The server ends, and waits for nobody who was answered."""
        super().shutdown()
        if self._refused:
            self.transport.abort()

    def handle_websocket_upgrade(self) -> None:
        """The other protocol takes the connection over, and its place in the crowd stays taken."""
        self.waits, self._whole = None, True
        super().handle_websocket_upgrade()

    def _refuse(self) -> None:
        """Answer if nothing was answered yet, then read on for a while: who is cut off at once does not hear it."""
        self._refused, self.waits = True, waiting(REFUSED_SECONDS)
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(_TOO_LARGE % (len(_REASON), _REASON))
        else:
            self.transport.abort()

    def _drain(self, size: int) -> None:
        self._drained += size
        if self._drained > MOST_DRAINED:
            self.transport.abort()


class _Patient:
    """A transport that is closed as `hang_up` closes it."""

    def __init__(self, transport: asyncio.Transport, hang_up: Callable[[asyncio.Transport], None]) -> None:
        self._transport, self._hang_up = transport, hang_up

    def close(self) -> None:
        """In its time."""
        self._hang_up(self._transport)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class GuardedSocket(WebSocketsSansIOProtocol):
    """One WebSocket: what its client sends waits in a short queue, or it is dropped."""

    def data_received(self, data: bytes) -> None:
        """In slices, because all frames of a slice are taken at once."""
        for start in range(0, len(data), _SLICE):
            super().data_received(data[start : start + _SLICE])
            backlog = self.transport.get_write_buffer_size() > LARGEST_BACKLOG
            if backlog or self.queue.qsize() > MOST_MESSAGES or len(self.frames) > MOST_FRAGMENTS:
                self.transport.abort()
            if self.transport.is_closing():
                return


def quiet() -> None:
    """What a client does wrong is no news in the log."""
    logging.getLogger("uvicorn.error").addFilter(lambda record: not str(record.msg).startswith(_CLIENTS_DOING))


def options(crowd: Crowd) -> dict[str, Any]:
    """What makes `uvicorn.run` serve within these bounds."""

    def connect(*args: Any, **named: Any) -> Guarded:
        return Guarded(*args, crowd=crowd, **named)

    return {"http": cast(Any, connect), "ws": GuardedSocket, "ws_max_size": LARGEST_MESSAGE, "timeout_keep_alive": 5}
