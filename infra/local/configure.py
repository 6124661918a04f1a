"""The servers' configuration files, filled in from the templates in `infra` and written into the instance."""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from string import Template
from urllib.parse import parse_qsl, unquote, urlsplit

from infra.local import cluster, paths, replica
from infra.local.paths import SetupError
from infra.local.ports import LOOPBACK
from infra.local.processes import PROCESSES, external, is_on
from infra.local.secrets import write_private
from infra.nats.cluster import Node, render
from infra.timescaledb.roles import DATABASE
from schemas import instance

INFRA = Path(__file__).resolve().parents[1]
INTERVAL, REPEAT = "15s", "5m"
"""How often Prometheus looks and the alert manager tells what changed, and how often it tells again what goes on."""


def _loopback(_: str) -> str:
    return "127.0.0.1"


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
            cluster.prepare(data / "timescaledb", programs, paths.run_as(), ports["timescaledb"], password_of)
        case replica.NAME:
            replica.prepare(data / name, programs, paths.run_as(), ports, password_of, say)
        case "prometheus":
            services = {row.name: next(iter(row.ports)) for row in PROCESSES if row.kind == "service"}
            prometheus(data, ports, services)
        case "alertmanager":
            alertmanager(data, ports)
        case "grafana":
            grafana(data, ports)


def nats(data: Path, ports: Mapping[str, int], password_of: Callable[[str], str]) -> None:
    """Write the broker's configuration, with its users and their passwords."""
    store = data / "nats" / "streams"
    store.mkdir(parents=True, exist_ok=True)
    certificate, key = os.environ.get("IOC_TLS_CERTIFICATE"), os.environ.get("IOC_TLS_KEY")
    opened = os.environ.get("IOC_NATS_HOST")
    if opened and not (certificate and key):
        raise SetupError(
            "IOC_NATS_HOST opens the broker to other machines, which hear passwords unless it speaks TLS: set "
            "IOC_TLS_CERTIFICATE and IOC_TLS_KEY too (docs/doors.md, TLS)"
        )
    node = Node(
        host=opened or LOOPBACK,
        port=ports["nats"],
        monitor=ports["nats_monitor"],
        mqtt=ports["mqtt"] if is_on("IOC_MQTT") else None,
        tls=(certificate, key) if certificate and key else None,
        tls_alone=bool(opened),
    )
    share = _share_of_disk(data / "nats" / "max_file_store")
    write_private(data / "nats" / "server.conf", render(node, store, share, password_of))


def prometheus(data: Path, ports: Mapping[str, int], services: Mapping[str, str], interval: str = INTERVAL) -> None:
    """Write Prometheus's configuration.

    `services` maps a service to the name of its health port; every `interval` they are asked and the rules evaluated.
    """
    (data / "prometheus").mkdir(parents=True, exist_ok=True)
    secret = data / "secrets" / instance.CREDENTIAL
    known = instance.identity(secret.read_text().strip()) if secret.exists() else None
    text = prometheus_text(ports, services, INFRA / "prometheus" / "rules", interval=interval, known=known)
    write_private(data / "prometheus" / "prometheus.yml", text)


def prometheus_text(
    ports: Mapping[str, int],
    services: Mapping[str, str],
    rules: Path,
    host_of: Callable[[str], str] = _loopback,
    interval: str = INTERVAL,
    known: instance.Identity | None = None,
) -> str:
    """Prometheus's configuration with the rules of the folder `rules`; `host_of` tells where a process is reached.

    With `known`, figures are taken from processes of that centre alone.
    """
    targets = "".join(
        f'      - targets: ["{host_of(name)}:{ports[port]}"]\n        labels: {{service: {name}}}\n'
        for name, port in services.items()
    )
    values = {
        "interval": interval,
        "port_prometheus": ports["prometheus"],
        "alertmanager": f"{host_of('alertmanager')}:{ports['alertmanager']}",
        "rules": f'"{_escaped(rules / "*.yml")}"',
        "services": targets,
        "known": _only_from(known) if known else "",
    }
    return _filled("prometheus/prometheus.yml", values)


def _only_from(known: instance.Identity) -> str:
    """What refuses the figures of a stranger that has come by a service's port."""
    return f"""    metrics_path: /metrics/{known.id}
    authorization: {{credentials: {known.token}}}
    metric_relabel_configs:
      - {{source_labels: [{instance.MARK}], regex: {known.mark}, action: keep}}
      - {{regex: {instance.MARK}, action: labeldrop}}
"""


def alertmanager(data: Path, ports: Mapping[str, int], interval: str = INTERVAL, repeat: str = REPEAT) -> None:
    """Write the alert manager's configuration: changes are told every `interval`, what goes on every `repeat`."""
    (data / "alertmanager").mkdir(parents=True, exist_ok=True)
    text = alertmanager_text(ports, data / "secrets", interval=interval, repeat=repeat)
    write_private(data / "alertmanager" / "alertmanager.yml", text)


def alertmanager_text(
    ports: Mapping[str, int],
    secrets: Path,
    host_of: Callable[[str], str] = _loopback,
    interval: str = INTERVAL,
    repeat: str = REPEAT,
) -> str:
    """The alert manager's configuration; the notifier's token is the file `alertmanager` of the folder `secrets`."""
    values = {
        "notifier": f"http://{host_of('notifier')}:{ports['notifier']}/alertmanager",
        "credentials": f'"{_escaped(secrets / "alertmanager")}"',
        "interval": interval,
        "repeat": repeat,
    }
    return _filled("alertmanager/alertmanager.yml", values)


def grafana(data: Path, ports: Mapping[str, int]) -> None:
    """Write Grafana's configuration: its data sources, and where the dashboards lie."""
    secrets = data / "secrets"
    values = {
        "data": data,
        "secrets": secrets,
        "dashboards": INFRA.parent / "dashboards",
        "host": LOOPBACK,
        "port_grafana": ports["grafana"],
        "prometheus": f"http://{LOOPBACK}:{ports['prometheus']}",
        **_database(ports, secrets),
    }
    for name, text in grafana_files(values).items():
        (data / "grafana" / name).parent.mkdir(parents=True, exist_ok=True)
        write_private(data / "grafana" / name, text)


def grafana_files(values: Mapping[str, object]) -> dict[str, str]:
    """Grafana's configuration, path below its folder -> text; `values` fill the templates in `infra/grafana`."""
    quoted = {name: _escaped(value) for name, value in values.items()}
    return {
        "grafana.ini": _filled("grafana/grafana.ini", values),
        "provisioning/datasources/ioc.yml": _filled("grafana/datasources.yml", quoted),
        "provisioning/dashboards/ioc.yml": _filled("grafana/dashboards.yml", quoted),
    }


def _database(ports: Mapping[str, int], secrets: Path) -> dict[str, str]:
    """Where Grafana finds the database; one of the operator's own is entered as the user of its address."""
    named = urlsplit(external("timescaledb"))
    own = f"{LOOPBACK}:{ports['timescaledb']}"
    return {
        "database_host": named.netloc.rpartition("@")[2] or own,
        "database_name": named.path.removeprefix("/") or DATABASE,
        "database_user": unquote(named.username or "ioc_grafana"),
        "database_password": unquote(named.password or "").replace("$", "$$") or f"$__file{{{secrets}/ioc_grafana}}",
        "sslmode": dict(parse_qsl(named.query)).get("sslmode", "prefer" if named.netloc else "disable"),
    }


def _filled(template: str, values: Mapping[str, object]) -> str:
    return Template((INFRA / template).read_text()).substitute(values)


def _escaped(value: object) -> str:
    return str(value).replace("\\", "\\\\").replace('"', '\\"')


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
