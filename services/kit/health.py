"""`/health/live`, `/health/ready` and `/metrics` of a service. Live means progressing, not merely
running."""

from __future__ import annotations

import json
import logging
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.kit.metrics import LAST_PROGRESS

log = logging.getLogger(__name__)


class Health:
    """The health of one service: `progress()` whenever a round of work is done, `ready`/`not_ready` with a reason."""

    def __init__(self, service: str, stalled_after: float = 60) -> None:
        self.service = service
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
        }
        return (200 if problem is None else 503), body

    def serve(self, port: int | None, host: str = "127.0.0.1") -> None:
        """Answer on `host`:`port` from a thread of its own; no port: not at all."""
        if port is None:
            return
        server = ThreadingHTTPServer((host, port), _handler(self))
        threading.Thread(target=server.serve_forever, name="health", daemon=True).start()


def _handler(health: Health) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(200, CONTENT_TYPE_LATEST, generate_latest())
            elif self.path in ("/health/live", "/health/ready"):
                status, body = health.check(self.path)
                self._answer(status, "application/json", json.dumps(body).encode())
            else:
                self._answer(404, "text/plain", b"try /health/live, /health/ready or /metrics\n")

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            log.debug(format, *args)

    return Handler
