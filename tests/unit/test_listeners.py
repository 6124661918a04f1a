"""Who listens on a port is told by the kernel, also to an account that is not root, and of a process that has ended."""

from __future__ import annotations

import subprocess
import sys

from infra.local.paths import CHECKOUT

NOBODY = 65534
SCRIPT = f"""
import ctypes, os, socket, time
from pathlib import Path
from infra.local.listeners import holds, stranger
if os.geteuid() == 0:
    os.setgroups([]), os.setgid({NOBODY}), os.setuid({NOBODY})
    ctypes.CDLL(None).prctl(4, 1)  # what the kernel shows of a process is its account's again
with socket.create_server(("127.0.0.1", 0)) as ours:
    port, ended = ours.getsockname()[1], os.fork() or os._exit(0)
    while ") Z" not in Path(f"/proc/{{ended}}/stat").read_text():
        time.sleep(0.01)
    print(holds(os.getpid(), port), holds(ended, port), f"(process {{os.getpid()}})" in stranger(ended, port))
"""


def test_a_process_that_has_ended_holds_nothing_though_its_account_does() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=CHECKOUT, capture_output=True, text=True, timeout=30)
    assert done.stdout.split() == ["True", "False", "True"], done.stderr
