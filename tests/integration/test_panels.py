"""Every panel of every dashboard on real servers: its own query, as Grafana sends it, finds what the panel shows."""

from __future__ import annotations

import asyncio
import json
import signal
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import psycopg
import pytest
from support import wait_until_idle

from dashboards import generate, queries
from infra.local import configure, readiness
from infra.local.processes import PROCESSES
from infra.local.servers import Instance
from schemas import economy
from schemas.calendar import local_day
from schemas.envelope import Event
from schemas.indicators import CATALOGUE
from schemas.registry import make
from services.cli.prepare import prepare, settings_of
from services.kit import bus, clock
from services.simulator import november_2024
from services.simulator.district import Plan, Sending
from services.simulator.november_2024.hotline import hotline_events
from services.simulator.november_2024.offered import service_events
from services.simulator.november_2024.shift import Shift
from services.simulator.november_2024.statements import statement_events

LIVED = timedelta(days=8)
"""With the first day of a week in it, on which schools tell their rosters and offices their plans."""
RANGE = timedelta(days=30)
SERVICES = ("aggregator", "deadlines", "emitters", "exporter", "upkeep", "notifier")


@pytest.fixture(scope="module")
def watched(open_folder: Path, new_instance: Callable[[Path], Instance]) -> Iterator[Instance]:
    """A small demo: what the province published of itself, moved to end now, a week of a simulated district, and
    Prometheus looking every second."""
    own = new_instance(open_folder / "watched")
    try:
        own.start(["nats", "timescaledb", "alertmanager", "prometheus"])
        _look_every_second(own)
        prepare(own)
        own.start_services(SERVICES)
        asyncio.run(_fill(own))
        wait_until_idle(own)
        _wait_scraped(own)
        yield own
    finally:
        own.stop()


def _look_every_second(centre: Instance) -> None:
    health = {row.name: next(iter(row.ports)) for row in PROCESSES if row.name in SERVICES}
    configure.prometheus(centre.data, centre.ports, health, interval="1s")
    centre.kill("prometheus", signal.SIGHUP)


async def _fill(centre: Instance) -> None:
    moved = Shift(november_2024.shift_for(local_day(clock.now()) - timedelta(days=1)))
    published = chain(service_events(moved), statement_events(moved), hotline_events(moved), _statistics())
    district = Plan(7, clock.now() - LIVED, 0.1)
    async with bus.connected(settings_of(centre, "cli"), "test") as client:
        await bus.publish_many(client.jetstream(), published, lambda done: None)
    async with bus.connected(settings_of(centre, "simulator"), "test") as client:
        messages = ((s.subject, s.raw, s.message_id) for s in district.sendings(clock.now()) if _wanted(s))
        await bus.publish_raw(client.jetstream(), messages)


def _wanted(sending: Sending) -> bool:
    """All of the last day; of the week before a fifth of the dossiers and reports, and none of what machines count."""
    event = sending.event
    if event is None or sending.at > clock.now() - timedelta(days=1):
        return True
    entity = event.data.event.partition(".")[0]
    whole_lives = entity not in ("dossier", "report") or event.data.code.endswith(("0", "5"))
    return whole_lives and entity not in ("mention", "alert", "payment")


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
    since, end = clock.now().timestamp(), time.monotonic() + 60
    expr = f"ioc_exporter_last_success_timestamp_seconds > {since} and on () ioc_procedures_dossiers_received"
    while not asked(centre, queries.Panel("", queries.PROMETHEUS, expr, instant=True), clock.now(), {}):
        assert time.monotonic() < end, centre.log_tail("exporter", 20)
        time.sleep(0.3)


def asked(centre: Instance, panel: queries.Panel, now: datetime, values: dict[str, str]) -> list[Any]:
    """The rows or series that a query finds: those with a value."""
    filled = queries.fill(panel.query, now - RANGE, now, **values)
    if panel.source == queries.PROMETHEUS:
        return _prometheus(centre, filled, panel.instant, now)
    with _database(settings_of(centre, "grafana").database("grafana")).cursor() as cursor:
        return [row for row in cursor.execute(filled.encode()) if any(value is not None for value in row)]


@cache
def _database(address: str) -> psycopg.Connection:
    """One session for all panels, as Grafana keeps some open."""
    return psycopg.connect(address, autocommit=True)


def _prometheus(centre: Instance, expr: str, instant: bool, now: datetime) -> list[Any]:
    span = {"time": now.timestamp()} if instant else {"start": now.timestamp() - 60, "end": now.timestamp(), "step": 1}
    form = urllib.parse.urlencode({"query": expr, **span}).encode()
    address = f"http://127.0.0.1:{centre.ports['prometheus']}/api/v1/{'query' if instant else 'query_range'}"
    with readiness.DIRECT.open(urllib.request.Request(address, form), timeout=20) as response:
        found: list[Any] = json.load(response)["data"]["result"]
    return found


@pytest.mark.parametrize("path", [path for path in generate.files() if "/vi/" in path])
def test_every_panel_has_data(watched: Instance, path: str) -> None:
    dashboard = json.loads(generate.files()[path])
    now, values = clock.now(), queries.defaults(dashboard)
    filled: dict[tuple[int, str], bool] = {}
    for panel in queries.panels(dashboard):
        key = panel.id, panel.title
        filled[key] = bool(asked(watched, panel, now, values)) or filled.get(key, False)
    empty = {key: title for (key, title), found in filled.items() if not found}
    by_design = {key for uid, key in generate.empty_by_design() if uid == dashboard["uid"]}
    assert {title for key, title in empty.items() if key not in by_design} == set()


@pytest.mark.parametrize("path", [path for path in generate.files() if "/en/" in path])
def test_the_queries_in_english_are_accepted(watched: Instance, path: str) -> None:
    dashboard = json.loads(generate.files()[path])
    now, values = clock.now(), queries.defaults(dashboard)
    other = json.loads(generate.files()[path.replace("/en/", "/vi/").replace("-en.json", ".json")])
    known = {panel.query for panel in queries.panels(other)}
    for panel in (*queries.panels(dashboard), *queries.others(dashboard)):
        if panel.query not in known:
            asked(watched, panel, now, values)


@pytest.mark.parametrize("path", [path for path in generate.files() if "/vi/" in path])
def test_marks_and_variables_are_accepted(watched: Instance, path: str) -> None:
    dashboard = json.loads(generate.files()[path])
    now, values = clock.now(), queries.defaults(dashboard)
    found = {panel.title: asked(watched, panel, now, values) for panel in queries.others(dashboard)}
    assert len(found["unit"]) > 100


@pytest.mark.parametrize("slug", ["procedures", "health", "field"])
def test_a_ward_a_window_and_last_year_can_be_chosen(watched: Instance, slug: str) -> None:
    dashboard = json.loads(generate.files()[f"dashboards/vi/ioc-{slug}.json"])
    now, values = clock.now(), {"unit": "phuong_chon_thanh", "period": "today", "compare": "year"}
    found: dict[str, list[Any]] = {}
    for panel in queries.panels(dashboard):
        found.setdefault(panel.title, []).extend(asked(watched, panel, now, values))
    first = next(i for i in CATALOGUE.values() if i.system == slug and i.headline)
    for sample in found[first.vi]:
        assert (sample["metric"]["unit"], sample["metric"]["period"]) == ("phuong_chon_thanh", "today")
    if slug == "health":  # cases are watched by the week and the month, so a choice of today leaves them as they are
        periods = {sample["metric"]["period"] for sample in found["Ca bệnh truyền nhiễm báo cáo"]}
        assert periods <= {"month"} and found["Ca bệnh truyền nhiễm báo cáo theo bệnh"]
    assert found["Các đơn vị hiện nay"], "all units, whichever is chosen"
