"""What the browser tests have happen in the centre while a page is open."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from datetime import UTC, datetime

from infra.local.layout import CHECKOUT
from infra.local.servers import Instance


def count(text: str) -> int:
    """`1.234` -> 1234."""
    return int(re.sub(r"\D", "", text))


def vietnamese(number: int) -> str:
    """1234 -> `1.234`."""
    return f"{number:,}".replace(",", ".")


def emit_report(centre: Instance) -> float:
    """Have `ioc emit` send a citizen's report; returns when it was acknowledged, in ms of the clock."""
    code = f"PA-{time.time_ns()}"
    data = {"code": code, "channel": "app", "category": "road", "priority": "normal"}
    event = {"specversion": "1.0", "id": code, "source": "/test/browser", "type": "vn.ioc.report.received.v1",
             "time": datetime.now(UTC).isoformat(), "unit": "phuong_chon_thanh", "data": data}  # fmt: skip
    env = {**os.environ, "IOC_HOME": str(centre.data.parent), "IOC_INSTANCE": centre.data.name}
    command = [sys.executable, "-m", "services.cli", "emit"]
    with subprocess.Popen(
        command, env=env, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdin and run.stdout
        run.stdin.write(json.dumps(event) + "\n")
        run.stdin.close()
        assert run.stdout.readline() == "read 1, sent 1, of them known already 0, rejected 0\n"
        return time.time() * 1000
