"""The table of all processes of a centre: one row each, servers first, then our services.

A new service is a new row. Texts in braces are filled from the instance: its folders, programs and ports.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Process:
    """One process: what runs, as which credential, on which ports, and how to know that it is ready."""

    name: str
    kind: Literal["server", "service"]
    ports: Mapping[str, int]  # port name -> default
    command: tuple[str, ...]
    ready: str  # an address that answers 200, or "postgresql"
    bundle: str = ""  # where the program comes from, see provision.BUNDLES
    user: str = ""  # the credential of the broker and, as ioc_<user>, of the database
    stop_signal: str = "TERM"
    stop_seconds: int = 20
    unprivileged: bool = False  # run as IOC_RUN_AS when root starts it
    environment: Mapping[str, str] = field(default_factory=dict)
    optional: bool = False  # started only when asked for
    read_once: tuple[str, ...] = ()  # files of the data folder that it reads at its start alone
    switched: Mapping[str, str] = field(default_factory=dict)  # port name -> the setting without which nobody listens
    external: str = ""  # a variable with an address and credentials in it that makes this process unneeded


@dataclass(frozen=True)
class ProcessState:
    """What is known of one process. `state` is the supervisor's word in lower case, `uptime` is in seconds."""

    name: str
    kind: str
    state: str
    ready: bool
    pid: int | None
    uptime: float | None
    port: int
    health: str
    log: Path
    problem: str = ""  # what keeps it from being ready, where that can be seen from outside


def _service(name: str, port: int, user: str = "", optional: bool = False, module: str = "", **ports: int) -> Process:
    health = f"health_{name}"
    variables = {"IOC_HEALTH_PORT": f"{{port_{health}}}"} | {
        f"IOC_{key.upper()}_PORT": f"{{port_{key}}}" for key in ports
    }
    return Process(
        name=name,
        kind="service",
        ports={health: port, **ports},
        # The unused -X option marks the process as this instance's for everyone who reads its command line.
        command=("{python}", "-X", "ioc={data}", "-m", f"services.{module or name}"),
        ready=f"http://127.0.0.1:{{port_{health}}}/health/ready",
        user=user or name,
        environment=variables,
        optional=optional,
    )


PROCESSES = (
    Process(
        name="nats",
        kind="server",
        bundle="nats",
        ports={"nats": 4222, "nats_monitor": 8222, "mqtt": 1883},
        switched={"mqtt": "IOC_MQTT"},
        command=("{nats-server}", "-c", "{data}/nats/server.conf"),
        ready="http://127.0.0.1:{port_nats_monitor}/healthz",
        external="IOC_NATS_URL",
    ),
    Process(
        name="timescaledb",
        kind="server",
        bundle="timescaledb",
        ports={"timescaledb": 5433},
        command=("{postgres}", "-D", "{data}/timescaledb/cluster"),
        ready="postgresql",
        stop_signal="INT",  # fast shutdown: ends sessions, keeps committed work, leaves nothing to recover
        stop_seconds=60,
        unprivileged=True,
        external="IOC_DATABASE_URL",
    ),
    Process(
        name="timescaledb_replica",
        kind="server",
        bundle="timescaledb",
        ports={"timescaledb_replica": 5434},
        command=("{postgres}", "-D", "{data}/timescaledb_replica/cluster"),
        ready="postgresql",
        stop_signal="INT",
        stop_seconds=60,
        unprivileged=True,
        optional=True,
        external="IOC_DATABASE_URL",
    ),
    Process(
        name="prometheus",
        kind="server",
        bundle="prometheus",
        ports={"prometheus": 9090},
        command=(
            "{prometheus}",
            "--config.file={data}/prometheus/prometheus.yml",
            "--storage.tsdb.path={data}/prometheus/series",
            "--storage.tsdb.retention.time=90d",
            "--rules.alert.resend-delay=10s",  # each evaluation tells: an alert manager that starts anew knows nothing
            "--rules.alert.for-grace-period=30s",  # after a start, what went on for so long or longer goes on
            "--web.listen-address=127.0.0.1:{port_prometheus}",
        ),
        ready="http://127.0.0.1:{port_prometheus}/-/ready",
    ),
    Process(
        name="alertmanager",
        kind="server",
        bundle="prometheus",
        ports={"alertmanager": 9093},
        command=(
            "{alertmanager}",
            "--config.file={data}/alertmanager/alertmanager.yml",
            "--storage.path={data}/alertmanager/state",
            "--web.listen-address=127.0.0.1:{port_alertmanager}",
            "--cluster.listen-address=",  # one machine: no gossip port
        ),
        ready="http://127.0.0.1:{port_alertmanager}/-/ready",
    ),
    Process(
        name="grafana",
        kind="server",
        bundle="grafana",
        ports={"grafana": 3000},
        command=(
            "{grafana}",
            "server",
            "--homepath={grafana_home}",
            "--config={data}/grafana/grafana.ini",
        ),
        ready="http://127.0.0.1:{port_grafana}/api/health",
        optional=True,  # started where its program is installed, see `Instance.start_grafana`
        read_once=(
            "grafana/grafana.ini",
            "grafana/provisioning/datasources/ioc.yml",
            "grafana/provisioning/dashboards/ioc.yml",
        ),
    ),
    _service("aggregator", 8101),
    _service("deadlines", 8102),
    _service("emitters", 8103, module="ingest", emitters=8010),
    _service("simulator", 8104, optional=True),
    _service("exporter", 8106),
    _service("upkeep", 8105),
    _service("board", 8108, board=8020),
    _service("notifier", 8107, notifier=8011),
)

BY_NAME = {process.name: process for process in PROCESSES}
SERVERS = tuple(process.name for process in PROCESSES if process.kind == "server" and not process.optional)
SERVICES = tuple(process.name for process in PROCESSES if process.kind == "service" and not process.optional)
DEFAULT_PORTS = {"supervisor": 9001} | {name: port for process in PROCESSES for name, port in process.ports.items()}


def external(name: str) -> str:
    """The operator's own address for this server, when it is set with credentials inside; else empty."""
    variable = BY_NAME[name].external
    address = os.environ.get(variable, "") if variable else ""
    return address if "@" in address else ""


def is_on(variable: str) -> bool:
    """Whether a setting that is off by default is on."""
    return os.environ.get(variable, "").lower() in ("true", "1", "yes", "on")


def open_ports(process: Process) -> list[str]:
    """The names of the ports that a process listens on, by the settings of now."""
    return [name for name in process.ports if name not in process.switched or is_on(process.switched[name])]


def known_names(names: Iterable[str]) -> set[str]:
    """The names as a set; raises `KeyError` for one that is not in the table."""
    wanted = set(names)
    if strangers := wanted - set(BY_NAME):
        raise KeyError(f"no process named {', '.join(sorted(strangers))}; there are {', '.join(BY_NAME)}")
    return wanted
