"""The Compose file as Compose reads it where no variable is set, and the table of processes that it mirrors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from infra.local.processes import PROCESSES

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "docker-compose.yml"
DOCKERFILE = (ROOT / "infra/docker/Dockerfile").read_text(encoding="utf-8")
ELSEWHERE = {"timescaledb_replica"}
"""Processes of one machine that containers leave out: a replica belongs on another machine."""
STEPS = {"configure", "prepare", "demo", "cli", "restore", "secrets"}
"""Containers that end when they are done."""
EXTRA = {"backup"}
"""What else lives in containers alone."""


def composed(**variables: str) -> dict[str, Any]:
    """The file as it is where these variables are set and no others."""

    def value(found: re.Match[str]) -> str:
        given = variables.get(found[1], "")
        return (given or found[3]) if found[2] == "-" else (found[3] if given else "")

    file: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{(\w+):([-+])([^}]*)\}", value, FILE.read_text(encoding="utf-8")))
    return file


COMPOSE = composed()
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if "build" in service]
ROWS = [row for row in PROCESSES if row.name not in ELSEWHERE]
ROWS_OF_OURS = [row for row in ROWS if row.kind == "service"]


def mounts(name: str) -> Iterator[tuple[str, str, bool]]:
    """(source, target, read only) of each mount."""
    for mount in SERVICES[name].get("volumes", []):
        if isinstance(mount, str):
            source, target, *options = mount.split(":")
            yield source, target, options == ["ro"]
        else:
            yield mount["source"], mount["target"], bool(mount.get("read_only"))
