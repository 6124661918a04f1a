"""What this machine has and lacks for running a centre, and how to get what is missing."""

import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from infra.local import apt, paths, ports, provision
from infra.local.processes import PROCESSES, open_ports
from infra.local.servers import Instance

MEMORY_GB, DISK_GB = 2, 5
GIGABYTE = 1024**3
ZONE = Path("/usr/share/zoneinfo/Asia/Ho_Chi_Minh")  # PostgreSQL reads the system's zone files


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `advice` says how to mend it; "warn" is worth knowing, "bad" stops a start."""

    subject: str
    verdict: Literal["good", "warn", "bad"]
    found: str
    advice: str = ""


def examine(instance: Instance) -> list[Finding]:
    """Look at everything that a start needs."""
    checks: tuple[Callable[[Instance], list[Finding]], ...] = (
        _python,
        _machine,
        _time_zones,
        _bundles,
        _resources,
        _ports,
        _permissions,
    )
    return [finding for check in checks for finding in check(instance)]


def _python(_: Instance) -> list[Finding]:
    version = platform.python_version()
    new_enough = sys.version_info >= (3, 11)
    own = Path(sys.prefix) == paths.CHECKOUT / ".venv"
    return [
        Finding(
            "python", "good" if new_enough else "bad", f"{version} in {sys.prefix}", "install Python 3.11 or newer"
        ),
        Finding("environment", "good" if own else "warn", sys.prefix, "start by ./ioc to use the checkout's own .venv"),
    ]


def _machine(_: Instance) -> list[Finding]:
    machine = platform.machine()
    known = machine in ("x86_64", "aarch64")
    findings = [
        Finding("architecture", "good" if known else "warn", machine, "servers are fetched for amd64 and arm64 only")
    ]
    try:
        family, suite = apt.distribution()
        sources = apt.archive_sources(apt.machine_sources(), family, suite, suite)
        advice = f"add the archive of {family} {suite} to the apt sources, or install the servers yourself"
        return [*findings, Finding("apt", "good" if sources else "warn", f"{family} {suite}", advice)]
    except paths.SetupError as problem:
        return [*findings, Finding("apt", "warn", str(problem), "install the servers yourself; nothing can be fetched")]


def _time_zones(_: Instance) -> list[Finding]:
    known = ZONE.exists()
    found = str(ZONE) if known else "no zone files"
    advice = "apt install tzdata, or the database knows no local time zone by name"
    return [Finding("time zones", "good" if known else "warn", found, advice)]


def _bundles(instance: Instance) -> list[Finding]:
    return [_bundle(instance, bundle) for bundle in provision.BUNDLES]


def _bundle(instance: Instance, bundle: provision.Bundle) -> Finding:
    if found := provision.locate(instance.runtime, bundle):
        return Finding(bundle.name, "good", str(next(iter(found.values())).parent))
    if bundle.packages and shutil.which("apt-get") and shutil.which("dpkg-deb"):
        return Finding(bundle.name, "warn", "not here yet", "fetched by apt into a private folder at the first start")
    advice = provision.ADVICE.get(bundle.name, "remove .venv and run ./ioc again")
    return Finding(bundle.name, "warn" if bundle.optional else "bad", "not found", advice)


def require_room(instance: Instance) -> None:
    """`SetupError` where a first start would fill the disk: better told before than half way."""
    existing, disk = _free(instance)
    if disk < DISK_GB and not (instance.data / "timescaledb").exists():
        raise paths.SetupError(
            f"{disk:.1f} GB free in {existing}, a first start needs {DISK_GB} GB: make room, or set IOC_HOME to a "
            "folder on another disk"
        )


def _free(instance: Instance) -> tuple[Path, float]:
    """The nearest folder that exists, and how many GB its disk has free."""
    existing = next(folder for folder in (instance.data, *instance.data.parents) if folder.exists())
    return existing, shutil.disk_usage(existing).free / GIGABYTE


def _resources(instance: Instance) -> list[Finding]:
    existing, disk = _free(instance)
    memory = _available_memory() / GIGABYTE
    return [
        Finding(
            "memory",
            "good" if memory >= MEMORY_GB else "warn",
            f"{memory:.1f} GB available",
            f"{MEMORY_GB} GB serve well",
        ),
        Finding(
            "disk",
            "good" if disk >= DISK_GB else "warn",
            f"{disk:.1f} GB free in {existing}",
            f"leave {DISK_GB} GB free",
        ),
    ]


def _available_memory() -> int:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))


def _ports(instance: Instance) -> list[Finding]:
    idle = {process.name for process in PROCESSES} - {state.name for state in instance.processes() if state.pid}
    wanted = {name: instance.ports[name] for row in PROCESSES if row.name in idle for name in open_ports(row)}
    taken = [f"{port} ({name})" for name, port in wanted.items() if not ports.is_free(port)]
    found = ", ".join(taken) + " taken by other programs" if taken else "all free or ours"
    return [Finding("ports", "warn" if taken else "good", found, "a start takes free ones instead and says which")]


def _permissions(instance: Instance) -> list[Finding]:
    existing = next(folder for folder in (instance.data, *instance.data.parents) if folder.exists())
    account = paths.run_as()
    findings = []
    if not os.access(existing, os.W_OK | os.X_OK):
        findings.append(Finding("data", "bad", f"{existing} can't be written", "set IOC_HOME to a folder of yours"))
    if not paths.can_reach(existing, account):
        advice = "set IOC_HOME to a folder outside private homes, or IOC_RUN_AS to an account that may enter it"
        findings.append(Finding("data", "bad", f"{existing} is closed to {account.pw_name}", advice))
    return findings or [Finding("data", "good", f"{instance.data}, the database as {account.pw_name}")]
