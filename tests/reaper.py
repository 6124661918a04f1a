"""Ends what a test run left running that was itself ended: started with the run's folder, it waits until its standard
input closes, as it does with whoever holds the other end, however that died."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SECONDS = 30.0
"""For a supervisor to stop its processes; what then still runs is killed."""


@contextmanager
def reaping(folder: Path) -> Iterator[None]:
    """Whatever was started below the folder ends with this process, at the latest."""
    reaper = subprocess.Popen([sys.executable, __file__, str(folder)], stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield
    finally:
        reaper.communicate()


def running(folder: Path) -> list[int]:
    """The processes whose command line or environment names the folder, but for this one."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if pid != os.getpid() and _of(pid, folder)]


def _of(pid: int, folder: Path) -> bool:
    try:
        return any(os.fsencode(folder) in Path(f"/proc/{pid}/{told}").read_bytes() for told in ("cmdline", "environ"))
    except OSError:
        return False


def _named(pid: int) -> str:
    try:
        return f"{pid} {Path(f'/proc/{pid}/cmdline').read_bytes().decode(errors='replace').replace(chr(0), ' ')[:200]}"
    except OSError:
        return f"{pid}, which has just ended"


def reap(folder: Path) -> None:
    """Ask all to end, supervisors among them; kill what does not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in running(folder):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        end = time.monotonic() + SECONDS
        while (left := running(folder)) and time.monotonic() < end:
            time.sleep(0.2)
        for pid in left:
            print(f"still running after {number.name}: {_named(pid)}", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    reap(Path(sys.argv[1]))
