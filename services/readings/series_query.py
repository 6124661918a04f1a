"""Which series a figure counts, and the points behind what was last reported."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg.sql import SQL, Composable, Composed, Placeholder

from schemas.indicators.formula import Where
from services.readings.period import last_midnight

BEGINNING = datetime(1999, 12, 31, 17, tzinfo=UTC)
"""A local midnight before every event."""


@dataclass(frozen=True)
class Selection:
    """Which series: a measure in some units (None: all), whose labels have one of the given values."""

    measure: str
    units: frozenset[str] | None
    where: Where

    def condition(self, prefix: str = "") -> tuple[Composed, dict[str, Any]]:
        """The condition on table `series` (alias s), and its parameters; `prefix` tells those of several apart."""
        parts: list[Composable] = [SQL("s.measure = {}").format(Placeholder(f"{prefix}measure"))]
        values: dict[str, Any] = {"measure": self.measure}
        if self.units is not None:
            parts.append(SQL("s.unit = ANY({})").format(Placeholder(f"{prefix}units")))
            values["units"] = sorted(self.units)
        for i, (label, allowed) in enumerate(sorted(self.where.items())):
            names = (Placeholder(f"{prefix}{kind}{i}") for kind in "lv")
            parts.append(SQL("s.labels ->> {} = ANY({})").format(*names))
            values |= {f"l{i}": label, f"v{i}": list(allowed)}
        return SQL(" AND ").join(parts), {prefix + name: value for name, value in values.items()}


def latest_keys(what: Selection, start: datetime, stop: datetime, prefix: str) -> tuple[Composable, dict[str, Any]]:
    """The query for the keys of the points of each series' last day in [start, stop), and its parameters; `prefix` as
    in `condition`."""
    parts, values = _last_days(what, start, stop, prefix)
    return _LATEST_KEYS.format(stop=Placeholder(f"{prefix}stop"), **parts), values


def _last_days(
    what: Selection, start: datetime, stop: datetime, prefix: str = ""
) -> tuple[dict[str, Composable], dict[str, Any]]:
    """The condition on the series and their last days, as parts of a query, and its parameters."""
    condition, values = what.condition(prefix)
    bounds = {"start": start, "stop": stop, "today": max(start, last_midnight(stop))}
    last_day = _LAST_DAY.format(**{name: Placeholder(prefix + name) for name in bounds})
    return {"condition": condition, "last_day": last_day}, values | {prefix + name: at for name, at in bounds.items()}


# Of each series s the last day with points, with their sum and number.
_LAST_DAY = SQL("""LATERAL (
    (SELECT r.bucket AS day, r.sum, r.count FROM rollup_day r
     WHERE r.series = s.id AND r.bucket >= {start} AND r.bucket < {today} ORDER BY r.bucket DESC LIMIT 1)
    UNION ALL (SELECT {today}, sum(p.value), count(*) FROM point p
     WHERE p.series = s.id AND p.time >= {today} AND p.time < {stop} HAVING count(*) > 0)
    ORDER BY day DESC LIMIT 1) x""")
# Series by series, whatever the statistics say of all points.
_LATEST_KEYS = SQL("""
SELECT found.key FROM series s, {last_day}, LATERAL (
    SELECT p.key FROM point p WHERE p.series = s.id
        AND p.time >= x.day AND p.time < least(x.day + interval '1 day', {stop}) OFFSET 0) found
WHERE {condition}
""")
