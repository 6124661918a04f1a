"""What runs takes over what has changed since it was started: its configuration, its code, the operator's settings.

A server reads its configuration again where it can; where it cannot, and for services, the supervisor is given another
line for the process, which it compares with the one that runs.
"""

import hashlib
import json
import os
import signal
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import psycopg

from infra.local.paths import CHECKOUT
from infra.local.ports import LOOPBACK
from infra.loopback import DIRECT

CODE = ("schemas", "services", "infra", "requirements.txt", "pyproject.toml")
"""What a service is made of: below the checkout."""
OF_THE_COMMAND = ("IOC_HOME", "IOC_INSTANCE", "IOC_PYTHON", "IOC_RUN_AS")
"""Variables that speak to the `ioc` command and its servers, not to services."""
PATIENCE = 10.0
"""Seconds for a server to take its configuration over."""


@cache
def code() -> str:
    """A digest of the code and the Python that services are started with."""
    roots = (CHECKOUT / name for name in CODE)
    files = sorted(file for root in roots for file in ([root] if root.is_file() else root.rglob("*")))
    return digest((file for file in files if "__pycache__" not in file.parts), sys.version)


def digest(files: Iterable[Path], more: str = "") -> str:
    """A digest of the files' names and contents; one that is missing counts as such."""
    found = hashlib.sha256(more.encode())
    for file in files:
        if file.is_file():
            found.update(f"{file} {file.stat().st_size} ".encode() + file.read_bytes())
    return found.hexdigest()[:16]


def settings() -> dict[str, str]:
    """The operator's settings for services, as this command was given them."""
    return {name: value for name, value in os.environ.items() if name.startswith("IOC_") and name not in OF_THE_COMMAND}


def broker(pid: int, monitor: int) -> bool:
    """Have the broker read its configuration again; False: it refused, as it does where only a start can change it."""
    before = _loaded(monitor)
    os.kill(pid, signal.SIGHUP)
    return any(_loaded(monitor) != before for _ in _moments())


def database(superuser: str) -> bool:
    """Have a database server read its configuration again; False: part of it waits for a start."""
    with psycopg.connect(superuser, autocommit=True, connect_timeout=int(PATIENCE)) as conn:
        before = conn.execute("SELECT pg_conf_load_time(), pg_reload_conf()").fetchone()
        for _ in _moments():
            row = conn.execute(_AFTER_RELOAD).fetchone()
            if row and before and row[0] > before[0]:
                return not row[1]
    return False


def monitoring(pid: int) -> bool:
    """Have Prometheus or its alert manager read configuration and rules again, which they can in every case."""
    os.kill(pid, signal.SIGHUP)
    return True


_AFTER_RELOAD = "SELECT pg_conf_load_time(), EXISTS (SELECT FROM pg_settings WHERE pending_restart)"


def _loaded(monitor: int) -> str:
    """When the broker last took its configuration over."""
    with DIRECT.open(urllib.request.Request(f"http://{LOOPBACK}:{monitor}/varz"), timeout=PATIENCE) as response:
        return str(json.load(response).get("config_load_time"))


def _moments() -> Iterator[None]:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        yield
        time.sleep(0.05)
