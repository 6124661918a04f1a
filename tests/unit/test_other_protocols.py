"""A client that would rather speak another protocol (Java's asks for h2c with each request) is answered in ours."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from test_crowd import PATIENCE, door

from services.kit.addresses import Trusted
from services.kit.crowd import Crowd

ASK = (
    b"POST /first HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nHost: x\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n"
    b"Upgrade: h2c\r\n"
)
LAST = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with what it was asked."""
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    said = b"[" + scope["path"].encode() + b" " + body + b"]"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(said))]})
    await send({"type": "http.response.body", "body": said})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with door(Crowd(Trusted("")), echo) as port:
        yield port


def answers(port: int, *parts: bytes) -> list[bytes]:
    """What is answered to what is sent in these parts."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as visitor:
        visitor.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        said = b""
        for part in parts:
            visitor.sendall(part)
            visitor.settimeout(0.05)
            with suppress(TimeoutError):
                said += visitor.recv(65536)
        visitor.settimeout(PATIENCE)
        while more := visitor.recv(65536):
            said += more
    return [text.partition(b"]")[0] for text in said.split(b"[")[1:]]


@pytest.mark.parametrize(
    "parts",
    [
        (ASK + b"Content-Length: 5\r\n\r\nhello" + LAST,),
        (ASK + b"Content-Length: 5\r\n\r\n", b"hello", LAST),
        (ASK[:70], ASK[70:] + b"Content-Length: 5\r\n\r\nhe", b"llo" + LAST),
        (ASK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", LAST),
        (ASK.replace(b"h2c", b"websocket, h2c") + b"Content-Length: 5\r\n\r\nhello" + LAST,),
    ],
    ids=["at once", "head first", "cut anywhere", "in chunks", "another wish"],
)
def test_its_body_is_read_and_the_connection_goes_on(port: int, parts: tuple[bytes, ...]) -> None:
    assert answers(port, *parts) == [b"/first hello", b"/last "]


def test_its_body_is_never_taken_for_another_request(port: int) -> None:
    hidden = b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
    asked = ASK + b"Content-Length: %d\r\n\r\n" % len(hidden)
    assert answers(port, asked + hidden + LAST) == [b"/first " + hidden, b"/last "]


def test_many_such_requests_one_after_the_other_are_each_answered(port: int) -> None:
    asked = (ASK + b"Content-Length: 2\r\n\r\nhi") * 5
    assert answers(port, asked + LAST) == [b"/first hi"] * 5 + [b"/last "]
