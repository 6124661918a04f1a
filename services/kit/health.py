"""`/health/live`, `/health/ready` and `/metrics` of a service. Live means progressing, not merely
running."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import socket
import threading
import time
from hmac import compare_digest
from http import HTTPStatus
from typing import cast

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from schemas.instance import MARK, Identity
from services.kit.addresses import Trusted
from services.kit.crowd import Crowd, waiting
from services.kit.errors import fatal
from services.kit.metrics import LAST_PROGRESS

log = logging.getLogger(__name__)

LARGEST_HEAD = 16 * 1024
HEAD_SECONDS = 10.0
MOST_VISITS = 100
AT_ONCE, QUEUE = 16, 1024
"""How many are let in at a time, while the others queue: several times so many come in before the first is read, and
on a busy machine, where hundreds came meanwhile, the first would be dropped for having waited longest."""


class Health:
    """The health of one service: `progress()` whenever a round of work is done, `ready`/`not_ready` with a reason."""

    def __init__(self, service: str, stalled_after: float = 60, instance: Identity | None = None) -> None:
        self.service, self.instance = service, instance
        self.stalled_after = stalled_after
        self._last = time.monotonic()
        self._problem: str | None = "starting"

    def progress(self) -> None:
        """The service did its work, or looked and found none."""
        self._last = time.monotonic()
        LAST_PROGRESS.labels(self.service).set_to_current_time()

    def ready(self) -> None:
        """Broker and database answer."""
        self._problem = None

    def not_ready(self, reason: str) -> None:
        """The service waits for something; `reason` says for what."""
        self._problem = reason

    def check(self, path: str) -> tuple[int, dict[str, object]]:
        """HTTP status and body for `/health/live` or `/health/ready`."""
        idle = time.monotonic() - self._last
        stalled = idle > self.stalled_after
        problem = f"no progress for {idle:.0f} s" if stalled else self._problem if path == "/health/ready" else None
        body: dict[str, object] = {
            "service": self.service,
            "ok": problem is None,
            "problem": problem,
            "idle_seconds": round(idle, 1),
            "instance": self.instance.id if self.instance else None,
            "pid": os.getpid(),
        }
        return (200 if problem is None else 503), body

    def serve(self, port: int | None, host: str = "127.0.0.1") -> None:
        """Answer on `host`:`port` from a thread of its own; no port: not at all."""
        if port is None:
            return
        try:
            listening = socket.create_server((host, port))
        except OSError as error:
            said = f"port {port} cannot be had ({error.strerror})"
            fatal(log, f"{said}: `ioc status` names who holds it, `ioc up` takes another")
        threading.Thread(target=_serve, args=(self, listening), name="health", daemon=True).start()

    def answer(self, method: str, path: str, token: str) -> tuple[int, str, bytes]:
        """HTTP status, content type and body."""
        if method not in ("GET", "HEAD"):
            return 405, "text/plain", b"GET alone\n"
        if path == "/metrics":
            return 200, CONTENT_TYPE_LATEST, generate_latest()
        if self.instance and path == f"/metrics/{self.instance.id}":
            if not compare_digest(token.encode(), self.instance.token.encode()):
                return 401, "text/plain", b"this path is Prometheus's; /metrics needs no token\n"
            return 200, CONTENT_TYPE_LATEST, marked(generate_latest(), self.instance.mark)
        if path in ("/health/live", "/health/ready"):
            status, body = self.check(path)
            return status, "application/json", json.dumps(body).encode()
        return 404, "text/plain", b"try /health/live, /health/ready or /metrics\n"


class _Visit(asyncio.Protocol):
    """One question, answered; then the connection ends."""

    def __init__(self, health: Health, crowd: Crowd) -> None:
        self._health, self._crowd = health, crowd
        self._head = b""
        self.reserved = 0
        self.waits: tuple[float, float] | None = None

    def is_held_up(self) -> bool:
        """Never: all that comes is read."""
        return False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.address = str((transport.get_extra_info("peername") or ("",))[0])
        self.waits = waiting(HEAD_SECONDS)
        if not self._crowd.admit(self):
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.leave(self)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._head += data[: LARGEST_HEAD + 1]
        if b"\r\n\r\n" in self._head or b"\n\n" in self._head:
            self._answer(*self._health.answer(*_request_line(self._head), _token(self._head)))
        elif len(self._head) > LARGEST_HEAD:
            self._answer(431, "text/plain", b"too much is asked\n")

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        )
        body = b"" if self._head.startswith(b"HEAD ") else body
        self.transport.write(head.encode() + b"Connection: close\r\n\r\n" + body)
        self.transport.close()


def _request_line(head: bytes) -> tuple[str, str]:
    """Method and path."""
    method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
    return method, rest.partition(" ")[0].partition("?")[0]


def _token(head: bytes) -> str:
    found = re.search(rb"\r\nauthorization: *bearer +(\S+)", head, re.IGNORECASE)
    return found[1].decode("latin-1") if found else ""


def marked(figures: bytes, mark: str) -> bytes:
    """Figures in Prometheus's text format, each with the centre's mark."""
    label = f'{MARK}="{mark}"'.encode()
    return re.sub(rb"(?m)^([a-zA-Z_:][\w:]*)(?:\{|(?= ))", lambda found: _labelled(found, label), figures)


def _labelled(found: re.Match[bytes], label: bytes) -> bytes:
    return found[1] + b"{" + label + (b"," if found[0].endswith(b"{") else b"}")


def _serve(health: Health, listening: socket.socket) -> None:
    async def forever() -> None:
        crowd = Crowd(Trusted(""), MOST_VISITS)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Visit(health, crowd), sock=listening, backlog=AT_ONCE)
        await server.start_serving()
        listening.listen(QUEUE)  # the loop would have the queue no longer than what it takes from it at a time
        await server.serve_forever()

    asyncio.run(forever())
