"""The declaration of a broker of three nodes, judged by the server itself."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

import pytest

from infra.nats.cluster import ROUTES, Node, address, render
from schemas.streams import STREAMS
from services.kit.settings import Settings
from services.kit.streams import stream_config

NODES = tuple(Node(name, host=name) for name in ("ioc-1", "ioc-2", "ioc-3"))


def rendered(node: Node, store: Path, nodes: tuple[Node, ...]) -> str:
    return render(node, store, 2**30, lambda credential: f"secret of {credential}", nodes)


@pytest.mark.parametrize(
    ("node", "nodes"), [(Node(), ()), (Node(mqtt=1883), ()), *((node, NODES) for node in NODES)], ids=str
)
def test_the_server_accepts_its_configuration(node: Node, nodes: tuple[Node, ...], tmp_path: Path) -> None:
    file = tmp_path / "server.conf"
    file.write_text(rendered(node, tmp_path / "streams", nodes))
    program = Path(sysconfig.get_path("scripts")) / "nats-server"
    done = subprocess.run([program, "-t", "-c", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_node_knows_its_name_and_a_road_to_each_other_one(tmp_path: Path) -> None:
    text = rendered(NODES[0], tmp_path, NODES)
    assert "server_name: ioc-1" in text
    assert [line.strip() for line in text.splitlines() if "nats://" in line] == [
        f"nats://{ROUTES}:secret%20of%20{ROUTES}@ioc-{n}:6222" for n in (2, 3)
    ]
    assert "cluster {" not in rendered(Node(), tmp_path, ())


def test_three_nodes_keep_each_stream_three_times_unless_told_otherwise() -> None:
    three = Settings(nats_url=address(NODES))
    assert three.nats_servers == [f"nats://ioc-{n}:4222" for n in (1, 2, 3)]
    assert [Settings().replicas, three.replicas, Settings(nats_url=address(NODES), nats_replicas=1).replicas] == [
        1,
        3,
        1,
    ]
    assert {stream_config(stream, 2**30, three.replicas).num_replicas for stream in STREAMS} == {3}
