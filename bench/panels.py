"""`ioc bench panels`: every query of every dashboard, asked as Grafana asks it, of a centre that has a province's month
and a district that lives."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import click
import httpx
import psycopg

from bench import load_data
from bench.centre import Say
from bench.options import Options
from bench.query import fold, timing
from bench.result import Row
from dashboards.queries import PROMETHEUS, TIMESCALEDB, Panel, defaults, fill, mark_queries, panels, step
from infra.local.paths import CHECKOUT
from infra.local.servers import Instance
from schemas.calendar import local_day
from services.centre.prepare import settings_of
from services.kit import store
from services.kit.clock import now
from services.simulator.district import Plan

DASHBOARDS = CHECKOUT / "dashboards" / "vi"
RANGE = timedelta(days=60)
LIVES = timedelta(days=2)
LISTENING = ("aggregator", "deadlines", "exporter")
PATIENCE_SECONDS = 120.0
SCRAPED = "count(ioc_exporter_last_success_timestamp_seconds > 0)"
ROWS = (
    Row("events", "events stored", "events"),
    Row("queries", "queries of all dashboards", "queries"),
    Row("sql_p50", "of TimescaleDB, p50 over the queries", "ms"),
    Row("sql_p95", "of TimescaleDB, p95 over the queries", "ms"),
    Row("sql_max", "of TimescaleDB, p95 of the slowest", "ms", at_most=200),
    Row("prometheus_p50", "of Prometheus, p50 over the queries", "ms"),
    Row("prometheus_max", "of Prometheus, p95 of the slowest", "ms"),
    Row("empty", "queries without data", "queries"),
)


@dataclass(frozen=True)
class Timed:
    """One query: of which dashboard, how many rows or series it gave, and its times in ms."""

    dashboard: str
    panel: Panel
    rows: int
    p50: float
    p95: float
    max: float


def run(instance: Instance, options: Options, say: Say) -> dict[str, Any]:
    """Times in ms over all queries, by dashboard, and of the slowest ones."""
    boards = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(DASHBOARDS.glob("*.json"))]
    if not boards:
        raise click.ClickException(f"no dashboards in {DASHBOARDS}: run `ioc generate` first")
    messages = _messages(options.count(300_000, 10_000))
    say(f"folding {len(messages):,} events")
    asyncio.run(fold(instance, messages))
    say("waiting for figures in Prometheus")
    instance.start(["prometheus"])
    instance.start_services(LISTENING)
    with httpx.Client(base_url=f"http://127.0.0.1:{instance.ports['prometheus']}/api/v1/", timeout=30) as client:
        _wait_scraped(instance, client)
        timed = list(_timed(instance, client, boards, options.rounds(5), say))
    return {"events": len(messages), **_figures(timed)}


def _messages(count: int) -> list[load_data.Message]:
    """The published month moved to end yesterday, or a share of it, and a district up to now: a tenth as much."""
    present = now()
    weeks = load_data.SCENARIO.shift_for(local_day(present) - timedelta(days=1))
    plan = Plan(1, present - LIVES, max(0.1, count / 10 / LIVES.total_seconds()))
    district = (s for s in plan.sendings(present) if s.event is not None and s.kind == "meant")
    month = load_data.published(weeks, share=min(1.0, count / load_data.SCENARIO.count_estimate()))
    return month + [load_data.Message(s.at, s.subject, s.message_id, s.raw) for s in district]


def _wait_scraped(instance: Instance, client: httpx.Client) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not _asked_prometheus(client, {"query": SCRAPED}, "query"):
        if time.monotonic() > until:
            tail = instance.log_tail("exporter")
            raise click.ClickException(f"no figures in Prometheus after {PATIENCE_SECONDS:.0f} s:\n{tail}")
        time.sleep(0.5)


def _asked_prometheus(client: httpx.Client, question: dict[str, Any], what: str) -> int:
    """How many series the answer has."""
    answer = client.get(what, params=question)
    if answer.is_client_error:
        raise click.ClickException(f"Prometheus refuses {question['query']}: {answer.json()['error']}")
    answer.raise_for_status()
    return len(answer.json()["data"]["result"])


def _timed(
    instance: Instance, client: httpx.Client, boards: Sequence[dict[str, Any]], rounds: int, say: Say
) -> Iterator[Timed]:
    end = now()
    with store.connect(settings_of(instance, "cli"), "grafana") as conn:
        conn.autocommit = True
        for board in boards:
            say(f"asking {board['uid']}")
            for panel in (*panels(board), *mark_queries(board)):
                query = fill(panel.query, end - RANGE, end, **defaults(board))
                ask = _question(client, conn, panel, query, end)
                yield Timed(board["uid"], panel, ask(), **timing(ask, rounds))


def _question(
    client: httpx.Client, conn: psycopg.Connection, panel: Panel, query: str, end: datetime
) -> Callable[[], int]:
    """Asks the panel's data source; gives the number of rows, or of series."""
    if panel.source == TIMESCALEDB:
        return lambda: len(conn.execute(query.encode()).fetchall())
    if panel.source != PROMETHEUS:
        raise click.ClickException(f"panel {panel.title!r} asks {panel.source!r}, which is no data source of ours")
    if panel.instant:
        at = {"query": query, "time": end.timestamp()}
        return lambda: _asked_prometheus(client, at, "query")
    start, width = end - RANGE, step(end - RANGE, end).total_seconds()
    over = {"query": query, "start": start.timestamp(), "end": end.timestamp(), "step": width}
    return lambda: _asked_prometheus(client, over, "query_range")


def _figures(timed: Sequence[Timed]) -> dict[str, Any]:
    sql = sorted((t for t in timed if t.panel.source == TIMESCALEDB), key=lambda t: t.p95)
    prometheus = [t for t in timed if t.panel.source == PROMETHEUS]
    boards = list(dict.fromkeys(t.dashboard for t in timed))
    return {
        "queries": len(timed),
        "sql_p50": quantile([t.p50 for t in sql], 0.5),
        "sql_p95": quantile([t.p95 for t in sql], 0.95),
        "sql_max": quantile([t.p95 for t in sql], 1),
        "prometheus_p50": quantile([t.p50 for t in prometheus], 0.5),
        "prometheus_max": quantile([t.p95 for t in prometheus], 1),
        "empty": sum(not t.rows for t in timed),
        "dashboards": {board: _of_board([t for t in timed if t.dashboard == board]) for board in boards},
        "slowest": [{"dashboard": t.dashboard, "panel": t.panel.title, "p95": t.p95} for t in sql[:-6:-1]],
    }


def _of_board(timed: Sequence[Timed]) -> dict[str, float | None]:
    p50, longest = [t.p50 for t in timed], [t.max for t in timed]
    return {"p50": quantile(p50, 0.5), "p95": quantile([t.p95 for t in timed], 0.95), "max": quantile(longest, 1)}


def quantile(values: Sequence[float], part: float) -> float | None:
    """The value that `part` of them do not exceed; None of nothing."""
    ordered = sorted(values)
    return ordered[int(part * (len(ordered) - 1))] if ordered else None
