"""Who holds a key of those who send events, in tests: what it says over HTTP and over NATS, and what becomes of it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from string import ascii_lowercase
from typing import Any

import httpx
import nats
import nats.errors
import psycopg
from nats.aio.client import Client
from support import output_of

from infra.local.servers import Instance
from services.centre.prepare import settings_of
from services.kit import bus, clock

ONE = "application/cloudevents+json"
COVERED = ["@method", "@path", "content-type", "content-digest"]


async def unheard(error: Exception) -> None:
    """What the broker says of what went wrong, passed by."""


class Holder:
    """A key and its secret."""

    def __init__(self, running: Instance, *options: str) -> None:
        self.name, self.running = "".join(random.choices(ascii_lowercase, k=12)), running
        self.source = f"/{self.name}"
        self.secret = self.said("create", self.name, *options)
        self.door = httpx.Client(base_url=f"http://127.0.0.1:{running.ports['emitters']}", timeout=120)
        self.door.headers["Authorization"] = f"Bearer {self.secret}"
        self.until_opened()

    def said(self, *arguments: str) -> str:
        """What `ioc keys` prints."""
        return output_of(self.running, "keys", *arguments).strip()

    def until_opened(self) -> None:
        """The door looks every two seconds."""
        end = time.monotonic() + 30
        while self.send(b"", "text/plain").status_code == 401:
            assert time.monotonic() < end, "the key opens nothing"
            time.sleep(0.2)

    def send(self, body: Any, kind: str = ONE, **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.door.post("/events", content=content, headers={"Content-Type": kind, **headers})

    async def connected(self, password: str = "", error_cb: Callable[[Exception], Awaitable[None]] = unheard) -> Client:
        return await nats.connect(
            f"nats://127.0.0.1:{self.running.ports['nats']}",
            user=self.name,
            password=password or self.secret,
            inbox_prefix=f"_INBOX_{self.name}".encode(),
            allow_reconnect=False,
            error_cb=error_cb,
        )


@contextmanager
def holding(running: Instance, *options: str) -> Iterator[Holder]:
    """A key for as long as it is used."""
    holder = Holder(running, *options)
    yield holder
    holder.door.close()
    holder.said("revoke", holder.name)


async def denied(connect: Callable[..., Awaitable[Client]], subjects: set[str], listen: bool = False) -> set[str]:
    """Which of the subjects the broker itself does not let a client publish, or hear. `connect` takes an `error_cb`."""
    told: set[str] = set()
    kind = "subscription" if listen else "publish"

    async def remember(problem: Exception) -> None:
        _, _, subject = str(problem).lower().partition(f'permissions violation for {kind} to "')
        told.add(subject.partition('"')[0])

    client = await connect(error_cb=remember)
    for subject in sorted(subjects):
        await (client.subscribe(subject) if listen else client.publish(subject, b"?"))
    last = "nobody.may.say.this"
    await (client.subscribe(last) if listen else client.publish(last, b"?"))
    async with asyncio.timeout(30):
        while last not in told:  # noqa: ASYNC110 - refusals come in the order of what is refused
            await asyncio.sleep(0.02)
    await client.close()
    return {subject for subject in subjects if subject.lower() in told}


def signature(
    secret: str, name: str, body: bytes, kind: str = ONE, covered: list[str] | None = None, age: int = 0,
    path: str = "/events", more: dict[str, str] | None = None,
) -> dict[str, str]:  # fmt: skip
    """The headers of a signed request, by the text of RFC 9421 alone."""
    sha = base64.b64encode(hashlib.sha256(body).digest()).decode()
    headers = {"content-type": kind, "content-digest": f"sha-256=:{sha}:", **(more or {})}
    route, _, query = path.partition("?")
    values = {"@method": "POST", "@path": route, "@query": f"?{query}", **headers}
    names = COVERED if covered is None else covered
    at = int(clock.now().timestamp()) - age
    said = f'({" ".join(json.dumps(name) for name in names)});created={at};keyid={json.dumps(name)};alg="hmac-sha256"'
    base = "\n".join([*(f'"{name}": {values[name]}' for name in names), f'"@signature-params": {said}'])
    mac = base64.b64encode(hmac.digest(secret.encode(), base.encode(), "sha256")).decode()
    return {**headers, "signature-input": f"sig={said}", "signature": f"sig=:{mac}:"}


def is_stored(centre: Instance, event: dict[str, Any]) -> bool:
    """Whether the log comes to have an event, within a while."""
    with psycopg.connect(settings_of(centre, "cli").database("reader"), autocommit=True) as conn:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if conn.execute("SELECT FROM event WHERE source = %s AND id = %s", [event["source"], event["id"]]).rowcount:
                return True
            time.sleep(0.2)
    return False


def refused_for(centre: Instance, event: dict[str, Any]) -> str | None:
    """The code under which an event lies in the quarantine, once it is there."""

    async def look() -> str | None:
        async with bus.connected(settings_of(centre, "cli"), "test") as client:
            found = await client.jetstream().get_last_msg("QUARANTINE", "ioc.quarantine.health")
            assert found.data and found.headers
            return found.headers["Ioc-Code"] if json.loads(found.data)["id"] == event["id"] else None

    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            if code := asyncio.run(look()):
                return code
        except nats.errors.Error:
            pass
        time.sleep(0.3)
    return None
