"""A receiver of messages over HTTP, as an operator's webhook is one, that can be told to misbehave."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, NamedTuple

Mood = Literal["takes", "refuses", "loses", "holds", "slow"]


class Received(NamedTuple):
    """A request that came: its path, its JSON or form as text, and when (monotonic seconds)."""

    path: str
    headers: dict[str, str]
    body: Any
    at: float

    @property
    def text(self) -> str:
        """Title and message, as apprise sends them."""
        return f"{self.body['title']}\n{self.body['message']}"


class Receiver:
    """Takes messages (when it is released: `slow`), or refuses them with `refusal`, or takes them and closes the
    connection without an answer (when it is released: `holds`).

    It answers a GET with the text `page`. `answers`: path -> the JSON bodies that it answers a POST with, one after
    another, the last for ever.
    """

    def __init__(self, port: int = 0) -> None:
        self.got: list[Received] = []
        self.mood: Mood = "takes"
        self.refusal = 500
        self.page = ""
        self.released = threading.Event()
        self.answers: dict[str, list[Any]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()

    def texts(self, path: str, word: str = "") -> list[str]:
        """The messages that came to a path and hold a word."""
        return [r.text for r in self.got if r.path == path and word in r.text]

    def wait(self, path: str, word: str, count: int = 1, within: float = 30) -> list[str]:
        """Wait until so many messages came, and give them; fails with all that came."""
        deadline = time.monotonic() + within
        while len(found := self.texts(path, word)) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(found) >= count, f"{len(found)} of {count} with {word!r} to {path}; there came {self.got}"
        return found


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port."""
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.close()


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
            is_json = "json" in self.headers["Content-Type"]
            body = json.loads(raw) if is_json else raw
            receiver.got.append(Received(self.path, dict(self.headers), body, time.monotonic()))
            mood = receiver.mood
            if mood in ("holds", "slow"):
                receiver.released.wait(30)
            if mood in ("loses", "holds"):
                self.close_connection = True
                return
            self._answer(receiver.refusal if mood == "refuses" else 200, self._body())

        def do_GET(self) -> None:
            self._answer(200, receiver.page.encode(), "text/plain; version=0.0.4")

        def _body(self) -> bytes:
            left = receiver.answers.get(self.path, [{}])
            return json.dumps(left.pop(0) if len(left) > 1 else left[0]).encode()

        def _answer(self, status: int, raw: bytes, kind: str = "application/json") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return Handler
