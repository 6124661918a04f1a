"""A centre of its own for one fault, started in seconds, ended with all that was started for it."""

from __future__ import annotations

import asyncio
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import nats.errors
import psycopg
from chaos.clock import SteppedClock
from chaos.disk import Ballast, Ban
from chaos.load import OUTAGE, Load
from nats.js.api import ConsumerInfo

from infra.local import orphans
from infra.local.paths import CHECKOUT
from infra.local.ports import LOOPBACK
from infra.local.servers import Instance
from infra.loopback import DIRECT
from infra.nats.cluster import Node
from schemas.streams import AGGREGATOR
from services.kit import bus, streams
from services.kit.errors import Unavailable
from services.kit.settings import Settings
from services.simulator.district import Plan

SERVERS = ("nats", "timescaledb")
SERVICES = ("aggregator", "deadlines")
PATIENCE = 180.0
"""Seconds for what comes at once on a machine that has nothing else to do: a busy one is no broken one."""


class Stage:
    """Where one fault plays. `minutes` is the length of the long form, 0 in the short one; `ending` undoes what a
    fault sets up."""

    def __init__(self, centre: Instance, seed: int, minutes: float) -> None:
        self.instance = centre
        self.nats_url = self.instance.nats_url
        self.random = random.Random(seed)
        self.minutes = minutes
        self.load: Load
        self.disk: Ballast | Ban  # on which a server lies
        self.clock: SteppedClock
        self.second: subprocess.Popen[bytes]  # another aggregator
        self.second_port: int
        self.nodes: tuple[Node, ...] = ()  # of a cluster of brokers
        self.brokers: dict[Node, subprocess.Popen[bytes]] = {}
        self.ending = ExitStack()
        self.ending.callback(self.instance.stop)

    def seconds(self, short: float, long: float) -> float:
        """How long a fault lasts: `long` in the hour's form, less in a shorter one, but never less than `short`."""
        return max(short, long * min(1.0, self.minutes / 60))

    def settings(self, user: str) -> Settings:
        """The settings of a process of this centre that acts as the credential `user`."""
        place = self.instance
        return Settings(
            user=user,
            nats_url=self.nats_url,
            database_url=place.database_url,
            secrets=place.secrets,
        )

    def start(self, *names: str) -> None:
        """Start processes under the supervisor and wait until they serve; none named: servers and services."""
        self.instance.start(names or SERVERS + SERVICES)

    def counted(self, metric: str, port: int) -> float:
        """The sum of a metric over its labels, as the service on this health port tells it."""
        with DIRECT.open(f"http://{LOOPBACK}:{port}/metrics", timeout=5) as response:
            lines = response.read().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if re.match(rf"{metric}[{{ ]", line))

    def run(self, service: str, **variables: str) -> subprocess.Popen[bytes]:
        """Start a service as a plain process that nobody restarts, with these variables beside its usual ones."""
        usual = {**os.environ, **self.instance.env(service), "IOC_NATS_URL": self.nats_url}
        log = self.ending.enter_context((self.instance.data / "logs" / f"{service}-plain.log").open("ab"))
        command = [sys.executable, "-X", f"ioc={self.instance.data}", "-m", f"services.{service}"]
        process = subprocess.Popen(command, cwd=CHECKOUT, env=usual | variables, stdout=log, stderr=log)
        self.ending.callback(orphans.end, process.pid, "TERM", 10)
        return process

    def begin(self, plan: Plan, rate: float) -> Load:
        """Start the load."""
        self.load = Load(self.settings("cli"), plan, rate)
        self.load.start()
        return self.load

    def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows, as the database's owner."""
        with psycopg.connect(self.settings("cli").database("owner")) as conn:
            return conn.execute(query, values).fetchall()

    def log(self, service: str) -> str:
        """All that a service wrote, supervised and plain."""
        files = sorted((self.instance.data / "logs").glob(f"{service}*.log"))
        return "\n".join(file.read_text(errors="replace") for file in files)

    def consumer(self) -> ConsumerInfo:
        """What the broker knows of the aggregator's consumer; raises what NATS raises."""

        async def ask() -> ConsumerInfo:
            async with bus.connected(self.settings("monitor"), "chaos") as client:
                info: ConsumerInfo = await client.jetstream().consumer_info(AGGREGATOR.stream, AGGREGATOR.name)
                return info

        return asyncio.run(ask())

    def is_idle(self) -> bool:
        """Whether the aggregator has acknowledged every message of the stream."""

        async def left() -> int:
            async with bus.connected(self.settings("monitor"), "chaos") as client:
                return await streams.unacknowledged(client.jetstream(), AGGREGATOR)

        return asyncio.run(left()) == 0

    def redelivered(self) -> int:
        """How many messages the broker had to deliver once more, as far as its consumer remembers."""
        done = self.consumer().delivered
        return max(0, done.consumer_seq - done.stream_seq) if done else 0

    def wait_until_idle(self, seconds: float = PATIENCE) -> None:
        """Until the aggregator has acknowledged every message of the stream."""
        self.wait_for(self.is_idle, seconds, "the aggregator is not done")

    def wait_for(self, holds: Callable[[], bool], seconds: float, otherwise: str) -> None:
        """Until `holds`; servers that do not answer meanwhile are waited for."""
        end = time.monotonic() + seconds
        while True:
            try:
                if holds():
                    return
            except (*OUTAGE, Unavailable, psycopg.OperationalError, nats.errors.Error) as error:
                otherwise = f"{otherwise} ({error})" if "(" not in otherwise else otherwise
            assert time.monotonic() < end, f"{otherwise}\n{self.log('aggregator')[-3000:]}"
            time.sleep(0.1)
