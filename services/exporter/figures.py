"""The catalogue's figures as samples: for the whole locality, for each unit, and by class where boards show classes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from psycopg import Connection

from schemas.indicators import CATALOGUE, CHECKS, Indicator
from schemas.indicators.metric import ALL, class_metric, metric, periods, scale
from services.exporter.snapshot import Samples
from services.readings import Reading, findings, noted, read
from services.readings.findings import NOTICED
from services.readings.memo import memoised
from services.readings.period import window

OTHER_CHECKS = ("contradiction", "unread_statistic", "unread_target", *noted.CHECKS, *NOTICED)
"""What `readings.findings` looks for besides the catalogue's checks."""


def figures(conn: Connection, now: datetime) -> Samples:
    """Every indicator in each of its periods. What has no value has no sample."""
    samples: Samples = {}
    conn = memoised(conn)
    for indicator in CATALOGUE.values():
        for name in periods(indicator):
            period = window(name, now)
            rows = samples.setdefault(metric(indicator), {})
            rows |= _rows(indicator, name, read(conn, indicator, None, period), ALL)
            rows |= _rows(indicator, name, read(conn, indicator, None, period, "unit"))
            if indicator.classes:
                by_class = read(conn, indicator, None, period, indicator.classes)
                samples.setdefault(class_metric(indicator), {}).update(_rows(indicator, name, by_class))
    return samples


def _rows(
    indicator: Indicator, period: str, readings: Iterable[Reading], name: str = ""
) -> dict[tuple[str, ...], float]:
    present = ((name or r.group, r.value) for r in readings)
    return {(group, period): float(value * scale(indicator)) for group, value in present if value is not None}


def disagreements(conn: Connection, now: datetime) -> Samples:
    """How many findings there are of each check, 0 where it found none."""
    found: dict[tuple[str, ...], float] = {(code,): 0.0 for code in (*(check.code for check in CHECKS), *OTHER_CHECKS)}
    for finding in findings(conn, now):
        found[finding.code,] += 1
    (grave,) = conn.execute(_GRAVE).fetchall()[0]
    return {"ioc_findings": found, "ioc_findings_critical": {(): float(grave)}}


_GRAVE = "SELECT count(*) FROM finding WHERE severity = 'critical' AND gone_at IS NULL AND resolved_at IS NULL"
"""As the board keeps them."""
