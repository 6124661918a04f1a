"""A bulk goes on when the node of a cluster dies that leads the stream, though the connection is to another node."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sysconfig
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import nats
import pytest
from nats.aio.client import Client
from nats.errors import Error
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig

from services.kit import bus

A = TypeVar("A")
NODES = range(3)
MANY = 30_000
SUBJECT = "ioc.events.phuong_chon_thanh.field.report.received"
SERVER = Path(sysconfig.get_path("scripts")) / "nats-server"


class Cluster:
    """Three nodes of this test's own."""

    def __init__(self, folder: Path) -> None:
        with ExitStack() as held:
            free = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2 * len(NODES))]
            ports = [one.getsockname()[1] for one in free]
        self.clients, routes = ports[:3], ports[3:]
        self._folder, self._running = folder, dict[int, subprocess.Popen[bytes]]()
        joined = ", ".join(f'"nats://127.0.0.1:{port}"' for port in routes)
        for node in NODES:
            (folder / f"{node}").write_text(
                f'server_name: "{node}"\nlisten: "127.0.0.1:{self.clients[node]}"\n'
                f'jetstream {{ store_dir: "{folder}/store{node}", sync_interval: always, max_buffered_msgs: 200 }}\n'
                f'cluster {{ name: c, listen: "127.0.0.1:{routes[node]}", routes: [{joined}] }}\n'
            )
            self.start(node)

    def start(self, node: int) -> None:
        """Start a node, the first time or again."""
        command = [SERVER, "-c", self._folder / f"{node}"]
        self._running[node] = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def kill(self, node: int) -> None:
        """End a node without a word."""
        self._running[node].kill()
        self._running[node].wait()

    async def connected_beside(self, node: int | None = None) -> Client:
        """A connection to nodes other than this one."""
        servers = [f"nats://127.0.0.1:{port}" for at, port in enumerate(self.clients) if at != node]
        return await nats.connect(servers, max_reconnect_attempts=-1, reconnect_time_wait=0.2, error_cb=_silent)


async def _silent(error: Exception) -> None:
    """Nodes that are not there yet are no matter."""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path)
    try:
        yield made
    finally:
        for node in NODES:
            made.kill(node)


async def _answered(ask: Callable[[], Awaitable[A]]) -> A:
    """The answer as soon as the nodes agree who leads them."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await ask()
            except (Error, TimeoutError):
                await asyncio.sleep(0.3)


async def _made(client: Client) -> int:
    """Make the stream; the node that leads it."""
    js = client.jetstream()

    async def leader() -> int:
        info = await js.add_stream(name="EVENTS", subjects=["ioc.events.>"], allow_atomic=True, num_replicas=3)
        if not (info.cluster and info.cluster.leader):
            raise TimeoutError
        return int(info.cluster.leader)

    return await _answered(leader)


async def _sent_while_the_leader_dies(cluster: Cluster) -> tuple[int, int]:
    """How many messages were said to be stored, and how many different ones the stream then holds."""
    client = await cluster.connected_beside()
    leader = await _made(client)
    await client.close()
    client = await cluster.connected_beside(leader)
    js = client.jetstream()
    begun = asyncio.Event()

    def messages() -> Iterator[bus.Outgoing]:
        for number in range(MANY):
            if number == MANY // 3:
                begun.set()
            yield bus.Outgoing(SUBJECT, str(number).encode())

    sending = asyncio.create_task(bus.publish_raw(js, messages()))
    await begun.wait()
    cluster.kill(leader)
    await asyncio.sleep(2)
    cluster.start(leader)
    said = await sending
    found = await _found(js)
    await client.close()
    return said, len(found)


async def _found(js: JetStreamContext) -> set[bytes]:
    """The different messages that the stream holds."""
    last = (await _answered(lambda: js.stream_info("EVENTS"))).state.last_seq
    config = ConsumerConfig(ack_policy=AckPolicy.NONE)
    held = await _answered(lambda: js.pull_subscribe(SUBJECT, stream="EVENTS", config=config))
    found, seen = set[bytes](), 0
    while seen < last:
        page = await held.fetch(1000, timeout=10)
        found |= {message.data for message in page}
        seen = page[-1].metadata.sequence.stream
    return found


def test_what_a_dead_node_had_not_answered_is_sent_again(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus, "LOST_SECONDS", 1.0)
    assert asyncio.run(_sent_while_the_leader_dies(cluster)) == (MANY, MANY)
