"""The queries of a dashboard's panels, asked of the running centre."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg

from dashboards.queries import TIMESCALEDB, fill, step
from infra.loopback import DIRECT
from schemas.calendar import VN
from services.cli.picture.frames import Frame, Json, of_rows, of_series, of_vector

SPANS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
PATIENCE = 20.0


class Centre:
    """Prometheus and TimescaleDB of one centre, for one range of time and one choice of variables."""

    def __init__(
        self, prometheus: str, database: psycopg.Connection, span: tuple[datetime, datetime], chosen: Mapping[str, str]
    ) -> None:
        self._prometheus, self._database, self._span, self._chosen = prometheus, database, span, chosen

    def answer(self, panel: Json) -> Sequence[Frame] | str:
        """The frames of all queries of a panel; why, where one of them failed."""
        try:
            return [frame for target in panel.get("targets", ()) for frame in self._frames(panel, target)]
        except (psycopg.Error, OSError, ValueError) as problem:
            return str(problem).splitlines()[0]

    def _frames(self, panel: Json, target: Json) -> list[Frame]:
        source = (target.get("datasource") or panel["datasource"])["uid"]
        if source == TIMESCALEDB:
            return [self._rows(target)]
        instant = bool(target.get("instant")) and not target.get("range")
        data = self._ask(self._filled(target["expr"]), instant)
        if target.get("format") == "table":
            return of_vector(target, data, len(panel["targets"]) > 1)
        return of_series(target, data)

    def _rows(self, target: Json) -> Frame:
        found = self._database.execute(self._filled(target["rawSql"]))
        return of_rows(target["refId"], [column.name for column in found.description or ()], found.fetchall())

    def _filled(self, query: str) -> str:
        start, end = self._span
        return fill(query, start, end, **self._chosen)

    def _ask(self, expr: str, instant: bool) -> Json:
        start, end = (t.timestamp() for t in self._span)
        asked: dict[str, Any] = {"query": expr}
        asked |= {"time": end} if instant else {"start": start, "end": end, "step": step(*self._span).total_seconds()}
        address = f"{self._prometheus}/api/v1/{'query' if instant else 'query_range'}"
        try:
            with DIRECT.open(address, urllib.parse.urlencode(asked).encode(), timeout=PATIENCE) as response:
                found: Json = json.load(response)["data"]
        except urllib.error.HTTPError as refused:
            raise ValueError(json.load(refused).get("error", str(refused))) from None
        return found


def span_of(dashboard: Json, since: str | None, now: datetime) -> tuple[datetime, datetime]:
    """The range of time with which the dashboard opens, or from `since` on. ValueError for a moment that is none."""
    start, end = moment_of(since or dashboard["time"]["from"], now), moment_of(dashboard["time"]["to"], now)
    if start >= end:
        raise ValueError(f"nothing lies between {since} and now")
    return start, end


def moment_of(text: str, now: datetime) -> datetime:
    """`now`, `now-6h`, `now-29d/d` (from that local day's midnight); ValueError for anything else."""
    found = re.fullmatch(r"now(?:-(\d+)([mhdw]))?(/d)?", text)
    if not found:
        raise ValueError(f"a picture knows no moment {text!r}")
    moment = now - int(found[1] or 0) * SPANS[found[2] or "d"]
    return moment.astimezone(VN).replace(hour=0, minute=0, second=0, microsecond=0) if found[3] else moment
