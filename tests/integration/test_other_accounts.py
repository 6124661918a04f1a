"""Commands by an account that the centre does not belong to: each says whose it is, none shows a trace."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.local.paths import CHECKOUT
from infra.local.servers import Instance
from services.centre import trouble

COMMANDS = (
    "query dossiers_received",
    "status --json",
    "logs",
    "doctor",
    "up --detach",
    "backup",
    "emit -",
    "people list",
    "quarantine list",
    "rebuild --check",
    "load november-2024",
)


WITHOUT_ROOTS_RIGHTS = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
"""Root is then an account like others: what another's is closed to it."""


@contextmanager
def closed(folder: Path) -> Iterator[tuple[str, ...]]:
    """The folder is closed to a command that is started by these words."""
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
        try:
            yield WITHOUT_ROOTS_RIGHTS
        finally:
            os.chown(folder, 0, -1)
    else:
        mode = folder.stat().st_mode
        folder.chmod(0)
        try:
            yield ()
        finally:
            folder.chmod(mode)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_by_another_account_says_whose_the_centre_is(centre: Instance, command: str) -> None:
    env = {**os.environ, "IOC_HOME": str(centre.data.parent), "IOC_INSTANCE": centre.data.name}
    with closed(centre.secrets) as start:
        done = subprocess.run(
            [*start, sys.executable, "-m", "services.cli", *command.split()],
            env=env,
            cwd=CHECKOUT,
            input="",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    said = done.stdout + done.stderr
    assert "Traceback" not in (done.stderr if command == "logs" else said)  # a log may tell of a fault that was
    if command not in ("logs", "doctor"):  # these need no password
        assert done.returncode != 0
        assert "closed to" in said, said


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (28, "the disk is full"),
        (122, "the disk is full"),
        (27, "the disk is full"),
        (30, "can only be read"),
        (20, "x/y"),
    ],
)
def test_what_disks_refuse_is_said_with_what_to_do(number: int, words: str) -> None:
    said = trouble.advice(OSError(number, os.strerror(number), "x/y"))
    assert said
    assert words in said
    assert "x/y" in said


def test_what_no_operator_mends_keeps_its_trace() -> None:
    assert trouble.advice(OSError(9, "Bad file descriptor")) is None
