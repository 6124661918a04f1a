"""What a centre says of itself: its processes, how far its readers are behind, who sends and how fresh that is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from infra.local.processes import ProcessState
from infra.local.readiness import at_once
from infra.local.servers import Instance
from infra.nats.monitor import consumers
from services.centre.prepare import settings_of
from services.kit import clock, store
from services.readings.sources import Source, sources
from services.readings.sources import values as source_values

LOOK_SECONDS = 5.0
WATCH_SECONDS = 2.0


class CentreStatus(NamedTuple):
    """What a centre told of itself at `now`; None: it was asked, and did not answer in time."""

    now: datetime
    states: list[ProcessState] | None
    lags: list[dict[str, Any]] | None
    sources: list[Source] | None

    def unanswered(self) -> list[str]:
        """Who did not answer."""
        return [who for name, who in _ANSWERS.items() if getattr(self, name) is None]


_ANSWERS = {"states": "the supervisor", "lags": "the broker", "sources": "the database"}


def values(instance: Instance, seen: CentreStatus) -> dict[str, Any]:
    """A status as JSON values."""
    fields = ("name", "kind", "state", "ready", "pid", "uptime", "port", "health", "problem")
    rows = [{field: getattr(state, field) for field in fields} | {"log": str(state.log)} for state in seen.states or ()]
    return {
        "instance": instance.data.name,
        "data": str(instance.data),
        "processes": rows,
        "consumers": seen.lags or [],
        "sources": [source_values(source) for source in seen.sources or ()],
        "unanswered": seen.unanswered(),
    }


def changes(instance: Instance) -> Iterator[ProcessState]:
    """Every change of a process, until the centre was stopped."""
    states = {state.name: (state.state, state.ready) for state in instance.processes()}
    while instance.is_running():
        time.sleep(WATCH_SECONDS)
        for state in instance.processes():
            now = (state.state, state.ready)
            if states.get(state.name) != now:
                states[state.name] = now
                yield state


def status_of(instance: Instance) -> CentreStatus:
    """Ask everything at once: what hangs is not waited for, since that is when people ask."""
    now = clock.now()
    questions: list[Callable[[], Any]] = [
        instance.processes,
        lambda: _lags(instance),
        lambda: _sources(instance, now),
    ]
    return CentreStatus(now, *at_once(lambda ask: ask(), questions, LOOK_SECONDS, lambda ask: None))


def _sources(instance: Instance, now: datetime) -> list[Source] | None:
    """Rates and freshness, none of an empty database; None where no database answers."""
    try:
        with store.connect(settings_of(instance, "cli"), "reader") as conn:
            return sources(conn, now)
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidCatalogName):
        return []
    except (psycopg.Error, OSError):
        return None


def _lags(instance: Instance) -> list[dict[str, Any]] | None:
    try:
        return [asdict(lag) for lag in consumers(instance.ports["nats_monitor"])]
    except OSError:
        return None
