"""Every acknowledged event is behind a figure, in a finding or in the quarantine, with an enemy's rubbish beside it."""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from alarms import eventually, query
from shown import unexplained
from support import wait_until_idle

from infra.local.servers import Instance
from schemas.contracts import samples
from schemas.envelope import Event
from schemas.registry import DATA_TYPES, make, parse
from schemas.sources import EMITTERS
from services.centre.prepare import settings_of
from services.kit import bus
from services.readings import findings

EVENTS = int(os.environ.get("IOC_TEST_EVENTS", "2000"))
"""How many honest events are sent, half of them by HTTP; a run by hand may ask for more."""
OFFICES = ("phuong_chon_thanh", "phuong_minh_hung", "xa_nha_bich")
NOW = datetime.now(UTC)
OF_STATUS: dict[int, dict[str, Any]] = {
    1: {"procedure": "2.000815", "field": "justice"}, 2: {}, 3: {"reason": "not_complete"}, 4: {}, 5: {},
    6: {"kind": "fee", "amount": 1000}, 7: {}, 8: {"reason": "not_complete"}, 9: {}, 10: {},
}  # fmt: skip
"""Status of the portal -> what is told with it."""


@pytest.fixture(scope="module")
def running(new_centre: Callable[[Path], Instance], open_folder: Path) -> Iterator[Instance]:
    own = new_centre(open_folder / "effect")
    try:
        own.start(["nats", "timescaledb"])
        own.start_services(["aggregator", "emitters"])
        yield own
    finally:
        own.stop()


def moment(chance: random.Random) -> str:
    return (NOW - timedelta(minutes=chance.randint(1, 60 * 24 * 20))).isoformat()


def posts(chance: random.Random, number: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(emitter, path, words): few numbers, three offices, some words that are wrong."""
    for _ in range(number):
        unit, code = chance.choice(OFFICES), chance.randint(1, number // 8)
        words: dict[str, Any] = {"unit": unit}
        match chance.randint(0, 6):
            case 0 | 1:
                amount = chance.choice([1000, 2000, -5])
                words |= {"transaction": f"BL-{code}", "kind": "fee", "amount": amount, "method": "cash"}
                yield "payments", "/payments", words | {"paid_at": moment(chance)}
            case 2:
                words |= {"amount": chance.choice([500, 9000]), "refunded_at": moment(chance)}
                yield "payments", f"/payments/BL-{code}/refund", words
            case 3:
                words |= {"code": f"PA-{code}", "channel": "app", "category": chance.choice(["road", "waste", "none"])}
                yield "field", "/field/reports", words | {"reported_at": moment(chance)}
            case 4 | 5:
                status = chance.choice(sorted(OF_STATUS))
                words |= {"code": f"H99.98-261102-{code:04}", "status": status, "at": moment(chance)}
                words |= {"limit_days": chance.randint(1, 5)} if status == 2 else OF_STATUS[status]
                yield "procedures", "/procedures/dossiers", words
            case _:
                step = chance.choice(["verified", "routed", "accepted", "resolved", "reopened"])
                words |= {"to_unit": chance.choice([*OFFICES, "nowhere"])} if step == "routed" else {}
                yield "field", f"/field/reports/PA-{code}/steps", words | {"step": step, "at": moment(chance)}


async def insist(send: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """The answer; a door may end a connection, then the same is sent again, as every sender does."""
    for _ in range(5):
        try:
            return await send()
        except httpx.TransportError:
            await asyncio.sleep(0.2)
    return await send()


async def post_all(own: Instance, chance: random.Random, number: int) -> list[int]:
    """Under which numbers of the stream those lie that were answered 202; twenty at a time."""
    told: list[int] = []
    keys = {name: {"Authorization": f"Bearer {own.password(f'emitter_{name}')}"} for name in EMITTERS}
    gate = asyncio.Semaphore(20)

    async def one(client: httpx.AsyncClient, name: str, path: str, words: dict[str, Any]) -> None:
        async with gate:
            answer = await insist(lambda: client.post(path, json=words, headers=keys[name]))
        assert answer.status_code in (202, 422), answer.text
        if answer.status_code == 202:
            told.append(answer.json()["stream_sequence"])

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{own.ports['emitters']}", timeout=60) as client:
        await asyncio.gather(*(one(client, *post) for post in posts(chance, number)))
    return told


def by_broker(chance: random.Random, number: int) -> Iterator[Event]:
    """Events of the other systems and of dossiers, under few numbers; some contradict each other."""
    data = {DATA_TYPES[name].event: json.loads(next(iter(texts.values())))["data"] for name, texts in samples().items()}
    names = [name for name, model in DATA_TYPES.items() if not model.event.startswith(("payment.", "report.", "calen"))]
    for n in range(number):
        model = DATA_TYPES[chance.choice(names)]
        fields = dict(data[model.event])
        for field, value in fields.items():
            if field in ("code", "case", "outbreak", "outage", "crisis", "feature"):
                fields[field] = f"{str(value)[:-1]}{chance.randint(0, 9)}"
        fields |= {"revision": chance.randint(1, 2)} if "revision" in fields else {}
        fields |= {"ward": chance.choice(OFFICES)} if "ward" in fields else {}
        parsed = model.model_validate_json(json.dumps(fields))
        unit, time = chance.choice(OFFICES), NOW - timedelta(minutes=chance.randint(1, 9000))
        if not parsed.contradiction(time):
            yield make(parsed, source="/test/broker", id=f"{n}", time=time, unit=unit)


async def publish_all(own: Instance, events: list[Event]) -> None:
    async with bus.connected(settings_of(own, "cli"), "test") as client:
        assert await bus.publish_many(client.jetstream(), events, within=60) == len(events)


async def contents(own: Instance, sequences: list[int]) -> list[bytes]:
    """What lies under these numbers in the stream of events, or did."""
    async with bus.connected(settings_of(own, "admin"), "test") as client:
        js = client.jetstream()
        return [(await js.get_msg("EVENTS", sequence)).data or b"" for sequence in sequences]


async def harm(own: Instance, chance: random.Random, number: int) -> list[str]:
    """An emitter that has been taken over: rubbish under its subjects, others' words under its own ids and theirs."""
    spoilt: list[str] = []
    settings = settings_of(own, "cli").model_copy(update={"user": "emitter_field"})
    async with bus.connected(settings, "enemy") as client:
        js = client.jetstream()
        for n in range(number):
            body = chance.choice([b"{", b"\xff\xfe", b'{"a":1,"a":2}', json.dumps(foreign(chance)).encode()])
            subject = f"ioc.events.{chance.choice(OFFICES)}.field.report.received"
            ack = await js.publish(subject, body, headers={"Nats-Msg-Id": f"enemy-{n // 2}"}, timeout=60)
            spoilt += [] if ack.duplicate else [str(ack.seq)]
    return spoilt


def foreign(chance: random.Random) -> dict[str, Any]:
    """A payment that is no business of this emitter."""
    fields = {"transaction": f"BL-{chance.randint(1, 99)}", "kind": "fee", "amount": 10**9, "method": "cash"}
    head = {"specversion": "1.0", "id": "BL-1/made", "source": f"/payments/{OFFICES[0]}"}
    return {**head, "type": "vn.ioc.payment.made.v1", "time": moment(chance), "unit": OFFICES[0], "data": fields}


async def lying(own: Instance) -> dict[str, bytes]:
    """Sequence in EVENTS -> what lies in the quarantine."""
    found: dict[str, bytes] = {}
    async with bus.connected(settings_of(own, "cli"), "test") as client:
        js = client.jetstream()
        state = (await js.stream_info("QUARANTINE")).state
        for seq in range(state.first_seq, state.last_seq + 1) if state.messages else ():
            message = await js.get_msg("QUARANTINE", seq)
            found[(message.headers or {})["Ioc-Sequence"]] = message.data or b""
    return found


def canonical(raw: bytes) -> bytes:
    """The same JSON, however it is spelled; as it is where it is none."""
    try:
        return json.dumps(json.loads(raw), sort_keys=True).encode()
    except ValueError:
        return raw


def test_every_acknowledged_event_is_told_somewhere(running: Instance) -> None:
    chance = random.Random(7)
    events = list(by_broker(chance, EVENTS // 2))

    async def all_at_once() -> tuple[list[int], None, list[str]]:
        return await asyncio.gather(
            post_all(running, chance, EVENTS // 2),
            publish_all(running, events),
            harm(running, random.Random(8), EVENTS // 4),
        )

    posted, _, spoilt = asyncio.run(all_at_once())
    wait_until_idle(running, 240)
    # While the broker is busy, what is refused is noted, and brought in a moment later.
    eventually(lambda: query(running, "SELECT count(*) FROM refused"), [(0,)], 120)
    told = [*asyncio.run(contents(running, posted)), *(event.to_json() for event in events)]
    quarantined = asyncio.run(lying(running))
    assert set(spoilt) <= quarantined.keys(), "what the enemy sent lies in the quarantine, and nowhere else"
    with psycopg.connect(settings_of(running, "cli").database("reader"), autocommit=True) as conn:
        stored = {digest for (digest,) in conn.execute("SELECT digest FROM event_key").fetchall()}
        aside = {canonical(body) for body in quarantined.values()}
        lost = [raw for raw in told if parse(raw, NOW).digest not in stored and canonical(raw) not in aside]
        assert lost == [] and len(stored) > EVENTS // 2, "each with all that it says, under an id that was used before"
        assert unexplained(conn) == []
        noted = conn.execute("SELECT count(*) FROM entity, jsonb_array_elements(notes)").fetchone()
        found = {f.code for f in findings(conn, datetime.now(UTC))}
        assert noted and noted[0] > 0 and {"ambiguous", "contradicted", "over_refunded", "orphan_payment"} <= found
