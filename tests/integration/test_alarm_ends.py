"""When an alarm is over, on a real database, Alertmanager and Prometheus: what only seems to have ended goes on."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from alarms import eventually, now, opened, query
from psycopg_pool import AsyncConnectionPool

from infra.local import configure
from infra.local.servers import Instance
from schemas.alerts import ALERTS
from services.centre.prepare import settings_of
from services.kit import store
from services.kit.errors import Unavailable
from services.notifier import actions, alarm_repository
from services.notifier.actions import Act
from services.notifier.alarm import Key
from services.notifier.auto_resolve import UNHEARD, Ends
from services.notifier.domain import to_raise
from services.notifier.routes import load
from services.notifier.scheduler import Rounds
from services.notifier.watchdog import SILENT, Watchdog
from services.notifier.webhook import Payload, understand

HERE = "xa_phu_nghia"
SETTLING = timedelta(seconds=90)
ROUTES = """
[people]
em = { name = "Em", channels = [{ url = "json://127.0.0.1:1/em" }] }

[[routes]]
name = "here"
units = ["xa_phu_nghia"]
steps = [{ to = ["em"] }]
"""
PENDING = """
groups:
  - name: test
    rules: [{alert: Held, expr: vector(1), for: 1m}]
"""
Work = Callable[[AsyncConnectionPool], Awaitable[None]]
Alert = dict[str, str]


@pytest.fixture(scope="module")
def alerting(centre: Instance) -> Iterator[Instance]:
    """The centre with an Alertmanager of our configuration, and no notifier."""
    try:
        centre.start(["alertmanager"])
        yield centre
    finally:
        centre.stop_process("alertmanager")


def alert(name: str, unit: str = HERE, **more: str) -> Alert:
    """The labels with which a rule of ours fires."""
    one = next(a for a in ALERTS if a.name == name and a.system in ("procedures", "platform"))
    family = {"family": one.family} if one.family else {}
    return {"alertname": name, "severity": one.severity, "system": one.system, "unit": unit} | family | more


def told(*alerts: Alert, status: str = "firing") -> Payload:
    """Alerts as Alertmanager posts them."""
    return Payload.model_validate({"version": "4", "alerts": [{"status": status, "labels": one} for one in alerts]})


def fire(centre: Instance, *alerts: Alert) -> None:
    """Alerts as Prometheus sends them."""
    body = [{"labels": one, "startsAt": now().isoformat()} for one in alerts]
    httpx.post(f"{address(centre)}/api/v2/alerts", json=body, trust_env=False).raise_for_status()


def address(centre: Instance) -> str:
    return f"http://127.0.0.1:{centre.ports['alertmanager']}"


def held(centre: Instance) -> dict[str, str]:
    """Name -> state of the alerts here, as Alertmanager lists them."""
    found = httpx.get(f"{address(centre)}/api/v2/alerts", trust_env=False).json()
    return {a["labels"]["alertname"]: a["status"]["state"] for a in found if a["labels"]["unit"] == HERE}


def work(centre: Instance, do: Work) -> None:
    """Do it as the notifier would."""

    async def run() -> None:
        async with store.pool(settings_of(centre, "test"), "notifier") as pool:
            await do(pool)

    asyncio.run(run())


async def tell(pool: AsyncConnectionPool, payload: Payload, at: datetime) -> None:
    """What the notifier's door does with it."""
    said = understand(payload)
    async with alarm_repository.writing(pool) as conn:
        await alarm_repository.end(conn, said.over, at)
        await alarm_repository.raise_all(conn, said.raised, at)


async def settle(pool: AsyncConnectionPool, centre: Instance, dog: Watchdog, at: datetime, door: str = "") -> None:
    """One look at what may be over."""
    async with httpx.AsyncClient(base_url=door or address(centre), trust_env=False) as web:
        await Ends(pool, dog, web, SETTLING).run_once(at)


def listening(since: datetime, until: datetime) -> Watchdog:
    """A Watchdog that was heard every minute."""
    dog = Watchdog(since)
    while since <= until:
        dog.hear(since)
        since += timedelta(minutes=1)
    return dog


def test_what_alertmanager_holds_goes_on_though_it_tells_of_it_no_more(alerting: Instance) -> None:
    overdue, stale = alert("DossiersOverdue"), alert("SourceStale", source="/test/ends")
    lost = alert("DiskFilling", folder="/test/ends")
    fire(alerting, stale)
    eventually(lambda: held(alerting), {"SourceStale": "active"})
    fire(alerting, overdue)
    eventually(lambda: held(alerting).get("DossiersOverdue"), "suppressed")  # never told from now on
    [key], [gone] = ([one.key for one in understand(told(labels)).raised] for labels in (overdue, lost))

    async def look(pool: AsyncConnectionPool) -> None:
        await tell(pool, told(overdue, lost), now())
        id = number(alerting, key)
        async with alarm_repository.writing(pool) as conn:
            await actions.acknowledge(conn, id, Act(user="em"), now())
        age(alerting, id, number(alerting, gone))
        dog = listening(now() - timedelta(minutes=30), now())
        with pytest.raises(Unavailable):
            await settle(pool, alerting, dog, now(), "http://127.0.0.1:1")
        await settle(pool, alerting, dog, now())
        # One that Alertmanager does not know may be one that it does not know yet.
        assert status(alerting, gone) == ("active", True)
        dog.hear(now() + SETTLING)
        await settle(pool, alerting, dog, now())
        assert status(alerting, gone) == ("cleared", True)
        assert status(alerting, key) == ("acknowledged", False)
        await tell(pool, told(overdue, status="resolved"), now())
        dog.hear(now() + SETTLING)
        await settle(pool, alerting, dog, now())  # it has ended, and was back before that was believed
        assert status(alerting, key) == ("acknowledged", False)
        await clear(pool, id)

    work(alerting, look)


def test_an_end_is_believed_when_it_has_lasted_and_what_comes_back_is_the_same_alarm(alerting: Instance) -> None:
    labels = alert("DiskFilling", folder="/test/back")
    [key] = [one.key for one in understand(told(labels)).raised]
    graver = labels | {"severity": "critical"}

    async def look(pool: AsyncConnectionPool) -> None:
        start = now()
        dog = listening(start - timedelta(minutes=3), start)
        await tell(pool, told(labels), start)
        async with alarm_repository.writing(pool) as conn:
            await actions.acknowledge(conn, number(alerting, key), Act(user="em"), start)
        await tell(pool, told(labels, status="resolved"), start)
        await settle(pool, alerting, dog, start)
        dog.end()  # Prometheus is dead: so its Watchdog is over as well
        dog.hear(start + 2 * SETTLING)
        await settle(pool, alerting, dog, start)
        assert status(alerting, key) == ("acknowledged", True)
        await tell(pool, told(labels), start)
        dog.hear(start + 4 * SETTLING)
        await settle(pool, alerting, dog, start)
        assert status(alerting, key) == ("acknowledged", False)
        await tell(pool, told(graver), start)
        await tell(pool, told(graver, labels, status="resolved"), start)
        await tell(pool, told(labels), start)  # the lesser one says nothing of the graver
        assert status(alerting, key) == ("active", True)  # the rise ended the acknowledgement
        await settle(pool, alerting, dog, start)
        assert status(alerting, key) == ("cleared", True)

    work(alerting, look)


def test_what_is_said_of_the_road_to_people_is_over_when_something_has_gone_that_way(
    centre: Instance, tmp_path: Path
) -> None:
    table = tmp_path / "routes.toml"
    table.write_text(ROUTES)
    failing, silent = Key("person:em", "NotificationFailing"), Key("alertmanager", "AlertingSilent")
    trouble = to_raise(opened("SC-ENDS", HERE))
    assert trouble

    async def look(pool: AsyncConnectionPool) -> None:
        async def once(dog: Watchdog) -> None:
            await Rounds(pool, load(table), dog).run_once(now())

        await once(Watchdog(now() - 2 * SILENT))
        started = Watchdog(now())
        await once(started)  # the notifier was started anew
        assert status(centre, silent)[0] == "active"
        started.hear(now())
        await once(started)
        assert status(centre, silent)[0] == "cleared"
        async with alarm_repository.writing(pool) as conn:
            await alarm_repository.raise_all(conn, [trouble], now())
        await once(started)
        for sets, wanted in (
            ("tries = 99", "active"),
            ("state = 'dropped'", "active"),  # another has taken the alarm; the channel is as it was
            ("state = 'sent', sent_at = now()", "cleared"),
        ):
            change(centre, f"UPDATE notification SET {sets} WHERE person = 'em'")
            await once(started)
            assert status(centre, failing)[0] == wanted
        await clear(pool, number(centre, trouble.key))

    work(centre, look)


def test_prometheus_takes_up_what_went_on_before_it_was_killed(
    new_instance: Callable[[Path], Instance], open_folder: Path
) -> None:
    own = new_instance(open_folder / "killed")
    try:
        own.start(["prometheus"])
        rules = own.data / "prometheus" / "rules"
        rules.mkdir()
        (rules / "test.yml").write_text(PENDING)
        text = configure.prometheus_text(own.ports, {}, rules, interval="200ms")
        (own.data / "prometheus" / "prometheus.yml").write_text(text)
        own.kill("prometheus", signal.SIGHUP)
        eventually(lambda: pending_since(own) is not None, True)
        time.sleep(4)  # of the minute that it must hold for
        killed = own.kill("prometheus")
        eventually(lambda: own.pid("prometheus") != killed, True)
        own.wait_ready("prometheus", 30)
        began = moment(asked(own, "status/runtimeinfo")["startTime"])
        eventually(lambda: (since := pending_since(own)) is not None and since < began, True)
    finally:
        own.stop()


def pending_since(own: Instance) -> datetime | None:
    """Since when the rule's condition holds, as Prometheus sees it."""
    found = asked(own, "alerts")["alerts"]
    return moment(found[0]["activeAt"]) if found else None


def asked(own: Instance, what: str) -> Any:
    return httpx.get(f"http://127.0.0.1:{own.ports['prometheus']}/api/v1/{what}", trust_env=False).json()["data"]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(f"{text[:19]}+00:00")


def number(centre: Instance, key: Key) -> int:
    """The number of the latest alarm of a key."""
    return int(query(centre, "SELECT max(id) FROM alarm WHERE (originator, type) = (%s, %s)", *key)[0][0])


def status(centre: Instance, key: Key) -> Any:
    """How it stands, and whether it is said to be over."""
    sql = "SELECT l.status, a.ended_at IS NOT NULL FROM alarm a JOIN alarm_list l USING (id) WHERE id = %s"
    [row] = query(centre, sql, number(centre, key))
    return row


def age(centre: Instance, *ids: int) -> None:
    """They were not heard for long."""
    change(centre, "UPDATE alarm SET refreshed_at = %s WHERE id = ANY(%s)", now() - 2 * UNHEARD, list(ids))


def change(centre: Instance, sql: str, *values: Any) -> None:
    with psycopg.connect(settings_of(centre, "test").database("owner")) as conn:
        conn.execute(sql, values or None)  # type: ignore[call-overload]


async def clear(pool: AsyncConnectionPool, id: int) -> None:
    async with alarm_repository.writing(pool) as conn:
        await alarm_repository.clear(conn, [id], now(), "test", "over")
