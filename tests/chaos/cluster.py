"""Three brokers that hold every stream three times, on this machine; one after the other is killed and comes back."""

from __future__ import annotations

import asyncio
import subprocess
import time
from pathlib import Path

from chaos.stage import PATIENCE, SERVICES, Stage

from infra.local import orphans, ports, secrets
from infra.local.readiness import answers
from infra.nats.cluster import ROUTES, Node, address, render
from schemas.streams import STREAMS
from services.kit import bus, streams

NODES = 3
DISK = 12 * 2**30


def on_three_nodes(stage: Stage) -> None:
    """The database alone is the supervisor's; brokers and services are plain processes."""
    secrets.ensure(stage.instance.secrets, [ROUTES])
    stage.start("timescaledb")
    stage.nodes = _nodes(stage)
    for node in stage.nodes:
        start(stage, node)
    for node in stage.nodes:
        wait_ready(node)
    stage.nats_url = address(stage.nodes)
    stage.wait_for(lambda: _streams(stage), PATIENCE, "the nodes agree on no streams")
    for service in SERVICES:
        stage.run(service)


def node_killed(stage: Stage) -> None:
    """Each node dies once, so the leader of the stream does too; two others go on."""
    for node in stage.random.sample(stage.nodes, NODES):
        time.sleep(stage.seconds(1.5, 15))
        process = stage.brokers[node]
        process.kill()
        process.wait()
        time.sleep(stage.seconds(2, 20))
        start(stage, node)
        wait_ready(node)
    stage.wait_for(lambda: asyncio.run(_is_whole(stage)), PATIENCE, "a copy of a stream is missing or behind")


def start(stage: Stage, node: Node) -> None:
    """Start a node as a plain process."""
    folder = stage.instance.data / node.name
    (folder / "streams").mkdir(parents=True, exist_ok=True)
    text = render(node, folder / "streams", DISK, stage.instance.password, stage.nodes)
    secrets.write_private(folder / "server.conf", text)
    command = [str(stage.instance.programs(["nats"])["nats-server"]), "-c", str(folder / "server.conf")]
    log = stage.ending.enter_context((stage.instance.data / "logs" / f"{node.name}.log").open("ab"))
    stage.brokers[node] = subprocess.Popen(command, cwd=Path(folder), stdout=log, stderr=log)
    stage.ending.callback(orphans.end, stage.brokers[node].pid, "TERM", 10)


def wait_ready(node: Node) -> None:
    """Until the node serves and has caught up with the others."""
    end = time.monotonic() + 60
    while not answers(f"http://{node.host}:{node.monitor}/healthz"):
        assert time.monotonic() < end, f"{node.name} does not come up"
        time.sleep(0.1)


def _nodes(stage: Stage) -> tuple[Node, ...]:
    taken = set(stage.instance.ports.values())
    given: list[int] = []
    for _ in range(3 * NODES):
        given.append(ports.free_port(max(taken) + len(given), [*taken, *given]))
    return tuple(Node(f"ioc-{n + 1}", ports.LOOPBACK, *given[3 * n : 3 * n + 3]) for n in range(NODES))


def _streams(stage: Stage) -> bool:
    async def ensure() -> None:
        settings = stage.settings("admin")
        async with bus.connected(settings, "chaos") as client:
            await streams.ensure_streams(client.jetstream(), settings)

    asyncio.run(ensure())
    return True


async def _is_whole(stage: Stage) -> bool:
    """Whether each stream has all its copies, and none is behind."""
    async with bus.connected(stage.settings("admin"), "chaos") as client:
        found = [await client.jetstream().stream_info(stream.name) for stream in STREAMS]
    others = [info.cluster.replicas or [] if info.cluster else [] for info in found]
    return all(len(peers) == NODES - 1 and all(peer.current for peer in peers) for peers in others)
