"""Brokers that hold the streams together: the configuration of each node, alone or as one of a cluster.

Three nodes keep every stream three times: one may fail and what was acknowledged is still there. A node is named by
the address under which the others reach it, so the same declaration serves one machine and three.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from urllib.parse import quote

from infra.nats import users

FOLDER = Path(__file__).resolve().parent
ROUTES = "nats_routes"
"""The credential with which the nodes of a cluster enter each other."""
CLIENTS, DEVICES = 200, 1000
"""How many connections a node may have: of programs, and where devices are heard of devices besides."""


@dataclass(frozen=True)
class Node:
    """One broker: its name, where it is reached, and its ports for clients, monitoring and the other nodes.

    Monitoring asks for no password: `monitor_host` is loopback, or the inside of a network that only services share.
    """

    name: str = "ioc"
    host: str = "127.0.0.1"
    port: int = 4222
    monitor: int = 8222
    route: int = 6222
    monitor_host: str = "127.0.0.1"
    mqtt: int | None = None
    """Where devices are heard by MQTT; None: nowhere."""
    tls: tuple[str, str] | None = None
    """Certificate and key for these devices; None: they speak without TLS."""
    tls_alone: bool = False
    """Whether programs too are heard by TLS alone, with that certificate."""


def render(
    node: Node,
    store: Path,
    max_file_store: int,
    password_of: Callable[[str], str],
    nodes: Sequence[Node] = (),
) -> str:
    """The configuration of `node`, which keeps at most `max_file_store` bytes of streams in the folder `store`.

    `nodes` are all nodes of its cluster, itself among them; none: it stands alone. `password_of` gives the password
    of a credential.
    """
    values = {
        "host": node.host,
        "host_monitor": node.monitor_host,
        "name": node.name,
        "port_nats": node.port,
        "port_nats_monitor": node.monitor,
        "store": str(store).replace("\\", "\\\\").replace('"', '\\"'),
        "max_file_store": max_file_store,
        "tls": _tls(node) if node.tls_alone else "",
        "max_connections": CLIENTS + (DEVICES if node.mqtt else 0),
        "mqtt": f'mqtt {{ listen: "{node.host}:{node.mqtt}", {_tls(node)} }}' if node.mqtt else "",
        "users": users.render(password_of),
        "callout": users.callout(password_of),
        "system_user": users.system_user(password_of),
        "cluster": _cluster(node, nodes, password_of(ROUTES)) if nodes else "",
    }
    return Template((FOLDER / "server.conf").read_text()).substitute(values)


def _tls(node: Node) -> str:
    certificate, key = map(json.dumps, node.tls or ("", ""))
    return f"tls {{ cert_file: {certificate}, key_file: {key} }}" if node.tls else ""


def _cluster(node: Node, nodes: Sequence[Node], password: str) -> str:
    secret = quote(password, safe="")
    routes = [f"nats://{ROUTES}:{secret}@{other.host}:{other.route}" for other in nodes if other != node]
    values = {
        "host": node.host,
        "port": node.route,
        "user": ROUTES,
        "password": password,
        "routes": "\n    ".join(routes),
    }
    return Template((FOLDER / "cluster.conf").read_text()).substitute(values)


def address(nodes: Sequence[Node]) -> str:
    """What `IOC_NATS_URL` is for a cluster: a client that loses one node goes on with another."""
    return ",".join(f"nats://{node.host}:{node.port}" for node in nodes)
