"""What the browser tests have happen in the centre while a page is open, and how they go through it by keyboard."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Page

from infra.local.paths import CHECKOUT
from infra.local.servers import Instance


def count(text: str) -> int:
    """`1.234` -> 1234."""
    return int(re.sub(r"\D", "", text))


def vietnamese(number: int) -> str:
    """1234 -> `1.234`."""
    return f"{number:,}".replace(",", ".")


def emit_report(centre: Instance, unit: str = "phuong_chon_thanh", late: timedelta = timedelta()) -> float:
    """Have `ioc emit` send a citizen's report; returns when it was acknowledged, in ms of the clock."""
    return emit(centre, "report.received", unit, late=late, channel="app", category="road", priority="normal")


def emit(
    centre: Instance, kind: str, unit: str, key: str = "code", late: timedelta = timedelta(), **data: str
) -> float:
    """Have `ioc emit` send an event of now, or so `late` one, about a new case, which its `key` names; returns when it
    was acknowledged, in ms of the clock."""
    code = f"PA-{time.time_ns()}"
    head = {"specversion": "1.0", "id": code, "source": "/test/browser", "type": f"vn.ioc.{kind}.v1", "unit": unit}
    return emit_all(centre, {**head, "time": (datetime.now(UTC) - late).isoformat(), "data": {key: code, **data}})


def emit_all(centre: Instance, *events: dict[str, Any]) -> float:
    """Have `ioc emit` send events; returns when they were acknowledged, in ms of the clock."""
    env = {**os.environ, "IOC_HOME": str(centre.data.parent), "IOC_INSTANCE": centre.data.name}
    command = [sys.executable, "-m", "services.cli", "emit"]
    with subprocess.Popen(
        command, env=env, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdin and run.stdout
        run.stdin.writelines(json.dumps(event) + "\n" for event in events)
        run.stdin.close()
        assert run.stdout.readline() == f"read {len(events)}, sent {len(events)}, rejected 0\n"
        return time.time() * 1000


def tab_to(page: Page, selector: str, most: int = 120) -> None:
    """Press Tab until it has the focus, which must be seen at each step."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            break
    assert page.evaluate("s => document.activeElement.matches(s)", selector), "Tab does not lead there"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
