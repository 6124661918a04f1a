"""The health door of a busy process."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack

from support import free_port

from services.kit.health import MOST_VISITS, Health

PATIENCE = 60.0
ASK = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"


def test_whoever_came_while_it_was_busy_is_answered() -> None:
    """More at once than it has places for, each of whom has asked already."""

    class Busy(Health):
        def answer(self, method: str, path: str, token: str) -> tuple[int, str, bytes]:
            busy.set()
            assert over.wait(PATIENCE)
            return super().answer(method, path, token)

    busy, over, port = threading.Event(), threading.Event(), free_port()
    Busy("test").serve(port)
    with ExitStack() as open_ones:

        def ask() -> socket.socket:
            visitor = open_ones.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE))
            visitor.sendall(ASK)
            return visitor

        visitors = [ask()]
        assert busy.wait(PATIENCE)
        visitors += [ask() for _ in range(5 * MOST_VISITS)]
        over.set()
        assert {visitor.recv(100)[:13] for visitor in visitors} == {b"HTTP/1.1 200 "}
