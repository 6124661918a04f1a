"""A door takes no more events and bytes than a credential may send, and who sends much abreast waits for itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI

from schemas.envelope import Event
from schemas.keys import Bounds
from services.ingest import cloudevents, router
from services.ingest.app import EMITTERS
from services.ingest.limits import ABREAST, BURST_SECONDS, Limits

AT, UNIT = "2026-11-02T08:00:00+07:00", "phuong_chon_thanh"
WORDS: dict[str, tuple[str, dict[str, Any]]] = {
    "payments": ("/payments", {"transaction": "TXN-1", "kind": "fee", "amount": 1000, "method": "cash", "paid_at": AT}),
    "field": ("/field/reports", {"code": "PA-26.1", "category": "waste", "channel": "app", "reported_at": AT}),
    "procedures": (
        "/procedures/dossiers",
        {"code": "H99.98-261102-0001", "status": 1, "at": AT, "procedure": "2.000815", "field": "chung_thuc"},
    ),
}


def answers(name: str, limits: Limits, posts: int) -> tuple[list[httpx.Response], int]:
    """What so many posts are answered, and how many were published."""
    published: list[Event] = []

    async def publish(event: Event) -> router.Stored:
        published.append(event)
        return router.Stored(len(published), False)

    async def post() -> list[httpx.Response]:
        app = FastAPI()
        app.include_router(router.router(EMITTERS[name], "mat-khau", publish, limits))
        path, words = WORDS[name]
        head = {"Authorization": "Bearer mat-khau"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://door") as client:
            return [
                await client.post(path, content=json.dumps(words | {"unit": UNIT}), headers=head) for _ in range(posts)
            ]

    return asyncio.run(post()), len(published)


@pytest.mark.parametrize("name", WORDS)
def test_more_events_or_bytes_than_it_may_send_are_refused_with_when_to_come_again(name: str) -> None:
    size = len(json.dumps(WORDS[name][1] | {"unit": UNIT}))
    for limits in (Limits(2 / BURST_SECONDS, 10**9), Limits(10**9, 2 * size / BURST_SECONDS)):
        said, published = answers(name, limits, 4)
        assert [one.status_code for one in said] == [202, 202, 429, 429] and published == 2
        last = said[-1]
        assert last.status_code == 429 and int(last.headers["Retry-After"]) >= 1
        assert last.json()["code"] == "too_many"


def test_of_one_key_two_batches_are_in_work_and_another_key_waits_for_none_of_them() -> None:
    bounds = {name: Bounds(name, f"/{name}", ("health",)) for name in ("mot", "hai")}
    limits, gate, in_work = {name: Limits(10**6, 10**9) for name in bounds}, asyncio.Event(), list[str]()

    async def publish(event: Event, by: str) -> router.Stored:
        in_work.append(by)
        await gate.wait()
        return router.Stored(len(in_work), False)

    keyring = SimpleNamespace(
        holder=lambda secret: (SimpleNamespace(bounds=bounds[secret]), None), limits=lambda key: limits[key.bounds.name]
    )

    async def post() -> list[int]:
        app = FastAPI()
        app.include_router(cloudevents.router(cloudevents.endpoint(cast(Any, keyring), publish)))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://door") as client:

            def batch(name: str) -> Awaitable[httpx.Response]:
                event = cloudevents.EXAMPLE | {"source": f"/{name}"}
                head = {"Authorization": f"Bearer {name}", "Content-Type": cloudevents.BATCH}
                return client.post("/events", content=json.dumps([event] * 3), headers=head)

            posts = [asyncio.ensure_future(batch(name)) for name in ("mot",) * 5 + ("hai",)]
            for _ in range(500):
                await asyncio.sleep(0)
            assert in_work.count("hai") == 3
            assert in_work.count("mot") == 3 * ABREAST
            gate.set()
            return [answer.status_code for answer in await asyncio.gather(*posts)]

    assert asyncio.run(post()) == [202] * 6
    assert in_work.count("mot") == 15
