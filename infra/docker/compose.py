"""The parts of `docker-compose.yml` that follow from tables: a block for each of our services, and every credential."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from infra.docker.configuration import passwords
from infra.local.processes import BY_NAME, DEFAULT_PORTS, PROCESSES, Process
from infra.nats.users import USERS
from schemas.broker_tokens import SYSTEM_USER, USER
from schemas.sources import EMITTERS, KEYS

FILE = "docker-compose.yml"
ROOT = Path(__file__).resolve().parents[2]
BIND = "${IOC_BIND:-127.0.0.1}"


@dataclass(frozen=True)
class Container:
    """What a container of a service has beside what its row in the table of processes says.

    `roles` are the database's that it enters as, `keys` further secrets. Of a service of the demo `after` is the step
    that must have ended before.
    """

    size: Literal["small", "medium", "large"]
    roles: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()
    after: str = ""


TLS = ("tls_certificate", "tls_key")
"""What the doors for others speak TLS with, where an operator gives it."""
GRAFANA = {"IOC_GRAFANA_URL": "${IOC_GRAFANA_URL:-http://127.0.0.1:3000}"}
NOTIFIER = {"IOC_NOTIFIER_URL": "${IOC_NOTIFIER_URL:-http://127.0.0.1:8011}"}
CONTAINERS: Mapping[str, Container] = {
    "aggregator": Container("medium", roles=("aggregator",)),
    "deadlines": Container("small", roles=("deadlines",)),
    "emitters": Container(
        "small",
        roles=("emitters",),
        keys=("signing", *TLS),
        environment={"IOC_OPEN311_PUBLIC": "${IOC_OPEN311_PUBLIC:-false}"},
    ),
    "simulator": Container("medium", volumes=("centre:/var/lib/ioc/centre",), after="demo"),
    "exporter": Container(
        "medium",
        roles=("reader",),
        environment={"IOC_NATS_MONITOR_URL": f"http://nats:{DEFAULT_PORTS['nats_monitor']}"},
        volumes=("centre:/var/lib/ioc/centre:ro",),
    ),
    "upkeep": Container("small", roles=("upkeep",)),
    "board": Container(
        "large",  # a process beside it makes reports and reads workbooks
        roles=("board", "reader"),
        keys=("alarms", "oidc_client", *TLS),
        environment={
            "IOC_BOARD_PUBLIC": "${IOC_BOARD_PUBLIC:-false}",
            "IOC_BOARD_PLACE": "${IOC_BOARD_PLACE:-}",
            "IOC_BOARD_EMBLEM": "/srv/emblem",
            "IOC_NOTIFIER_DOOR": f"http://notifier:{DEFAULT_PORTS['notifier']}",
            **NOTIFIER,
            "IOC_REPORT_SCHEDULE": "${IOC_REPORT_SCHEDULE:-}",
            "IOC_REPORT_UNITS": "${IOC_REPORT_UNITS:-}",
            "IOC_BOARD_URL": "${IOC_BOARD_URL:-}",
            "IOC_PROXIES": "${IOC_PROXIES:-127.0.0.1}",
            "IOC_OIDC_ISSUER": "${IOC_OIDC_ISSUER:-}",
            "IOC_OIDC_CLIENT": "${IOC_OIDC_CLIENT:-}",
            "IOC_OIDC_SECRET": "/run/secrets/oidc_client",
            "IOC_OIDC_GROUPS": "${IOC_OIDC_GROUPS:-}",
            **GRAFANA,
        },
    ),
    "notifier": Container(
        "small",
        roles=("notifier", "reader"),
        keys=("alarms", "alertmanager", "routes.toml"),
        environment={
            **NOTIFIER,
            "IOC_ALERTMANAGER_URL": f"http://alertmanager:{DEFAULT_PORTS['alertmanager']}",
            **GRAFANA,
            "IOC_ROUTES": "/run/secrets/routes.toml",
            # Addresses that routes name by file, and Zalo's tokens, which are written anew at each refresh.
            "IOC_CHANNELS": "/var/lib/ioc/channels",
        },
        volumes=("channels:/var/lib/ioc/channels",),
    ),
}


def files() -> dict[str, str]:
    """The file with its generated parts as they should be: path below the checkout -> text.

    Raises `ValueError` where the place of a part cannot be found, and for a service without a container.
    """
    ours = [row.name for row in PROCESSES if row.kind == "service"]
    if missing := [name for name in ours if name not in CONTAINERS]:
        raise ValueError(f"CONTAINERS has no row for {', '.join(missing)}: say its size and the roles it enters as")
    always = [name for name in ours if not CONTAINERS[name].after]
    demo = [name for name in ours if CONTAINERS[name].after]
    parts = {
        "our services": blocks(always),
        "the district that lives": blocks(demo),
        "the broker's users": [f"      - {name}" for name in sorted(USERS)],
        "passwords": [f"  {name}: {{file: ./secrets/{name}}}" for name in passwords()],
    }
    text = (ROOT / FILE).read_text(encoding="utf-8")
    for title, lines in parts.items():
        text = _with(text, title, lines)
    return {FILE: text}


def _with(text: str, title: str, lines: Iterable[str]) -> str:
    begin, end = f"# {title}: written by `ioc generate`", f"# end of {title}"
    place = re.compile(rf"( *){re.escape(begin)}\n.*?^\1{re.escape(end)}\n", re.DOTALL | re.MULTILINE)
    if len(places := place.findall(text)) != 1:
        raise ValueError(f"{FILE}: {len(places)} parts between `{begin}` and `{end}` instead of one")
    body = "\n".join(lines)
    return place.sub(lambda found: f"{found[1]}{begin}\n{body}\n{found[1]}{end}\n", text)


def blocks(names: Iterable[str]) -> Iterator[str]:
    """The lines of each service, one after the other."""
    for number, name in enumerate(names):
        if number:
            yield ""
        yield from block(BY_NAME[name], CONTAINERS[name])


def block(row: Process, container: Container) -> Iterator[str]:
    """The lines of one service."""
    ports = {f"port_{name}": port for name, port in DEFAULT_PORTS.items()}
    own = {name: value.format_map(ports) for name, value in row.environment.items()}
    published = [port for name, port in row.ports.items() if name == row.name]
    yield f"  {row.name}:"
    yield "    <<: *ours"
    if container.after:
        yield f"    profiles: [{container.after}]"
    yield f"    command: [python, -m, {row.command[-1]}]"
    yield "    environment:"
    yield "      <<: *environment"
    variables = {"IOC_USER": row.user, **own, **container.environment}
    yield from (f"      {name}: {value}" for name, value in variables.items())
    yield f"    deploy: *{container.size}"
    if container.after:
        yield from ("    depends_on:", f"      {container.after}: {{condition: service_completed_successfully}}")
    if published:
        yield "    networks: [data, doors]"
        yield from (f'    ports: ["{BIND}:{port}:{port}"]' for port in published)
    yield f"    secrets: [{', '.join(_secrets(row, container))}]"
    if container.volumes:
        yield f"    volumes: [{', '.join(container.volumes)}]"


def _secrets(row: Process, container: Container) -> Iterator[str]:
    if row.name == "emitters":
        yield from sorted({USER, SYSTEM_USER} | {f"emitter_{name}" for name in (*EMITTERS, KEYS)})
    if row.user in USERS:
        yield row.user
    yield from (f"ioc_{role}" for role in container.roles)
    yield from container.keys
