"""`ioc bench nation`: a year of a whole country's dossiers on one machine, figures by commune.

3,321 communes in 34 provinces, as there are since July 2025, with made-up names; a hundredth of about 50 million
dossiers a year. The published month's dossiers are spread over a year and copied from commune to commune.
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from bench import load_data, query, scale_data
from bench.centre import Say
from bench.options import Options
from bench.result import Row
from bench.scale_data import Copy
from infra.local.servers import Instance
from infra.timescaledb import units as unit_tables
from schemas import units
from schemas.indicators import CATALOGUE
from services.centre.prepare import settings_of
from services.kit import store
from services.readings import Period, read

PROVINCES, COMMUNES, EVENTS = 34, 3321, 2_500_000
MONTHS = 12
WEEKS, FIRST = 36, date(2024, 11, 1) + timedelta(weeks=36)
"""By how much the published month is moved, and the day on which it then begins."""
MONTH = Period(date(2026, 3, 1), date(2026, 3, 31), query.YEAR.as_of)
COLUMNS = ("code", "level", "name_vi", "name_en", "parent", "valid_from", "valid_to", "successors", "spellings")

ROWS = (
    Row("communes", "communes", ""),
    Row("dossiers", "dossiers of a year", "dossiers"),
    Row("events", "events", "events"),
    Row("series", "series", "series"),
    Row("share_month", "share by commune of a month, p50", "ms", at_most=60),
    Row("share_year", "share by commune of a year, p50", "ms", at_most=120),
    Row("p50", "headline figures by commune, p50", "ms"),
    Row("p95", "headline figures by commune, p95", "ms", at_most=100),
    Row("bytes_per_event", "disk for each event, all tables and indexes", "bytes"),
    Row("gib", "disk for the year", "GiB"),
)


def run(instance: Instance, options: Options, say: Say) -> dict[str, Any]:
    """Times in ms, and what the tables take."""
    communes = _communes(units.add(table(PROVINCES, COMMUNES).splitlines()))
    unit_tables.fill(settings_of(instance, "cli").database("owner"))
    base = options.count(EVENTS, 100_000) // -(-COMMUNES // 27)
    month = load_data.published(WEEKS, share=base / load_data.SCENARIO.count_estimate(), system="procedures")
    say(f"folding {len(month):,} events")
    asyncio.run(query.fold(instance, month))
    say(f"spreading and copying them over {COMMUNES:,} communes")
    with scale_data.hurried(instance) as conn:
        scale_data.keep_base(conn)
        scale_data.stretch(conn, MONTHS, FIRST)
        here = [unit for (unit,) in conn.execute("SELECT DISTINCT unit FROM base_event ORDER BY 1").fetchall()]
        scale_data.scale(conn, _copies(here, communes))
    with store.connect(settings_of(instance, "cli"), "reader") as conn:
        timed = query.headlines(conn, ("unit",), options.rounds(40))
        share = CATALOGUE["overdue_share"]
        timed["month"] = query.timing(lambda: read(conn, share, None, MONTH, "unit"), options.rounds(40))
        taken = scale_data.sizes(conn)
        counts = conn.execute(_COUNTS).fetchone() or (0, 0, 0)
    return _figures(timed, taken, counts)


def table(provinces: int, communes: int) -> str:
    """A table of units in the form of `units.csv`: communes in turn to each province, the names made up."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for p in range(provinces):
        rows.writerow((f"p{p:02}", "province", f"Tỉnh {p:02}", f"Province {p:02}", "", "2025-07-01", "", "", ""))
    for c in range(communes):
        names = (f"Xã {c:04}", f"Commune {c:04}", f"p{c % provinces:02}")
        rows.writerow((f"c{c:04}", "commune", *names, "2025-07-01", "", "", ""))
    return text.getvalue()


def _communes(added: Sequence[units.Unit]) -> list[str]:
    return [unit.code for unit in added if unit.level == "commune"]


def _copies(here: Sequence[str], communes: Sequence[str]) -> list[Copy]:
    """As many copies as it takes to give every commune the dossiers of one unit."""
    count = -(-len(communes) // len(here))
    heirs = [communes[i % len(communes)] for i in range(count * len(here))]
    return [Copy(n + 1, 0, dict(zip(here, heirs[n * len(here) :], strict=False))) for n in range(count)]


def _figures(timed: dict[str, Any], taken: dict[str, int], counts: tuple[int, ...]) -> dict[str, Any]:
    events, dossiers, series = counts
    return {
        "communes": COMMUNES,
        "dossiers": dossiers,
        "events": events,
        "series": series,
        "share_month": timed.pop("month")["p50"],
        "share_year": timed["overdue_share by unit"]["p50"],
        "p50": query.worst(timed, "p50"),
        "p95": query.worst(timed, "p95"),
        "bytes_per_event": round(sum(taken.values()) / events),
        "gib": round(sum(taken.values()) / 2**30, 2),
        "figures": timed,
        "bytes": taken,
    }


_COUNTS = """
SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM entity WHERE kind = 'dossier'), (SELECT count(*) FROM series)
"""
