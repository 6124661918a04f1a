"""`ioc bench reports`: reports of a month and of a year of a province, made as the board has them made, and written."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from bench import load_data, query, scale_data
from bench.centre import Say
from bench.options import Options
from bench.result import Row
from bench.scale_data import Copy
from infra.local.paths import CHECKOUT
from infra.local.servers import Instance
from services.centre.prepare import settings_of
from services.kit import store
from services.reports.content import REPORT
from services.reports.formats import write

DOSSIERS, MONTHS, PARTS = 700_000, 12, 10
"""Dossiers of a year; of each month a tenth is folded, or all where that is little, and copied."""
PUBLISHED = 57_000
"""Dossiers of the published month."""
WEEKS, LATER = 9, 28
"""By how much the published month is moved, and by how many days each next month of the year lies later."""
YEAR, MONTH = (date(2025, 1, 1), date(2025, 12, 31)), (date(2025, 3, 1), date(2025, 3, 31))
WRITTEN = ("docx", "xlsx")

ROWS = (
    Row("dossiers", "dossiers of a year", "dossiers"),
    Row("month_s", "report of a month", "s", at_most=10),
    Row("year_s", "report of the year", "s", at_most=60),
    Row("month_mib", "memory for the month's, highest", "MiB", at_most=500),
    Row("year_mib", "memory for the year's, highest", "MiB", at_most=500),
    Row("docx_s", "the year's written as DOCX", "s"),
    Row("xlsx_s", "the year's written as XLSX", "s"),
)


def run(instance: Instance, options: Options, say: Say) -> dict[str, Any]:
    """Seconds and memory of each report."""
    dossiers = options.count(DOSSIERS, 12_000)
    parts = PARTS if dossiers >= 10 * PUBLISHED else 1
    month = load_data.published(WEEKS, share=dossiers / MONTHS / parts / PUBLISHED, system="procedures")
    say(f"folding {len(month):,} events")
    asyncio.run(query.fold(instance, month))
    say("copying them over the year")
    with scale_data.hurried(instance) as conn:
        scale_data.keep_base(conn)
        scale_data.scale(conn, [Copy(n, LATER * (n % MONTHS), SAME) for n in range(1, MONTHS * parts)])
    with store.connect(settings_of(instance, "cli"), "reader") as conn:
        ((count,),) = conn.execute("SELECT count(*) FROM entity WHERE kind = 'dossier'").fetchall()
    figures: dict[str, Any] = {"dossiers": count}
    for name, days in (("month", MONTH), ("year", YEAR)):
        say(f"the report of a {name}")
        made, figures[f"{name}_s"], figures[f"{name}_mib"] = _made(instance, days)
    report = REPORT.validate_python(made["report"])
    for form in WRITTEN:
        began = time.perf_counter()
        write(report, form, Path)
        figures[f"{form}_s"] = round(time.perf_counter() - began, 2)
    return figures | {"tables": [table.code for table in report.tables]}


SAME = {unit: unit for unit in query.UNITS}


def _made(instance: Instance, days: Sequence[date]) -> tuple[dict[str, Any], float, float]:
    """What the process of reports answers, how long it took from its start to its end, and the memory that it had at
    most."""
    first, last = days
    asked = {"make": {"unit": None, "first": f"{first}", "last": f"{last}", "number": "", "form": ""}}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "services.reports"], cwd=CHECKOUT, env=os.environ | instance.env("board"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin and process.stdout
    with process.stdin, process.stdout:
        process.stdin.write(json.dumps(asked).encode())
        process.stdin.close()
        said: dict[str, Any] = json.loads(process.stdout.read())
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"no report was made: {said.get('problem')}")
    return said, round(time.perf_counter() - began, 2), round(usage.ru_maxrss / 1024, 1)
