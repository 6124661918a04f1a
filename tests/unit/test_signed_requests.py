"""Requests of a key that signs: what is signed is taken, and whatever was changed on the way, is old, or is not
covered, is refused before anything of it is read as an event."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
from fastapi import FastAPI
from holders import COVERED, ONE, signature
from psycopg_pool import AsyncConnectionPool

from schemas.envelope import Event
from schemas.keys import Bounds
from schemas.registry import SYSTEMS
from services.ingest import cloudevents
from services.ingest.keyring import Keyring
from services.ingest.router import Stored
from services.kit import clock
from services.kit.keys import Key, derived, digest

MASTER, NAME, OTHER = "m" * 43, "tram-y-te", "benh-vien"
OLD, NEW, GONE = (derived(MASTER, salt) for salt in ("old", "new", "gone"))
PLAIN = f"iock_{'p' * 43}"
LINES = "application/x-ndjson"
EVENT = {
    "specversion": "1.0", "id": "v-1", "source": f"/{NAME}", "type": "vn.ioc.visits.reported.v1",
    "time": "2026-11-20T17:00:00+07:00", "unit": "phuong_chon_thanh",
    "data": {"facility": "tram", "day": "2026-11-20", "visits": 41, "insured": 38},
}  # fmt: skip
BODY = json.dumps(EVENT).encode()


def signed(secret: str = NEW, body: bytes = BODY, kind: str = ONE, name: str = NAME, **how: Any) -> dict[str, str]:
    return signature(secret, name, body, kind, **how)


class Door:
    """The door of who has a key, in this process; what it publishes is kept here."""

    def __init__(self, master: str | None = MASTER) -> None:
        self.published: list[Event] = []
        pool = AsyncConnectionPool("host=127.0.0.1 port=9", open=False)
        keyring, now = Keyring(pool, 1e15, master), clock.now()
        until, over = now + timedelta(days=400), now - timedelta(hours=1)
        ends = {digest(OLD): until, digest(NEW): until, digest(GONE): over}
        salts = {digest(OLD): "old", digest(NEW): "new", digest(GONE): "gone"}
        signing = Key(Bounds(NAME, f"/{NAME}", tuple(SYSTEMS)), 1e12, now, until, None, None, ends, True, salts)
        plain = Key(Bounds(OTHER, f"/{OTHER}", tuple(SYSTEMS)), 1e12, now, until, None, None, {digest(PLAIN): until})
        keyring.know([signing, plain])
        self.keyring, self._app = keyring, FastAPI()
        self._app.include_router(cloudevents.router(cloudevents.endpoint(keyring, self._publish)))

    async def _publish(self, event: Event, by: str) -> Stored:
        assert by == NAME
        self.published.append(event)
        return Stored(len(self.published), known=False)

    def post(self, headers: dict[str, str], body: bytes = BODY, path: str = "/events") -> httpx.Response:
        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url="http://door") as client:
                return await client.post(path, content=body, headers=headers)

        return asyncio.run(send())


def test_what_is_signed_is_taken_in_every_form_and_by_either_secret() -> None:
    door = Door()
    binary = {f"ce-{name}": str(value) for name, value in EVENT.items() if name != "data"}
    data, several = json.dumps(EVENT["data"]).encode(), BODY + b"\n" + BODY
    everything = [*COVERED, *sorted(binary)]
    answers = [
        door.post(signed()),
        door.post(signed(OLD)),
        door.post(signed(body=several, kind=LINES), several),
        door.post(signed(body=data, kind="application/json", covered=everything, more=binary), data),
        door.post(signed(covered=[*COVERED, "@query"], path="/events?a=1"), path="/events?a=1"),
    ]
    assert [answer.status_code for answer in answers] == [202] * 5, [answer.text for answer in answers]
    assert [event.id for event in door.published] == ["v-1"] * 6


def test_what_was_changed_or_is_old_or_not_covered_is_refused() -> None:
    door, more = Door(), {f"ce-{name}": str(value) for name, value in EVENT.items() if name != "data"}
    whole, longer, data = signed(), BODY.replace(b"41", b"42"), json.dumps(EVENT["data"]).encode()
    cases: dict[str, tuple[dict[str, str], bytes, str]] = {
        "the body was changed": (whole, longer, "/events"),
        "the body and its digest were changed": (
            whole | {"content-digest": signed(body=longer)["content-digest"]},
            longer,
            "/events",
        ),
        "the form was changed": (whole | {"content-type": LINES}, BODY, "/events"),
        "a query was added": (whole, BODY, "/events?a=1"),
        "an attribute in a header is not covered": (
            signed(body=data, kind="application/json", more=more),
            data,
            "/events",
        ),
        "it is old": (signed(age=400), BODY, "/events"),
        "it is of a time to come": (signed(age=-400), BODY, "/events"),
        "the secret has ended": (signed(GONE), BODY, "/events"),
        "the secret is another": (signed("iock_" + "x" * 43), BODY, "/events"),
        "nobody has such a key": (signed(name="nobody"), BODY, "/events"),
        "that key does not sign": (signed(PLAIN, name=OTHER), BODY, "/events"),
        "the signature is missing": (
            {name: text for name, text in whole.items() if name != "signature"},
            BODY,
            "/events",
        ),
        "it is no signature": (whole | {"signature-input": "((((", "signature": "x"}, BODY, "/events"),
        "the secret is shown instead": ({"authorization": f"Bearer {NEW}", "content-type": ONE}, BODY, "/events"),
    }
    for missing in COVERED:
        cases[f"{missing} is not covered"] = (signed(covered=[n for n in COVERED if n != missing]), BODY, "/events")
    answers = {why: door.post(*case) for why, case in cases.items()}
    wrong = {why: (a.status_code, a.text) for why, a in answers.items() if a.status_code != 401}
    assert not wrong and not door.published, wrong
    assert all("accept-signature" in answer.headers for answer in answers.values())
    assert not any(secret in answer.text for answer in answers.values() for secret in (OLD, NEW, MASTER))


def test_without_the_centres_secret_nothing_that_is_signed_is_taken() -> None:
    """Nor does its secret open anything, here or at the broker."""
    door = Door(master=None)
    assert door.post(signed()).status_code == 401
    assert door.keyring.holder(NEW) is None and door.keyring.holder(PLAIN)
