"""A run that is ended, even killed, leaves no process and no folder behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from reaper import running

RUN = """
import signal, subprocess, sys, time
from pathlib import Path
from reaper import reaping
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background process is born without
folder = Path(sys.argv[1])
with reaping(folder):
    asleep = [sys.executable, "-c", "import time; time.sleep(600)"]
    subprocess.Popen([*asleep, str(folder / "server")], start_new_session=True)
    subprocess.Popen(asleep, start_new_session=True, env={"IOC_HOME": str(folder)})
    print("started", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_nothing(number: signal.Signals, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen([sys.executable, "-c", RUN, str(folder)], stdout=subprocess.PIPE, env=env) as run:
        assert run.stdout and run.stdout.readline() == b"started\n"
        assert len(running(folder)) >= 4
        run.send_signal(number)
    end = time.monotonic() + 60
    while running(folder) or folder.exists():
        assert time.monotonic() < end, running(folder)
        time.sleep(0.1)
