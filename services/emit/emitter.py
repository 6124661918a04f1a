"""Sending, with an outbox between: who emits never waits for the centre, and what was emitted is not lost."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import threading
import time as clocks
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import blake2b, sha256
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import httpx

from schemas.envelope import Event, EventData, check_bytes, check_event
from schemas.registry import make
from services.emit.outbox import Outbox, Waiting

log = logging.getLogger(__name__)
BATCH, LARGEST = 200, 2**20
"""Events, and about how many bytes of them, that travel together."""
SECONDS, FIRST_PAUSE, LONGEST_PAUSE = 30.0, 0.5, 60.0
CLOSING_SECONDS = 5.0
LASTING = (400, 403, 413, 422)
"""What is answered to an event that will never be taken as it is."""


class Refusal(NamedTuple):
    """An event that the centre will not take, and why."""

    event: dict[str, Any]
    why: str


def _log(refusal: Refusal) -> None:
    log.error("the centre refuses %s %s: %s", refusal.event["type"], refusal.event["id"], refusal.why)


class _Signing(httpx.Auth):
    """Signs each request by RFC 9421 with a key's secret, which is never sent."""

    requires_request_body = True

    def __init__(self, key: str, secret: str) -> None:
        self._key, self._secret = key, secret.encode()

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        """The request with its digest and signature, as of now."""
        request.headers["Content-Digest"] = f"sha-256=:{_base64(sha256(request.content).digest())}:"
        path = request.url.raw_path.partition(b"?")[0].decode()
        covered = {"@method": request.method, "@path": path}
        covered |= {name: request.headers[name] for name in ("content-type", "content-digest")}
        names = " ".join(f'"{name}"' for name in covered)
        said = f'({names});created={int(clocks.time())};keyid="{self._key}";alg="hmac-sha256"'
        base = "\n".join([*(f'"{name}": {value}' for name, value in covered.items()), f'"@signature-params": {said}'])
        request.headers["Signature-Input"] = f"sig={said}"
        request.headers["Signature"] = f"sig=:{_base64(hmac.digest(self._secret, base.encode(), 'sha256'))}:"
        yield request


def _base64(raw: bytes) -> str:
    return b64encode(raw).decode()


class Emitter:
    """Emits events of one `source` under a key's `secret` to the centre's emitters at `url`.

    `outbox` is the file in which they wait; `on_refused` is told, from another thread, of each that the centre will
    never take, and these stay in the file too (`refused`). `key` is the name of a key that signs (`ioc keys create
    --signed`): then each request is signed with its secret, which is never sent. Closed, it waits a few seconds for
    what is on its way; the rest is sent by the next one that is given the same file.
    """

    def __init__(
        self,
        url: str,
        secret: str,
        source: str,
        outbox: str | Path,
        on_refused: Callable[[Refusal], None] = _log,
        key: str | None = None,
    ) -> None:
        self._source, self._on_refused = source, on_refused
        self._outbox = Outbox(Path(outbox))
        headers = {"Content-Type": "application/cloudevents-batch+json"}
        headers |= {} if key else {"Authorization": f"Bearer {secret}"}
        signing = _Signing(key, secret) if key else None
        self._http = httpx.Client(base_url=url, headers=headers, auth=signing, timeout=SECONDS)
        self._news, self._ending = threading.Event(), threading.Event()
        self.problem: str | None = None
        self._sender = threading.Thread(target=self._send_all, name="emitter", daemon=True)
        self._sender.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def emit(
        self, data: EventData, unit: str, time: datetime | None = None, id: str | None = None, **attributes: Any
    ) -> Event:
        """Keep an event of `unit` on this disk, to be sent at once; gives it as it will travel.

        `time` is when it happened (aware), by itself now; `id` by itself follows from the content, so the same content
        of the same moment is the same event. Raises `schemas.envelope.Invalid` or pydantic's ValidationError for what
        the centre would refuse, and `OutboxFailed`.
        """
        now = datetime.now(UTC)
        happened = time or now
        event = make(
            data, source=self._source, id=id or _id(data, unit, happened), time=happened, unit=unit, **attributes
        )
        body = event.to_json()
        check_bytes(body)
        check_event(event, now)
        self._outbox.put(body.decode())
        self._news.set()
        return event

    def flush(self, seconds: float) -> bool:
        """Wait for so long until all is with the centre, or refused by it; whether it is."""
        end = clocks.monotonic() + seconds
        while left := self._outbox.waiting():
            if clocks.monotonic() > end:
                log.warning("%d events wait in the outbox: %s", left, self.problem or "they are on their way")
                return False
            clocks.sleep(0.02)
        return True

    @property
    def waiting(self) -> int:
        """How many events wait in the outbox."""
        return self._outbox.waiting()

    @property
    def refused(self) -> list[Refusal]:
        """All that the centre ever refused of this outbox."""
        return [Refusal(json.loads(body), why) for body, why in self._outbox.refused()]

    def close(self) -> None:
        """Stop, after a few seconds for what is on its way."""
        self.flush(0 if self.problem else CLOSING_SECONDS)
        self._ending.set()
        self._news.set()
        self._sender.join(SECONDS)
        self._http.close()
        self._outbox.close()

    def _send_all(self) -> None:
        pause = FIRST_PAUSE
        while not self._ending.is_set():
            if not (batch := _of_size(self._outbox.first(BATCH))):
                self._news.wait(1.0)
                self._news.clear()
                continue
            wait = self._tried(batch)
            pause = FIRST_PAUSE if wait is None else min(pause * 2, LONGEST_PAUSE)
            if wait is not None:
                self._ending.wait(max(wait, pause))

    def _tried(self, batch: list[Waiting]) -> float | None:
        """As `_send`; whatever fails, the program's own `on_refused` too, is told and tried again: this thread must
        not end unheard while events wait."""
        try:
            return self._send(batch)
        except Exception as error:
            log.exception("a batch of the outbox was not settled")
            return self._again(f"{type(error).__name__}: {error}", 0.0)

    def _send(self, batch: list[Waiting]) -> float | None:
        """Send a batch; None, or the seconds after which what is left of it is sent again at the earliest."""
        body = "[" + ",".join(one.body for one in batch) + "]"
        try:
            answer = self._http.post("/events", content=body.encode())
            items = answer.json().get("items")
        except (httpx.HTTPError, ValueError) as error:
            return self._again(f"{type(error).__name__}: {error}", 0.0)
        if items is None:
            after = float(answer.headers.get("retry-after") or 0)
            return self._again(f"{answer.status_code} {answer.text[:300]}", after)
        self._settle(batch, items)
        left = any(item["status"] != 202 and item["status"] not in LASTING for item in items)
        if left:
            return self._again("the broker takes nothing", 0.0)
        self.problem = None
        return None

    def _settle(self, batch: list[Waiting], items: list[dict[str, Any]]) -> None:
        answered = list(zip(batch, items, strict=True))
        refused = [(one, "; ".join(item["reasons"])) for one, item in answered if item["status"] in LASTING]
        accepted = [one.number for one, item in answered if item["status"] == 202]
        self._outbox.done(accepted, [(one.number, why) for one, why in refused])
        for one, why in refused:
            self._on_refused(Refusal(json.loads(one.body), why))

    def _again(self, problem: str, after: float) -> float:
        if problem != self.problem:
            log.warning("events wait in the outbox: %s", problem)
        self.problem = problem
        return after


class AsyncEmitter:
    """The same for a program with an event loop, which nothing here holds up."""

    def __init__(
        self,
        url: str,
        secret: str,
        source: str,
        outbox: str | Path,
        on_refused: Callable[[Refusal], None] = _log,
        key: str | None = None,
    ) -> None:
        self._of: Callable[[], Emitter] = lambda: Emitter(url, secret, source, outbox, on_refused, key)
        self._emitter: Emitter

    async def __aenter__(self) -> Self:
        self._emitter = await asyncio.to_thread(self._of)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._emitter.close)

    async def emit(
        self, data: EventData, unit: str, time: datetime | None = None, id: str | None = None, **attributes: Any
    ) -> Event:
        """See `Emitter.emit`."""
        return await asyncio.to_thread(self._emitter.emit, data, unit, time, id, **attributes)

    async def flush(self, seconds: float) -> bool:
        """See `Emitter.flush`."""
        return await asyncio.to_thread(self._emitter.flush, seconds)


def _id(data: EventData, unit: str, time: datetime) -> str:
    moment = time.astimezone(UTC).isoformat()
    text = "\n".join((data.event, str(unit), moment, data.model_dump_json(exclude_none=True)))
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _of_size(waiting: list[Waiting]) -> list[Waiting]:
    """As many of the first as travel together."""
    size = 0
    for number, one in enumerate(waiting):
        size += len(one.body)
        if number and size > LARGEST:
            return waiting[:number]
    return waiting
