"""`ioc bench pages`: how long pages of the board take to their whole content on the demo's data, one reader alone; and
whether every page stands while four other processes take all the processor they get."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import cycle, islice
from statistics import quantiles
from typing import Any

import httpx

from bench.centre import Say
from bench.clients import enter
from bench.consumer_run import drained
from bench.options import Options
from bench.result import Row
from infra.local.servers import Instance
from schemas.calendar import local_day
from services.board.ui.page_layout import navigation_entries
from services.centre.demo import SCENARIO
from services.centre.prepare import settings_of
from services.centre.scenario import load_scenario, weeks_for
from services.kit import bus, clock
from services.simulator import SCENARIOS

LOOKS, ASKED, BURNERS = 50, 200, 4
PAGES = {
    "wall": ("/", 300),
    "system": ("/system/procedures", 600),
    "figure": ("/figure/overdue_share", 400),
    "worklist": ("/worklist", 500),
    "map": ("/map", 500),
    "quality": ("/quality", 500),
}
"""key -> its path, and ms that it may take, 95 of 100."""
WHOLE_SECONDS = 120.0
"""A board that has just begun has this long until its pages are whole."""
OF_PERIODS, PERIODS = ("wall", "system", "figure"), 20
"""Pages whose figures are of a period, and of how many periods that nobody asked for before each is looked at."""
BUSY = 'class="busy"'
ROWS = (
    Row("events", "events stored", "events"),
    *(Row(key, f"`{path}` to its whole content, 95 of 100", "ms", at_most=most) for key, (path, most) in PAGES.items()),
    *(
        Row(f"{key}_fresh", f"`{PAGES[key][0]}` of a period nobody asked for, 95 of 100", "ms", at_most=PAGES[key][1])
        for key in OF_PERIODS
    ),
    Row("not_whole", "of the looks at what is kept, pages that were not whole", "pages", at_most=0),
    Row("asked", f"pages asked for while {BURNERS} processes burn the cores", "pages"),
    Row("failed", "of them without title and choices, or answered 5xx", "pages", at_most=0),
    Row("aged", "of them with the last known figures and their age, or to be asked for again", "pages"),
    Row("burnt_p95", "95 of 100 meanwhile", "ms"),
    Row("burnt_max", "slowest meanwhile", "ms", at_most=2000),
)
Look = tuple[float, httpx.Response]
"""ms, and what came."""


def run(instance: Instance, options: Options, say: Say) -> dict[str, Any]:
    """Fill a centre with the demo's month, look at its board, then let the cores burn."""
    instance.start_services(["aggregator"])
    say("filling the centre with the month that the demo shows")
    weeks = weeks_for(SCENARIOS[SCENARIO], "now", local_day(clock.now()))
    events = load_scenario(settings_of(instance, "cli"), SCENARIO, weeks)
    asyncio.run(_drained(instance))
    instance.start_services(["deadlines", "board"])
    home = f"http://127.0.0.1:{instance.ports['board']}"
    cookies = asyncio.run(enter(home, instance.password("board_admin")))
    with httpx.Client(base_url=home, cookies=cookies, trust_env=False, timeout=60) as reader:
        ways = [path for _, path, _ in navigation_entries()]
        for path in dict.fromkeys([*(path for path, _ in PAGES.values()), *ways]):
            _whole(reader, path)
        say("looking at one page after the other")
        quiet = {key: [_look(reader, path) for _ in range(options.rounds(LOOKS))] for key, (path, _) in PAGES.items()}
        say("looking at periods that nobody asked for")
        fresh = {key: [_whole(reader, path) for path in _periods(key, options)] for key in OF_PERIODS}
        say(f"{BURNERS} processes burn the cores")
        with burning(BURNERS):
            burnt = [_look(reader, path) for path in islice(cycle(ways), len(ways) if options.quick else ASKED)]
    asked = {f"{key}_fresh": _p95(looks) for key, looks in fresh.items()}
    return {"events": events, **_quiet(quiet), **asked, **_burnt(burnt)}


async def _drained(instance: Instance) -> None:
    async with bus.connected(settings_of(instance, "admin"), "bench") as client:
        await drained(client.jetstream())


@contextmanager
def burning(count: int) -> Iterator[None]:
    """So many processes that never rest."""
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def _periods(key: str, options: Options) -> list[str]:
    """Addresses of the page, from ever earlier days of the published month to its last one that is shown."""
    last = local_day(clock.now())
    firsts = (last - timedelta(days=30 + n) for n in range(2 if options.quick else PERIODS))
    return [f"{PAGES[key][0]}?first={first}&last={last}" for first in firsts]


def _whole(reader: httpx.Client, path: str) -> Look:
    """Until a page stands with all that it shows; one that says it is busy is asked for again."""
    began = time.monotonic()
    while BUSY in (answer := reader.get(path)).text:
        if time.monotonic() - began > WHOLE_SECONDS:
            raise TimeoutError(f"{path} is not whole")
        time.sleep(0.05)
    return 1000 * (time.monotonic() - began), answer


def _look(reader: httpx.Client, path: str) -> Look:
    began = time.monotonic()
    answer = reader.get(path)
    return 1000 * (time.monotonic() - began), answer


def _quiet(looks: dict[str, list[Look]]) -> dict[str, Any]:
    whole = [BUSY not in answer.text for each in looks.values() for _, answer in each]
    return {key: _p95(each) for key, each in looks.items()} | {"not_whole": whole.count(False)}


def _burnt(looks: Sequence[Look]) -> dict[str, Any]:
    stand = [answer.status_code == 200 and "<h1" in answer.text and "<nav" in answer.text for _, answer in looks]
    return {
        "asked": len(looks),
        "failed": stand.count(False),
        "aged": sum(BUSY in answer.text for _, answer in looks),
        "burnt_p95": _p95(looks),
        "burnt_max": round(max(ms for ms, _ in looks)),
    }


def _p95(looks: Sequence[Look]) -> int:
    taken = [ms for ms, _ in looks]
    return round(quantiles(taken, n=20, method="inclusive")[-1] if len(taken) > 1 else taken[0])
