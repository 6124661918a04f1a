"""The least that a hand-written program does, a baseline in Go: `bench/go`, built where Go is.

It fetches, copies, deduplicates by ON CONFLICT and keeps one hourly sum. It folds nothing, takes back nothing, checks
no field, no unit and no personal data.
"""

from __future__ import annotations

import os
import shutil
import subprocess

from bench.centre import Say
from bench.consumer_run import Program
from infra.local.paths import CHECKOUT
from infra.local.servers import Instance
from schemas.streams import AGGREGATOR
from services.centre.prepare import settings_of

TABLE = """
CREATE TABLE bench_go (
    key uuid PRIMARY KEY, time timestamptz, type text, unit text, source text, id text, data jsonb
);
CREATE TABLE bench_go_hour (type text, unit text, hour timestamptz, count bigint, PRIMARY KEY (type, unit, hour));
"""


def program(instance: Instance, say: Say) -> Program | None:
    """The program, built into the instance's folder; None where Go or what the program needs is not to be had."""
    if not shutil.which("go"):
        say("no Go on this machine: its baseline is left out")
        return None
    built = instance.data / "bench-go"
    command = ["go", "build", "-o", str(built), "."]
    done = subprocess.run(
        command, cwd=CHECKOUT / "bench" / "go", env=os.environ | _BUILD, capture_output=True, text=True
    )
    if done.returncode:
        say(f"the baseline in Go cannot be built, and is left out: {done.stderr.strip()[-300:]}")
        return None
    return Program("go", (str(built),), _environment(instance))


_BUILD = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"}


def _environment(instance: Instance) -> dict[str, str]:
    settings = settings_of(instance, "aggregator")
    return {
        "BENCH_NATS_URL": settings.nats_url,
        "BENCH_NATS_USER": settings.user,
        "BENCH_NATS_PASSWORD": settings.password(settings.user) or "",
        "BENCH_DATABASE_URL": settings.database("owner"),
        "BENCH_STREAM": AGGREGATOR.stream,
        "BENCH_CONSUMER": AGGREGATOR.name,
        "BENCH_BATCH": str(AGGREGATOR.batch),
    }
