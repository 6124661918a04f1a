"""What the servers' containers read: the same templates as on one machine, with the names and folders of containers.

`docker-compose.yml` says the same names, ports and folders, see `infra.docker.compose`; a test holds the two together.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from infra.local import configure
from infra.local.processes import DEFAULT_PORTS, PROCESSES, is_on
from infra.local.secrets import ensure, write_private
from infra.local.servers import CREDENTIALS
from infra.nats.cluster import Node, render
from infra.timescaledb.roles import DATABASE

EVERYWHERE = "0.0.0.0"  # noqa: S104 (within a network of containers; Compose publishes)
STREAMS = Path("/var/lib/ioc/nats")
RULES = Path("/srv/rules")
DASHBOARDS = Path("/srv/dashboards")
SECRETS = Path("/run/secrets")


def passwords() -> list[str]:
    """The names of all credentials that containers are handed."""
    return sorted(set(CREDENTIALS) - {"supervisor"})


def make_secrets(folder: Path) -> list[str]:
    """Make a file for each password that is missing; returns their names, all of them.

    The folder is its owner's alone (0700). Its files can be read by all (0444), because each container is handed a few
    of them and reads them as an account that the host does not know.
    """
    names = passwords()
    ensure(folder, names)
    for name in names:
        (folder / name).chmod(0o444)
    return names


def write(folder: Path, storage: int, password_of: Callable[[str], str]) -> None:
    """Write each server's configuration below `folder`; the broker may keep `storage` bytes of streams."""
    for name, text in files(storage, password_of).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        write_private(file, text)
        if not name.startswith("nats/"):  # the others hold no passwords, and their servers run as other accounts
            file.chmod(0o444)


def files(storage: int, password_of: Callable[[str], str]) -> Mapping[str, str]:
    """Path below the folder of configurations -> text."""
    mqtt = DEFAULT_PORTS["mqtt"] if is_on("IOC_MQTT") else None
    tls = (
        (str(SECRETS / "tls_certificate"), str(SECRETS / "tls_key")) if os.environ.get("IOC_TLS_CERTIFICATE") else None
    )
    node = Node(host=EVERYWHERE, monitor_host=EVERYWHERE, mqtt=mqtt, tls=tls)
    services = {row.name: next(iter(row.ports)) for row in PROCESSES if row.kind == "service"}
    grafana = configure.grafana_files(_grafana()).items()
    return {
        "nats/server.conf": render(node, STREAMS, storage, password_of),
        "prometheus/prometheus.yml": configure.prometheus_text(DEFAULT_PORTS, services, RULES, host_of=str),
        "alertmanager/alertmanager.yml": configure.alertmanager_text(DEFAULT_PORTS, SECRETS, host_of=str),
    } | {f"grafana/{name}": text for name, text in grafana}


def _grafana() -> dict[str, object]:
    return {
        "data": Path("/var/lib"),
        "secrets": SECRETS,
        "dashboards": DASHBOARDS,
        "host": EVERYWHERE,
        "port_grafana": DEFAULT_PORTS["grafana"],
        "prometheus": f"http://prometheus:{DEFAULT_PORTS['prometheus']}",
        "database_host": f"timescaledb:{DEFAULT_PORTS['timescaledb']}",
        "database_name": DATABASE,
        "database_user": "ioc_grafana",
        "database_password": f"$__file{{{SECRETS}/ioc_grafana}}",
        "sslmode": "disable",
    }
