"""A small demo for several test modules: what a province published of itself, moved to end now, a week of a simulated
district, all services, and Prometheus."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain
from urllib.parse import urlencode

import httpx
from support import wait_until_idle
from today import of_today

from infra.local import configure
from infra.local.processes import PROCESSES
from infra.local.servers import Instance
from schemas import economy, procedures
from schemas.calendar import VN, local_day
from schemas.envelope import Event
from schemas.registry import make
from services.centre.prepare import settings_of
from services.kit import bus, clock
from services.simulator import november_2024
from services.simulator.district import Plan
from services.simulator.district.plan import Stream
from services.simulator.november_2024.hotline import hotline_events
from services.simulator.november_2024.offered import service_events
from services.simulator.november_2024.shift import Shift
from services.simulator.november_2024.statements import statement_events

LIVED = timedelta(days=10)
"""With the first day of a week in it, on which schools tell their rosters and offices their plans, and with a day of
offices before this week, also where that week ended in a holiday."""
LATE = ("dossier_overdue", "dossier_forgotten")
COUNTED = ("mentions", "alert", "tax_paid", "fee_")
SERVICES = ("aggregator", "deadlines", "emitters", "exporter", "upkeep", "notifier", "board")


def start(own: Instance) -> None:
    """Start and fill a centre that is ready: about 20 s."""
    own.start(["nats", "timescaledb", "alertmanager", "prometheus"])
    own.start_services(SERVICES)
    asyncio.run(_fill(own))
    wait_until_idle(own)


def look_often(centre: Instance) -> None:
    """Have Prometheus look every other second from now on, and wait until it has seen what is stored. To be asked by
    those alone who ask Prometheus: each look is work for it and for every service."""
    health = {row.name: next(iter(row.ports)) for row in PROCESSES if row.name in SERVICES}
    configure.prometheus(centre.data, centre.ports, health, interval="2s")
    centre.kill("prometheus", signal.SIGHUP)
    _wait_scraped(centre)


async def _fill(centre: Instance) -> None:
    moved = Shift(november_2024.shift_for(local_day(clock.now()) - timedelta(days=1)))
    published = chain(
        service_events(moved), statement_events(moved), hotline_events(moved), _half_a_percent(moved), _statistics()
    )
    district = Plan(7, clock.now() - LIVED, 0.2)
    async with bus.connected(settings_of(centre, "cli"), "test") as client:
        await bus.publish_many(client.jetstream(), published, lambda done: None)
    async with bus.connected(settings_of(centre, "simulator"), "test") as client:
        sent = (stream.sending(at) for at, stream in district.streams(clock.now()) if _wanted(at, stream))
        messages = (bus.Outgoing(s.subject, s.raw) for s in sent)
        await bus.publish_raw(client.jetstream(), messages)
        await bus.publish_many(client.jetstream(), of_today(clock.now()))


def _wanted(at: datetime, stream: Stream) -> bool:
    """All of the last day; of the week before a tenth of the dossiers and all that are late, and none of what machines
    count."""
    name = stream.cohort.course.name
    if at > clock.now() - timedelta(days=1):
        return True
    if name.startswith("dossier"):
        return name in LATE or stream.cohort.life(stream.next).dossier_code().endswith("0")
    return not name.startswith(COUNTED)


def _half_a_percent(moved: Shift) -> Iterator[Event]:
    """Two hundred dossiers of a department in the published month, one of them done late: the share of that month."""
    for number in range(200):
        accepted = datetime(2024, 11, 4, 8, number % 60, tzinfo=VN) + timedelta(days=number // 60)
        code = moved.dossier_code(98, accepted.date(), number)
        of = {"procedure": "2.000815", "field": "science", "channel": "counter", "online_level": "full"}
        promised = procedures.DossierAccepted.model_validate({"code": code, "limit_days": 3, **of})
        yield moved.event(promised, id=f"{code}-accepted", time=accepted, unit="so_khcn")
        done, end = accepted + timedelta(hours=1 if number else 200), procedures.DossierResolved(code=code)
        yield moved.event(end, id=f"{code}-resolved", time=done, unit="so_khcn")


def _statistics() -> Iterator[Event]:
    """What the district's statisticians leave out."""
    yesterday = local_day(clock.now()) - timedelta(days=1)
    period = {"period_start": yesterday.replace(day=1), "period_end": yesterday}
    for data in (
        economy.IndicatorTargetSet(indicator="production_value", target=Decimal(10**10), **period),
        economy.IndicatorReported(indicator="industrial_index", value=Decimal("104.5"), **period),
        economy.IndicatorReported(indicator="poverty_rate", value=Decimal("0.8"), **period),
    ):
        yield make(data, source="/test", id=data.indicator, time=clock.now(), unit="phuong_chon_thanh")


def _wait_scraped(centre: Instance) -> None:
    """Until a round of readings that began after all was stored has been seen."""
    since, end = clock.now().timestamp(), time.monotonic() + 240
    expr = f"ioc_exporter_last_success_timestamp_seconds > {since} and on () ioc_procedures_dossiers_in_progress"
    address = f"http://127.0.0.1:{centre.ports['prometheus']}/api/v1/query?{urlencode({'query': expr})}"
    while not httpx.get(address, trust_env=False).json()["data"]["result"]:
        assert time.monotonic() < end, centre.log_tail("exporter", 20)
        time.sleep(0.3)
