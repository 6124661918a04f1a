"""`ioc bench reports`: reports of a month and of a year of a province, made as the board has them made, and written;
then index 766 of its communes, and what the end of a thousand dossiers would bring."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psycopg

from bench import load_data, query, scale_data
from bench.centre import Say
from bench.options import Options
from bench.result import Row
from bench.scale_data import Copy
from infra.local.paths import CHECKOUT
from infra.local.servers import Instance
from schemas import units
from schemas.calendar import VN
from services.centre.prepare import settings_of
from services.kit import store
from services.readings import Period
from services.readings.index766 import unit_indices
from services.readings.whatif import closing, until, what_if
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
LIVE = Period(date(2026, 3, 1), date(2026, 3, 28), datetime(2026, 3, 28, 22, tzinfo=VN))
"""A month so far, to the last of what is stored, of the communes that there are since July 2025."""
MONDAY = date(2026, 3, 30)
"""When the dossiers of a what-if would end."""
COPIES, AFTER = 4, 15
"""So many copies at least give each commune some dossiers; they lie so many times `LATER` days after the base."""
ENDS = 1000
"""Dossiers of a what-if."""

ROWS = (
    Row("dossiers", "dossiers of a year", "dossiers"),
    Row("month_s", "report of a month", "s", at_most=10),
    Row("year_s", "report of the year", "s", at_most=60),
    Row("month_mib", "memory for the month's, highest", "MiB", at_most=500),
    Row("year_mib", "memory for the year's, highest", "MiB", at_most=500),
    Row("docx_s", "the year's written as DOCX", "s"),
    Row("xlsx_s", "the year's written as XLSX", "s"),
    Row("units", "units that have index 766", "units"),
    Row("index_ms", "index 766 of all of them, the month so far, p50", "ms", at_most=300),
    Row("ends", "dossiers of a what-if", "dossiers"),
    Row("what_if_s", "what their ends would bring, p50", "s", at_most=1),
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
    say("index 766")
    with scale_data.hurried(instance) as conn:
        scale_data.scale(conn, _of_communes(conn, MONTHS * parts, max(parts, COPIES)))
    with store.connect(settings_of(instance, "cli"), "reader") as conn:
        figures |= _index(conn, options.rounds(20))
    return figures | {"tables": [table.code for table in report.tables]}


def _of_communes(conn: psycopg.Connection, first: int, count: int) -> list[Copy]:
    """Copies of the base by which each commune of today has the dossiers of some units."""
    here = [unit for (unit,) in conn.execute("SELECT DISTINCT unit FROM base_event ORDER BY 1").fetchall()]
    communes = [u.code for u in units.at(LIVE.last) if u.parent == "dong_nai" and u.level in ("ward", "commune")]
    heirs = [communes[n % len(communes)] for n in range(count * len(here))]
    return [Copy(first + n, AFTER * LATER, dict(zip(here, heirs[n * len(here) :], strict=False))) for n in range(count)]


def _index(conn: psycopg.Connection, rounds: int) -> dict[str, Any]:
    """How long the index of all units takes, and a what-if of the dossiers that were opened last."""
    codes = [code for (code,) in conn.execute(_OPEN, (ENDS,)).fetchall()]
    ends, month = dict.fromkeys(codes, closing(MONDAY)), until(date(2026, 3, 31))
    return {
        "units": len(unit_indices(conn, "portal", "dong_nai", LIVE)),
        "index_ms": query.timing(lambda: unit_indices(conn, "portal", "dong_nai", LIVE), rounds)["p50"],
        "ends": len(ends),
        "what_if_s": query.timing(lambda: what_if(conn, "portal", None, ends, month), rounds)["p50"] / 1000,
    }


_OPEN = """
SELECT id FROM entity WHERE kind = 'dossier' AND ended_at IS NULL AND opened_at IS NOT NULL
ORDER BY opened_at DESC LIMIT %s
"""
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
