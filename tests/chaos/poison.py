"""Messages that no one planned: such as cannot be read, such as the database refuses, such as tell of this moment."""

from __future__ import annotations

import json
import signal
import time
from dataclasses import replace
from itertools import count

import psycopg
from chaos.stage import SERVERS, Stage

from schemas.envelope import Event
from schemas.registry import parse
from services.kit import clock
from services.simulator.district import Sending

BATCH = 40
UNIT = "dong_nai"  # where nothing is simulated, so the simulator's figures stay what they are
_SERIAL = count(1)


def event_of_now(id: str) -> Sending:
    """An event that happens at this moment, by the true clock."""
    now = clock.now()
    body = {
        "specversion": "1.0",
        "id": id,
        "source": "/chaos",
        "type": "vn.ioc.report.received.v1",
        "time": now.isoformat(),
        "unit": UNIT,
        "data": {"code": f"PA-CHAOS-{next(_SERIAL)}", "channel": "app", "category": "road"},
    }
    event: Event = parse(json.dumps(body).encode(), now)
    return Sending(now, event, event.to_json(), event.subject, "meant")


def refused(sending: Sending) -> Sending:
    """The same, where it must end in the quarantine."""
    return replace(sending, event=None, kind="refused")


def unreadable(id: str) -> Sending:
    """Bytes that are no event."""
    sending = refused(event_of_now(id))
    return replace(sending, raw=sending.raw[:-9] + b"\xff" + id.encode())


def unstorable(id: str) -> Sending:
    """An event that passes the door, and that the database refuses; see `_refuse`."""
    return refused(event_of_now(f"unstorable/{id}"))


def at_every_position(stage: Stage) -> None:
    """Batches of 40 with both poisons in each: one wanders from the first place to the last, the other half a batch
    behind."""
    _refuse(stage)
    for place in range(BATCH):
        batch = stage.load.take(BATCH - 2)
        batch.insert(place, unreadable(f"unreadable/{place}"))
        batch.insert((place + BATCH // 2) % BATCH, unstorable(f"{place}"))
        _as_one_batch(stage, batch)
    batches = stage.counted("ioc_aggregator_batch_seconds_count", stage.instance.ports["health_aggregator"])
    assert batches <= BATCH + 3, f"{batches:.0f} batches: those of {BATCH} were torn apart"
    stage.start("deadlines")


def without_notices(stage: Stage) -> None:
    """The aggregator alone, so that no other message joins a batch."""
    stage.start(*SERVERS, "aggregator")


def _as_one_batch(stage: Stage, batch: list[Sending]) -> None:
    """A sleeping aggregator finds all of them when it wakes."""
    stage.instance.kill("aggregator", signal.SIGSTOP)
    time.sleep(0.15)  # the fetch that it waits in ends at the broker
    stage.load.send(batch)
    stage.instance.kill("aggregator", signal.SIGCONT)
    stage.wait_until_idle()


def _refuse(stage: Stage) -> None:
    """The door lets through nothing that our database is known to refuse, so the database is made stricter."""
    with psycopg.connect(stage.settings("cli").database("owner")) as conn:
        conn.execute("ALTER TABLE event ADD CONSTRAINT chaos CHECK (id NOT LIKE 'unstorable/%')")
