"""The servers' configuration files, filled in from the templates in `infra` and written into the instance."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from string import Template

from infra.local import cluster, layout, replica
from infra.local.processes import PROCESSES, external
from infra.local.secrets import write_private
from infra.nats.cluster import Node, render

INFRA = Path(__file__).resolve().parents[1]


def write(
    name: str,
    data: Path,
    ports: Mapping[str, int],
    programs: Mapping[str, Path],
    password_of: Callable[[str], str],
    say: Callable[[str], None],
) -> None:
    """Write what the server `name` needs before it starts; services need nothing."""
    match name:
        case "nats":
            nats(data, ports, password_of)
        case "timescaledb":
            cluster.prepare(data / "timescaledb", programs, layout.run_as(), ports["timescaledb"], password_of)
        case replica.NAME:
            replica.prepare(data / name, programs, layout.run_as(), ports, password_of, say)
        case "prometheus":
            services = {row.name: next(iter(row.ports)) for row in PROCESSES if row.kind == "service"}
            prometheus(data, ports, services)
        case "alertmanager":
            alertmanager(data)


def nats(data: Path, ports: Mapping[str, int], password_of: Callable[[str], str]) -> None:
    """Write the broker's configuration, with its users and their passwords."""
    store = data / "nats" / "streams"
    store.mkdir(parents=True, exist_ok=True)
    node = Node(port=ports["nats"], monitor=ports["nats_monitor"])
    room = _share_of_disk(data / "nats" / "max_file_store")
    write_private(data / "nats" / "server.conf", render(node, store, room, password_of))


def prometheus(data: Path, ports: Mapping[str, int], services: Mapping[str, str]) -> None:
    """Write Prometheus's configuration. `services` maps a service to the name of its health port."""
    (data / "prometheus").mkdir(parents=True, exist_ok=True)
    targets = "".join(
        f'      - targets: ["127.0.0.1:{ports[port]}"]\n        labels: {{service: {name}}}\n'
        for name, port in services.items()
    )
    values = {
        "port_prometheus": ports["prometheus"],
        "port_alertmanager": ports["alertmanager"],
        "rules": f'"{_escaped(INFRA / "prometheus" / "rules" / "*.yml")}"',
        "services": targets,
    }
    write_private(data / "prometheus" / "prometheus.yml", _filled("prometheus/prometheus.yml", values))


def alertmanager(data: Path) -> None:
    """Write the alert manager's configuration."""
    (data / "alertmanager").mkdir(parents=True, exist_ok=True)
    write_private(data / "alertmanager" / "alertmanager.yml", _filled("alertmanager/alertmanager.yml", {}))


def _filled(template: str, values: Mapping[str, object]) -> str:
    return Template((INFRA / template).read_text()).substitute(values)


def _escaped(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"')


def broker_storage(data: Path) -> int | None:
    """How many bytes our own broker may store; None where the operator's own is used instead."""
    kept = data / "nats" / "max_file_store"
    return None if external("nats") or not kept.exists() else _share_of_disk(kept)


def _share_of_disk(kept: Path) -> int:
    """Half of what the disk had free at the first start, in bytes.

    Kept from then on: streams reserve shares of it, and a broker given less refuses to open them.
    """
    if not kept.exists():
        write_private(kept, str(shutil.disk_usage(kept.parent).free // 2))
    return int(kept.read_text())
