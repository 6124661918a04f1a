"""The machine that is measured on, the versions that are measured, and what a process takes of it."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nats
import psycopg

from infra.local.servers import Instance
from services.centre.prepare import settings_of
from services.kit import bus


def machine() -> dict[str, Any]:
    """Cores, memory, processor, kernel."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(_kib("/proc/meminfo", "MemTotal") / 2**20, 1),
        "processor": _processor(),
        "kernel": platform.release().partition("-")[0],
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
    }


async def versions(instance: Instance) -> dict[str, str]:
    """What was measured: our dependencies and the servers that ran."""
    found = {name: version(name) for name in ("nats-py", "faststream", "psycopg", "pydantic")}
    client = await nats.connect(**bus.connection_options(settings_of(instance, "admin"), "bench"))
    server = client.connected_server_version
    number = f"{server.major}.{server.minor}.{server.patch}"
    await client.close()
    with psycopg.connect(settings_of(instance, "cli").database("owner")) as conn:
        row = conn.execute(_VERSIONS).fetchone()
    assert row is not None
    head = {"ioc": version("ioc-backend"), "python": platform.python_version(), "nats-server": number}
    return head | {"postgresql": row[0].split()[0], "timescaledb": row[1]} | found


_VERSIONS = """
SELECT current_setting('server_version'), extversion FROM pg_extension WHERE extname = 'timescaledb'
"""


def _kib(file: str, name: str) -> int:
    lines = (line.split() for line in Path(file).read_text().splitlines())
    return next(int(parts[1]) for parts in lines if parts[0] == f"{name}:")


def resident_mib(pid: int) -> float:
    """The memory that a process holds now."""
    return _kib(f"/proc/{pid}/status", "VmRSS") / 1024


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far, with that of its children which have ended; 0 where it is gone."""
    try:
        fields = _stat(pid)
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def tree_cpu_seconds(pid: int) -> float:
    """The same with all that it started and that lives: a database server and its sessions."""
    return sum(map(cpu_seconds, _family(pid)))


def tree_mib(pid: int) -> float:
    """The memory that a process holds now, with all that it started; pages that several share are counted once."""
    return sum(map(_proportional_mib, _family(pid)))


def _proportional_mib(pid: int) -> float:
    try:
        return _kib(f"/proc/{pid}/smaps_rollup", "Pss") / 1024
    except (FileNotFoundError, ProcessLookupError):
        return 0.0


def _family(pid: int) -> list[int]:
    return [pid, *(one for child in _children(pid) for one in _family(child))]


def _children(pid: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int(_stat(int(folder.name))[1]) == pid:
                found.append(int(folder.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def _stat(pid: int) -> list[str]:
    """The fields of proc(5) from the state on; the name before it may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
