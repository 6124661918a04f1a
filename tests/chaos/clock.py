"""A clock that a test can step under a running process: libfaketime, found on this machine or fetched beside the
servers' programs."""

from __future__ import annotations

import tempfile
from pathlib import Path

from infra.local.apt import Apt, archive_sources, distribution, machine_sources

LIBRARY = "usr/lib/*/faketime/libfaketime.so.1"


def library(runtime: Path) -> Path:
    """The library that shows a process another time. It runs inside the machine's own Python, so it must be of the
    machine's own suite."""
    root = runtime / "faketime"
    if found := next((file for top in (Path("/"), root) for file in sorted(top.glob(LIBRARY))), None):
        return found
    family, suite = distribution()
    with tempfile.TemporaryDirectory(prefix="ioc-apt-") as shelf:
        apt = Apt(Path(shelf), archive_sources(machine_sources(), family, suite, suite))
        apt.update()
        apt.download(["libfaketime"], root)
    return next(root.glob(LIBRARY))


class SteppedClock:
    """The wall clock of the processes started with `variables`; `step` moves it against the true one."""

    def __init__(self, file: Path, runtime: Path) -> None:
        self._file = file
        self.step(0)
        self.variables = {
            "LD_PRELOAD": str(library(runtime)),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            # Pauses and time limits go by the monotonic clock, which no one steps.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def step(self, seconds: int) -> None:
        """From now on the clock is this far ahead of the true one."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}s\n")
        fresh.replace(self._file)
