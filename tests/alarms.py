"""What the tests of alarms share: events that raise and clear them, the table, a notifier with routes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
from support import wait_until_idle

from infra.local.servers import Instance
from schemas.envelope import Event, EventData
from schemas.registry import make
from schemas.security import IncidentClosed, IncidentOpened
from schemas.streams import NOTIFIER
from services.centre.prepare import settings_of
from services.kit import bus, store

NUMBERS = count(1)


def now() -> datetime:
    return datetime.now(UTC)


def event(data: EventData, unit: str, at: datetime | None = None, **attributes: Any) -> Event:
    time = at or now() - timedelta(seconds=1)
    return make(
        data, source="/test/alarms", id=f"{next(NUMBERS)}/{time.isoformat()}", time=time, unit=unit, **attributes
    )


def opened(code: str, unit: str, severity: Any = "high", **attributes: Any) -> Event:
    return event(IncidentOpened(code=code, severity=severity, category="intrusion"), unit, **attributes)


def closed(code: str, unit: str) -> Event:
    return event(IncidentClosed(code=code), unit, now())


def send(centre: Instance, *events: Event) -> None:
    async def publish() -> None:
        async with bus.connected(settings_of(centre, "cli"), "test") as client:
            await bus.publish_many(client.jetstream(), events)

    asyncio.run(publish())


def query(centre: Instance, sql: str, *values: Any) -> list[Any]:
    with store.connect(settings_of(centre, "test"), "reader") as conn:
        return conn.execute(sql, values).fetchall()


def steps(centre: Instance, originator: str) -> list[str]:
    """The history of all alarms of an originator."""
    sql = "SELECT step FROM alarm_step s JOIN alarm a ON a.id = s.alarm WHERE originator = %s ORDER BY s.id"
    return [step for (step,) in query(centre, sql, originator)]


def alarm(centre: Instance, originator: str) -> int:
    """The number of the latest alarm of an originator, once it is raised."""
    sql = "SELECT max(id) FROM alarm WHERE originator = %s"
    eventually(lambda: query(centre, sql, originator)[0][0] is not None, True)
    return int(query(centre, sql, originator)[0][0])


def eventually(look: Callable[[], Any], wanted: Any, within: float = 30) -> None:
    deadline = time.monotonic() + within
    while (found := look()) != wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    assert found == wanted, f"{found} instead of {wanted}"


def wait_until_told(centre: Instance) -> None:
    """Until what other tests left behind is stored, told of where it is overdue, and raised."""
    owed = "SELECT kind, id, unit, due_at, notice_at, state FROM entity WHERE notice_at <= now()"
    wait_until_idle(centre)
    try:
        eventually(lambda: query(centre, owed), [], 60)
    except AssertionError as error:
        raise AssertionError(f"{error}; deadlines say: {centre.log_tail('deadlines', 40)}") from None
    wait_until_idle(centre)
    eventually(lambda: asyncio.run(_left_to_raise(centre)), 0, 60)


async def _left_to_raise(centre: Instance) -> int:
    async with bus.connected(settings_of(centre, "monitor"), "test") as client:
        told = await client.jetstream().consumer_info(NOTIFIER.stream, NOTIFIER.name)
        return (told.num_pending or 0) + (told.num_ack_pending or 0)


def _key(path: str) -> str:
    return "alertmanager" if path == "/alertmanager" else "alarms"


def post(centre: Instance, path: str, body: Any, token: str | None = None) -> httpx.Response:
    head = {"Authorization": f"Bearer {token or centre.password(_key(path))}", "Content-Type": "application/json"}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(f"http://127.0.0.1:{centre.ports['notifier']}{path}", content=content, headers=head)


def watchdog() -> dict[str, Any]:
    """The Watchdog as Alertmanager posts it."""
    labels = {"alertname": "Watchdog", "severity": "info", "system": "platform", "unit": "all"}
    return {"version": "4", "alerts": [{"status": "firing", "labels": labels}]}


@contextmanager
def notifying(centre: Instance, routes: str) -> Iterator[None]:
    """The services that raise alarms and tell of them, with this table of routes and nothing left to tell."""
    table = centre.data / "routes.toml"
    table.write_text(routes, encoding="utf-8")
    try:
        centre.start_services(["aggregator", "deadlines", "notifier"])
        wait_until_told(centre)
        yield
    finally:
        for service in ("notifier", "deadlines", "aggregator"):
            centre.stop_process(service)
        table.unlink()
