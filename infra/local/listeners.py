"""Who listens on a port of this machine, as the kernel knows it: an answer alone proves nothing about who gave it."""

import os
import pwd
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache

from infra.local.orphans import PROC, command_line

LISTENING = " 0A "
KEPT_SECONDS = 0.05
"""Who waits for a process asks about each of its ports, and about the supervisor's: they are read once for all."""


def holds(pid: int | None, port: int) -> bool:
    """Whether the process `pid` listens on `port`. Where the kernel does not show another account's sockets to us, that
    account counts for the process; those of our own account it hides while a process ends, which listens no more."""
    sockets = _sockets(port)
    if not pid or not sockets:
        return False
    try:
        return bool(sockets.keys() & set(_inodes(pid)))
    except PermissionError:
        account = _account(pid)
        return account != os.geteuid() and account in sockets.values()
    except OSError:
        return False


def stranger(pid: int | None, port: int) -> str | None:
    """Who listens on `port` instead of the process `pid`, in words; None: nobody does, or it does itself."""
    sockets = _sockets(port)
    return None if not sockets or holds(pid, port) else _named(sockets)


def _named(sockets: Mapping[str, int]) -> str:
    for pid in (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()):
        with suppress(OSError):
            if sockets.keys() & set(_inodes(pid)):
                return f"{' '.join(command_line(pid))[:80] or 'a program'} (process {pid})"
    return f"a program of {_user(next(iter(sockets.values())))}"


def _sockets(port: int) -> Mapping[str, int]:
    """The sockets that listen on a port: inode -> number of the account."""
    return _listening(int(time.monotonic() / KEPT_SECONDS)).get(port, {})


@lru_cache(maxsize=1)
def _listening(_: int) -> Mapping[int, Mapping[str, int]]:
    """Port -> inode -> number of the account. The kernel's tables also name thousands of connections that are over."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            rows = (line.split() for line in (PROC / "net" / table).read_text().splitlines() if LISTENING in line)
            for row in rows:
                found[int(row[1].rpartition(":")[2], 16)][f"socket:[{row[9]}]"] = int(row[7])
    return found


def _inodes(pid: int) -> Iterator[str]:
    for link in (PROC / str(pid) / "fd").iterdir():
        with suppress(FileNotFoundError):
            yield str(link.readlink())


def _account(pid: int) -> int:
    with suppress(OSError):
        return (PROC / str(pid)).stat().st_uid
    return -1


def _user(number: int) -> str:
    try:
        return f"the account {pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"the account {number}"
