"""One address cannot take all places of a door, and who is being served keeps its own."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import uvicorn
from support import free_port

from services.kit import guard
from services.kit.addresses import Trusted
from services.kit.crowd import PER_ADDRESS, Crowd

PATIENCE = 60.0
ASK = b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers at once, `/slow` after two seconds."""
    if scope["type"] == "http":
        await asyncio.sleep(2 if scope["path"] == "/slow" else 0)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


@contextmanager
def door(crowd: Crowd, served: Any = app) -> Iterator[int]:
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(served, port=port, log_config=None, lifespan="off", **guard.options(crowd)))
    running = threading.Thread(target=server.run, daemon=True)
    running.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield port
    finally:
        server.should_exit = True
        running.join(PATIENCE)


def visit(port: int, source: str, words: bytes) -> socket.socket:
    visitor = socket.create_connection(("127.0.0.1", port), PATIENCE, (source, 0))
    visitor.sendall(words)
    return visitor


def is_open(visitor: socket.socket) -> bool:
    visitor.setblocking(False)
    with suppress(BlockingIOError):
        try:
            return bool(visitor.recv(100))
        except ConnectionError:
            return False
    return True


def test_one_address_has_its_share_and_no_more() -> None:
    with door(Crowd(())) as port, ExitStack() as kept:
        strangers = [kept.enter_context(visit(port, "127.0.0.1", b"GET / HT")) for _ in range(PER_ADDRESS + 50)]
        with visit(port, "127.0.0.2", ASK % b"/") as other:
            assert other.recv(100).startswith(b"HTTP/1.1 200 ")
        assert sum(map(is_open, strangers)) <= PER_ADDRESS
        with visit(port, "127.0.0.1", ASK % b"/") as neighbour:
            assert neighbour.recv(100).startswith(b"HTTP/1.1 200 ")


def test_a_full_door_drops_who_keeps_it_waiting_and_nobody_who_is_served() -> None:
    with door(Crowd(Trusted(""), most=20)) as port, ExitStack() as kept:
        served = [kept.enter_context(visit(port, "127.0.0.1", ASK % b"/slow")) for _ in range(10)]
        for _ in range(100):
            kept.enter_context(visit(port, "127.0.0.1", b"GET / HT"))
        assert [one.recv(100)[:13] for one in served] == [b"HTTP/1.1 200 "] * len(served)


def test_where_all_are_served_another_is_turned_away_and_comes_in_later() -> None:
    with door(Crowd(Trusted(""), most=10)) as port, ExitStack() as kept:
        served = [kept.enter_context(visit(port, "127.0.0.1", ASK % b"/slow")) for _ in range(10)]
        time.sleep(0.5)
        with suppress(ConnectionError), visit(port, "127.0.0.1", ASK % b"/") as other:
            assert other.recv(100) == b""
        assert all(one.recv(100).startswith(b"HTTP/1.1 200 ") for one in served)
        with visit(port, "127.0.0.1", ASK % b"/") as later:
            assert later.recv(100).startswith(b"HTTP/1.1 200 ")
