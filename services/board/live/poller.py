"""What the boards show now, read once for all who look: again as soon as an event was stored, and as time passes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from nats.aio.client import Client
from psycopg import Connection

from schemas.calendar import local_day, month_end
from schemas.indicators import Indicator
from schemas.registry import SYSTEMS
from services.board.live.active_alarms import ActiveAlarms, active_alarms, last_step
from services.board.live.wall_figures import FIGURES
from services.kit import bus, clock, store
from services.kit.health import Health
from services.kit.settings import Settings
from services.readings import Period, Reading, read, sheet
from services.readings.coverage import covers
from services.readings.memo import snapshot
from services.readings.sources import Source, sources

T = TypeVar("T")
log = logging.getLogger("board")
LOOK_SECONDS = 0.25
"""How often is asked whether anything was stored: the board's share of an event's way to the eye."""
ALL_SECONDS = 15.0
"""How often everything is read although nothing came: time alone makes dossiers overdue."""
PAST_SECONDS = 60.0
"""How often that is done for past days, and what was before, too: a late event alone changes them."""
RESTS, RESTS_IN_A_FLOOD = 0.5, 6
"""After a look is rested for so many times as long as it took, and no longer than `ALL_SECONDS`: while a hundred events
a second come in a wall is a second behind, and while a past is loaded, which is a `FLOOD`, the boards leave the
processor to those who store it."""
FLOOD = 500
"""Events a second that nothing but a past has."""
SILENT_SECONDS = 2.0
"""After so long without an answer of the database the boards say so."""
TREND_DAYS = 14
AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Tile:
    """One system: its figures on the wall, the daily values of the `main` one, what that was at the moment `then` (None
    where its sources did not cover the period compared with), when its last event was recorded. `earlier`: the figures
    that are of the whole `month` before, by its first day, since this one has none of them yet."""

    system: str
    readings: tuple[Reading, ...]
    trend: tuple[Reading, ...] = ()
    before: Reading | None = None
    then: datetime | None = None
    recorded: datetime | None = None
    origins: frozenset[str] = frozenset()
    earlier: frozenset[str] = frozenset()
    month: date | None = None

    @property
    def main(self) -> Reading:
        """The figure that is shown largest: the first that has a value."""
        return next((r for r in self.readings if r.value is not None), self.readings[0])


@dataclass(frozen=True)
class LiveState:
    """All systems as of a moment. `problems`: what cannot be reached (`database`, also where a replica that is read has
    lost its primary; `broker`), empty when all is well.

    `silent`: system -> its sources that have been silent for longer than they should. `shifted_month`: the month of
    which the data shifted in time was published, `11/2024`; empty where nothing is shifted.
    """

    as_of: datetime
    tiles: Mapping[str, Tile] = field(default_factory=dict)
    alarms: ActiveAlarms = field(default_factory=ActiveAlarms)
    silent: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    shifted_month: str = ""
    problems: frozenset[str] = frozenset({"database"})


@dataclass(frozen=True)
class Revision:
    """What tells that a system has news: events of it stored so far, and when the last was recorded."""

    events: int
    recorded: datetime


class Poller:
    """Follows the database for ever; `view` is the newest look, and `looked` waits for the next."""

    def __init__(self, settings: Settings, before: Callable[[Period], Period]) -> None:
        """`before`: what a period is compared with."""
        self._settings, self._before = settings, before
        self._view = LiveState(clock.now())
        self._heard = -SILENT_SECONDS
        self._cut_off: datetime | None = None
        self._thread = ThreadPoolExecutor(1, "watch")  # pages that are slow to read must not stop the clock for all
        self._broker: Client | None = None
        self._next = asyncio.Event()

    @property
    def broker(self) -> Client | None:
        """The board's connection to the broker; None before it is made."""
        return self._broker

    @property
    def view(self) -> LiveState:
        """The newest look, with what cannot be reached at this moment."""
        problems = set()
        if self._cut_off or time.monotonic() - self._heard > SILENT_SECONDS:
            problems.add("database")
        if self._broker is None or not self._broker.is_connected:
            problems.add("broker")
        return replace(self._view, as_of=self._cut_off or self._view.as_of, problems=frozenset(problems))

    async def looked(self, seconds: float) -> None:
        """Wait for the next look, and no longer than that."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._next.wait()

    def mark(self, *systems: str) -> Hashable:
        """What differs as soon as one of the systems, or an alarm, has news."""
        view = self._view
        return view.alarms.step, *(tile.recorded if (tile := view.tiles.get(slug)) else None for slug in systems)

    async def run(self, health: Health) -> None:
        """Look for ever; an outage is waited out, and shown meanwhile."""
        async with bus.attached(self._settings, "board") as self._broker:
            while True:
                try:
                    await self._follow(health)
                except store.OUTAGE as error:
                    self._heard = -SILENT_SECONDS
                    log.warning("waiting: %s: %s", type(error).__name__, error)
                    health.not_ready(f"waiting: {type(error).__name__}: {error}")
                health.progress()
                await asyncio.sleep(LOOK_SECONDS)

    async def _do(self, work: Callable[..., T], *args: Any) -> T:
        """In the watch's own thread, which alone uses its connection."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)

    async def _follow(self, health: Health) -> None:
        seen: Mapping[str, Revision] | None = None
        whole = past = rested = looked = 0.0
        count = 0
        with await self._do(store.connect, self._settings, "reader") as conn:
            conn.autocommit = True
            while True:
                began = time.monotonic()
                self._cut_off, news, step = await self._do(_tick, conn)
                self._heard = time.monotonic()
                if step != self._view.alarms.step:
                    self._view = replace(self._view, alarms=await self._do(active_alarms, conn, step))
                if self._heard >= rested:
                    anew = self._heard - past > PAST_SECONDS
                    if anew or self._heard - whole > ALL_SECONDS:
                        seen, whole = None, self._heard
                        every = await self._do(sources, conn, clock.now())
                        self._view = replace(self._view, silent=silent(every), shifted_month=shifted_month(every))
                    await self._poll(conn, _changed(news, seen), news, anew)
                    past = self._heard if anew else past
                    stored = sum(mark.events for mark in news.values())
                    rests = RESTS_IN_A_FLOOD if stored - count > FLOOD * (began - looked) else RESTS
                    rested = time.monotonic() + min(rests * (time.monotonic() - began), ALL_SECONDS)
                    seen, count, looked = news, stored, began
                health.progress()
                health.not_ready(f"a replica cut off since {self._cut_off}") if self._cut_off else health.ready()
                await asyncio.sleep(max(began + LOOK_SECONDS - time.monotonic(), LOOK_SECONDS / 5))

    async def _poll(self, conn: Connection, systems: Sequence[str], news: Mapping[str, Revision], anew: bool) -> None:
        if not systems:
            return
        for slug in systems:
            previous = None if anew else self._view.tiles.get(slug)
            period = Period.of(clock.now())
            read_tile = partial(tile_of, so_far=True)
            tile = await self._do(read_tile, conn, slug, news.get(slug), period, self._before(period), previous)
            self._view = replace(self._view, as_of=clock.now(), tiles={**self._view.tiles, slug: tile})
            self._heard = time.monotonic()
        self._next.set()
        self._next = asyncio.Event()


def _changed(news: Mapping[str, Revision], seen: Mapping[str, Revision] | None) -> list[str]:
    """The systems with news since those that were `seen`; all, where nothing was looked at."""
    return [slug for slug in SYSTEMS if seen is None or news.get(slug) != seen.get(slug)]


def _tick(conn: Connection) -> tuple[datetime | None, dict[str, Revision], int]:
    return store.cut_off_since(conn), marks(conn), last_step(conn)


def marks(conn: Connection) -> dict[str, Revision]:
    """system -> what tells that it has news."""
    rows = conn.execute("SELECT system, sum(events), max(last_recorded) FROM source GROUP BY system").fetchall()
    return {system: Revision(int(events), recorded) for system, events, recorded in rows}


def tile_of(
    conn: Connection,
    system: str,
    mark: Revision | None,
    period: Period,
    then: Period,
    previous: Tile | None = None,
    unit: str | None = None,
    so_far: bool = False,
) -> Tile:
    """A system's tile for a period, compared with `then`, of a unit or of the whole locality. `previous`: the tile
    before, whose past days are taken over, and for an hour what was before. `so_far`: of a month in which there is
    nothing of a figure yet, it is that of the month before."""
    with snapshot(conn):
        readings = tuple(group[0] for group in sheet(conn, FIGURES[system], unit, period))
        month = (period.first - timedelta(days=1)).replace(day=1)
        earlier = _of_month(conn, readings, unit, Period(month, month_end(month), period.as_of)) if so_far else {}
        readings = tuple(earlier.get(r.indicator.code, r) for r in readings)
        origins = frozenset().union(*(r.origins for r in readings))
        tile = Tile(
            system, readings, recorded=mark.recorded if mark else None, origins=origins,
            earlier=frozenset(earlier), month=month,
        )  # fmt: skip
        main = tile.main.indicator
        trend = _trend(conn, main, unit, period, previous.trend if previous else ())
        if previous and previous.then and then.as_of - previous.then < AN_HOUR and previous.main.indicator is main:
            return replace(tile, trend=trend, before=previous.before, then=previous.then)
        before = read(conn, main, unit, then)[0] if covers(conn, main, unit, then) else None
        return replace(tile, trend=trend, before=before, then=then.as_of)


def _of_month(conn: Connection, found: Iterable[Reading], unit: str | None, month: Period) -> dict[str, Reading]:
    """Of what there is nothing now, what there was in the month: code -> its reading."""
    missing = [r.indicator for r in found if r.value is None]
    readings = (group[0] for group in (sheet(conn, missing, unit, month) if missing else ()))
    return {r.indicator.code: r for r in readings if r.value is not None}


def _trend(
    conn: Connection, indicator: Indicator, unit: str | None, period: Period, previous: Sequence[Reading]
) -> tuple[Reading, ...]:
    """The last days of the period and before. Of the `previous` only the last is read anew: it is what events change
    at once."""
    last = min(period.last, local_day(period.as_of))
    first = last - timedelta(days=TREND_DAYS - 1)
    continued = previous and previous[-1].indicator is indicator and previous[-1].group == last.isoformat()
    days = Period(last if continued else first, last, period.as_of)
    return (*(previous[:-1] if continued else ()), *read(conn, indicator, unit, days, by="day"))


def silent(every: Iterable[Source]) -> dict[str, tuple[str, ...]]:
    """system -> its sources that have been silent for too long."""
    found = defaultdict[str, list[str]](list)
    for one in every:
        if one.stale:
            found[one.system].append(one.source)
    return {system: tuple(names) for system, names in found.items()}


def shifted_month(every: Iterable[Source]) -> str:
    """The month in which most of the shifted sources' last events happened before they were moved; empty for none."""
    last = [one.last_time - timedelta(days=one.shiftdays) for one in every if one.origin == "shifted"]
    months = Counter(f"{local_day(t):%m/%Y}" for t in last)
    return months.most_common(1)[0][0] if months else ""
