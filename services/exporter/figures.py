"""The catalogue's figures as samples: for the whole locality, for each unit, and by class where boards show classes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from psycopg import Connection

from schemas.indicators import CATALOGUE, Indicator
from schemas.indicators.metric import ALL, TARGET, class_metric, metric, periods, scale
from services.exporter.snapshot import Samples
from services.readings import Reading, findings, sheet
from services.readings.findings import CODES
from services.readings.period import window


def figures(conn: Connection, now: datetime) -> Samples:
    """Every indicator in each of its periods, and the targets. What has no value has no sample."""
    samples: Samples = {}
    for name in sorted({name for indicator in CATALOGUE.values() for name in periods(indicator)}):
        some = [indicator for indicator in CATALOGUE.values() if name in periods(indicator)]
        for by in (None, "unit", *sorted({indicator.classes for indicator in some if indicator.classes})):
            broken_down = [i for i in some if by in (None, "unit", i.classes)]
            named = metric if by in (None, "unit") else class_metric
            for indicator, readings in zip(
                broken_down, sheet(conn, broken_down, None, window(name, now), by), strict=True
            ):
                rows = _rows(indicator, name, readings, "" if by else ALL)
                samples.setdefault(named(indicator), {}).update(rows)
                if by in (None, "unit") and name == periods(indicator)[0]:
                    samples.setdefault(TARGET, {}).update(_targets(indicator, readings))
    return samples


def _targets(indicator: Indicator, readings: Iterable[Reading]) -> dict[tuple[str, ...], float]:
    aims = ((r.group or ALL, r.target) for r in readings)
    return {(indicator.code, unit): float(aim * scale(indicator)) for unit, aim in aims if aim is not None}


def _rows(
    indicator: Indicator, period: str, readings: Iterable[Reading], name: str = ""
) -> dict[tuple[str, ...], float]:
    present = ((name or r.group, r.value) for r in readings)
    return {(group, period): float(value * scale(indicator)) for group, value in present if value is not None}


def disagreements(conn: Connection, now: datetime) -> Samples:
    """How many findings there are of each check, 0 where it found none."""
    found: dict[tuple[str, ...], float] = {(code,): 0.0 for code in CODES}
    every = findings(conn, now)
    for finding in every:
        found[finding.code,] += 1
    grave = sum(f.severity == "critical" and f.handling.resolved_at is None for f in every)
    return {"ioc_findings": found, "ioc_findings_critical": {(): float(grave)}}
