"""Every panel of every dashboard on real servers: its own query, as Grafana sends it, finds what the panel shows."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import psycopg
import pytest
from watched import look_often

from dashboards import generate, queries
from infra.local.servers import Instance
from infra.loopback import DIRECT
from schemas.indicators import CATALOGUE
from services.centre.prepare import settings_of
from services.kit import clock

RANGE = timedelta(days=30)


@pytest.fixture(scope="module", autouse=True)
def _seen(watched: Instance) -> None:
    look_often(watched)


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
    with DIRECT.open(urllib.request.Request(address, form), timeout=20) as response:
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
    for panel in (*queries.panels(dashboard), *queries.mark_queries(dashboard)):
        if panel.query not in known:
            asked(watched, panel, now, values)


@pytest.mark.parametrize("path", [path for path in generate.files() if "/vi/" in path])
def test_marks_and_variables_are_accepted(watched: Instance, path: str) -> None:
    dashboard = json.loads(generate.files()[path])
    now, values = clock.now(), queries.defaults(dashboard)
    found = {panel.title: asked(watched, panel, now, values) for panel in queries.mark_queries(dashboard)}
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
