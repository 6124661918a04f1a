"""A large workbook, and what it takes to read it: a dry run of `ioc import` in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import xlsxwriter

from infra.local.paths import CHECKOUT

FACILITIES = 200
_HEAD = ("Đến ngày", "Đơn vị", "Cơ sở", "Lượt khám", "Lượt khám BHYT", "Giường bệnh", "Giường đang sử dụng")


class DryRun(NamedTuple):
    """What a dry run said and took: `cpu` of a core in seconds, `mib` of memory at its highest."""

    said: str
    seconds: float
    cpu: float
    mib: float


def write(file: Path, rows: int) -> None:
    """The visits of 200 facilities, a row for each on each day; a row gives two events."""
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Khám chữa bệnh"])
        sheet.write_row(1, 0, _HEAD)
        for number in range(rows):
            day = date(2025, 8, 1) + timedelta(days=number // FACILITIES)
            facility = f"Trạm y tế {number % FACILITIES}"
            sheet.write_row(number + 2, 0, [f"{day:%d/%m/%Y}", "Phường Chơn Thành", facility, number % 90, "-", 20, 11])


def dry_run(file: Path, home: Path | None = None) -> DryRun:
    """Read it as `ioc import FILE --dry-run` does. Raises RuntimeError with what that says when it fails."""
    began = time.monotonic()
    command = [sys.executable, "-c", _MEASURED, "import", str(file), "--dry-run"]
    env = os.environ | ({"IOC_HOME": str(home)} if home else {})
    done = subprocess.run(command, cwd=CHECKOUT, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    took = json.loads(done.stderr.splitlines()[-1])
    return DryRun(done.stdout, time.monotonic() - began, **took)


_MEASURED = """
import json, re, sys, time
from pathlib import Path
from services.cli.app import main
main(standalone_mode=False)
# Of this program alone: what rusage tells may be its parent's.
most = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
print(json.dumps({"cpu": time.process_time(), "mib": most}), file=sys.stderr)
"""
