"""The counts of index 766 that the events give: of a unit, over a period, as of a moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import Connection

from schemas.index766.rules import Component
from schemas.index766.scoring import CountPair
from schemas.indicators import CATALOGUE
from services.readings.period import Period
from services.readings.read import sheet


@dataclass(frozen=True)
class EventCounts:
    """Counts by metric, why there are none of others that events could give, and the origins of the data."""

    counts: Mapping[str, CountPair]
    reasons: Mapping[str, str]
    origins: frozenset[str]


def event_counts(
    conn: Connection, components: Mapping[str, Component], unit: str | None, period: Period
) -> EventCounts:
    """The counts of those components whose two figures events count."""
    counted = {
        m: (c.numerator_indicator, c.denominator_indicator) for m, c in components.items() if c.numerator_indicator
    }
    codes = list(dict.fromkeys(code for pair in counted.values() for code in pair))
    found = sheet(conn, [CATALOGUE[code] for code in codes], unit, period)
    figures = {reading.indicator.code: reading for readings in found for reading in readings}
    counts, reasons = dict[str, CountPair](), dict[str, str]()
    for metric, pair in counted.items():
        numerator, denominator = (figures[code] for code in pair)
        if numerator.value is None or denominator.value is None:
            reasons[metric] = str(denominator.reason or numerator.reason)
        elif min(numerator.value, denominator.value) < 0:
            reasons[metric] = "more was handed on or corrected than came in"
        else:
            counts[metric] = CountPair(numerator.value, denominator.value)
    return EventCounts(counts, reasons, frozenset[str]().union(*(r.origins for r in figures.values())))
