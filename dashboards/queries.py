"""What a dashboard asks: the queries of its panels, marks and variables, and what Grafana makes of them before it sends
them. Shared by whatever runs them elsewhere: tests, `ioc bench panels`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

PROMETHEUS, TIMESCALEDB = "ioc-prometheus", "ioc-timescaledb"
"""The uids of the data sources."""
SCRAPE = timedelta(seconds=15)
POINTS = 1000
"""How many points a chart has at most."""
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Panel:
    """One query of a panel: the panel's `title` and `id`, the uid of the data source, the text as it stands in the
    dashboard. `instant`: of Prometheus, for the end of the range alone."""

    title: str
    source: str
    query: str
    id: int = 0
    ref: str = "A"
    instant: bool = False


def panels(dashboard: Json) -> Iterator[Panel]:
    """Every query of every panel, those in collapsed rows too."""
    for panel in dashboard.get("panels", ()):
        yield from panels(panel)
        for target in panel.get("targets", ()):
            yield from _queries(panel["title"], target, panel.get("datasource"), panel.get("id", 0))


def mark_queries(dashboard: Json) -> Iterator[Panel]:
    """The queries of marks on the time axis and of variables."""
    for mark in dashboard.get("annotations", {}).get("list", ()):
        yield from _queries(mark["name"], {**mark, **mark.get("target", {})}, mark.get("datasource"))
    for variable in dashboard.get("templating", {}).get("list", ()):
        if variable["type"] == "query" and _uid(variable["datasource"]) == TIMESCALEDB:
            yield Panel(variable["name"], TIMESCALEDB, variable["query"])


def _queries(title: str, target: Json, source: Json | None, id: int = 0) -> Iterator[Panel]:
    if query := target.get("rawSql") or target.get("expr"):
        uid = _uid(target.get("datasource") or source)
        instant = bool(target.get("instant")) and not target.get("range")
        yield Panel(title, uid, query, id, target.get("refId", "A"), instant)


def _uid(source: Json | None) -> str:
    return str(source["uid"]) if source else ""


def defaults(dashboard: Json) -> dict[str, str]:
    """variable -> the value with which the dashboard opens."""
    listed = dashboard.get("templating", {}).get("list", ())
    return {one["name"]: one["current"]["value"] for one in listed if one.get("current")}


def step(start: datetime, end: datetime) -> timedelta:
    """The distance of a chart's points, whole seconds, not below the scrape interval."""
    return max(timedelta(seconds=-(-(end - start) // timedelta(seconds=POINTS))), SCRAPE)


def fill(query: str, start: datetime, end: datetime, **variables: str) -> str:
    """The query as Grafana sends it for a time range and its variables' values. KeyError for a variable not given."""
    texts = {
        "__timeFrom": _quoted(_moment(start)),
        "__timeTo": _quoted(_moment(end)),
        "__range": f"{round((end - start).total_seconds())}s",
        "__interval": f"{round(step(start, end).total_seconds())}s",
        "__rate_interval": f"{round(max(step(start, end) + SCRAPE, 4 * SCRAPE).total_seconds())}s",
    }

    def value(found: re.Match[str]) -> str:
        name, form, macro = found["name"] or found["bare"], found["form"], found["call"]
        if macro or name in texts:
            return texts[name]
        return _quoted(variables[name]) if form == "sqlstring" else variables[name]

    return _VARIABLE.sub(value, query)


_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_]\w*)(?::(?P<form>\w+))?\}|\$(?P<bare>[A-Za-z_]\w*)(?P<call>\(\))?")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _moment(t: datetime) -> str:
    return t.astimezone(UTC).isoformat().replace("+00:00", "Z")
