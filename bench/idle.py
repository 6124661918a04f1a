"""`ioc bench idle`: what a centre takes that is left alone: empty, and as the demo with an event every four seconds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from bench.centre import Say
from bench.machine import tree_cpu_seconds, tree_mib
from bench.options import Options
from bench.result import Row
from infra.local.processes import SERVERS, SERVICES
from infra.local.servers import Instance
from services.centre import demo

MINUTES, SETTLING_SECONDS = 10.0, 90
"""Watched so long each; before that the start, or the past that came in, is over and autovacuum is done."""
ROWS = (
    Row("empty_percent", "an empty centre, of a core: all processes", "%", at_most=2.5),
    Row("empty_mib", "memory of all its processes at the end", "MiB"),
    Row("demo_percent", "the demo, of a core: all processes", "%", at_most=6),
    Row("demo_mib", "memory of all its processes at the end", "MiB", at_most=950),
    Row("minutes", "watched, each", "min"),
)


def run(instance: Instance, options: Options, say: Say) -> dict[str, Any]:
    """Start all that `ioc up` starts, leave it alone, make it the demo, leave it alone again."""
    minutes = options.minutes or (0.1 if options.quick else MINUTES)
    settling = 1 if options.quick else SETTLING_SECONDS
    instance.start(SERVERS)
    instance.start_services(SERVICES)
    say(f"an empty centre is left alone for {minutes:g} minutes")
    empty = _left_alone(instance, settling, minutes)
    if options.quick:
        return _figures(minutes, {"empty": empty})
    say("it becomes the demo")
    for judge in demo.JUDGES:
        instance.stop_process(judge)
    demo.load_once(instance)
    instance.start_services(["simulator"])
    demo.wait_lived(instance)
    instance.start_services(demo.JUDGES)
    say(f"the demo is left alone for {minutes:g} minutes")
    return _figures(minutes, {"empty": empty, "demo": _left_alone(instance, settling, minutes)})


def _left_alone(instance: Instance, settling: float, minutes: float) -> dict[str, tuple[float, float]]:
    """Process of the table -> what it took of a core, in per cent, and its MiB at the end, with what it started."""
    time.sleep(settling)
    pids = {name: pid for name in instance.running() if (pid := instance.pid(name))}
    began, before = time.monotonic(), {name: tree_cpu_seconds(pid) for name, pid in pids.items()}
    time.sleep(60 * minutes)
    passed = time.monotonic() - began
    used = {name: (tree_cpu_seconds(pid) - before[name]) / passed for name, pid in pids.items()}
    return {name: (round(100 * share, 2), round(tree_mib(pids[name]), 1)) for name, share in used.items()}


def _figures(minutes: float, taken: Mapping[str, Mapping[str, tuple[float, float]]]) -> dict[str, Any]:
    figures: dict[str, Any] = {"minutes": minutes, "processes": taken}
    for which in ("empty", "demo"):
        of = taken.get(which)
        figures[f"{which}_percent"] = of and round(sum(percent for percent, _ in of.values()), 1)
        figures[f"{which}_mib"] = of and round(sum(mib for _, mib in of.values()))
    return figures
