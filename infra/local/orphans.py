"""Finding and ending the processes of one instance that its supervisor no longer holds.

A process is ours when its program's name and the argument with our data folder in it are the table's, and it runs as
one of our accounts: a process id alone may have been given to a stranger since.
"""

import os
import signal
import time
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

PROC = Path("/proc")


def find(command: Iterable[str], data: Path, accounts: Iterable[int]) -> list[int]:
    """The ids of running processes that were started with this command for the data folder `data`."""
    program, *arguments = command
    marks = {argument for argument in arguments if str(data) in argument}
    if not marks:
        return []
    marks |= {module for option, module in pairwise(arguments) if option == "-m"}
    ids = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    return [pid for pid in ids if _matches(pid, _plain(program), marks, set(accounts))]


def _matches(pid: int, program: str, marks: set[str], accounts: set[int]) -> bool:
    # A zombie has no command line, so what only waits to be reaped does not count.
    argv = command_line(pid)
    try:
        named = bool(argv) and _plain(argv[0]) == program and marks <= set(argv)
        return named and (PROC / str(pid)).stat().st_uid in accounts
    except OSError:
        return False


def _plain(program: str) -> str:
    """`.venv/bin/python3.11` -> `python`: an instance may be stopped by another link to the same Python."""
    return Path(program).name.rstrip("0123456789.")


def command_line(pid: int) -> list[str]:
    """The arguments a process was started with; empty when it is gone or a zombie."""
    try:
        return [os.fsdecode(part) for part in (PROC / str(pid) / "cmdline").read_bytes().split(b"\0")[:-1]]
    except OSError:
        return []


def is_alive(pid: int) -> bool:
    """Whether the process runs: exists and is no zombie."""
    return bool(command_line(pid))


def end(pid: int, stop_signal: str, seconds: float) -> None:
    """Ask a process to stop, wait, and kill it when it has not stopped in time."""
    for number, patience in ((signal.Signals[f"SIG{stop_signal}"], seconds), (signal.SIGKILL, 5.0)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        if wait_gone(pid, patience):
            return
    raise TimeoutError(f"process {pid} could not be ended; look at it with `ps -fp {pid}`")


def wait_gone(pid: int, seconds: float) -> bool:
    """Wait for a process to end; whether it did."""
    deadline = time.monotonic() + seconds
    while is_alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
