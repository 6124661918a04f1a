"""Readings as JSON values, for commands and the API alike; numbers are text, so that none of their digits is lost."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from schemas.text.numbers import plain
from services.readings.explain import Explanation
from services.readings.finding import Finding
from services.readings.period import Period
from services.readings.read import Reading


def reading_values(r: Reading, by: str | None) -> dict[str, Any]:
    """A reading as JSON values."""
    return {
        "indicator": r.indicator.code,
        **({by: r.group} if by else {}),
        "value": None if r.printed is None else str(r.printed),
        "measured_in": r.indicator.unit,
        "exact": None if r.value is None else plain(r.value),
        "reason": r.reason,
        "target": None if r.indicator.target is None else str(r.indicator.target),
        "met": r.met,
        "origins": sorted(r.origins),
    }


def period_values(period: Period) -> dict[str, str]:
    """A period as JSON values."""
    return {"from": period.first.isoformat(), "to": period.last.isoformat(), "as_of": period.as_of.isoformat()}


def explanation_values(e: Explanation) -> dict[str, Any]:
    """An explanation as JSON values."""
    names = {"vi": e.reading.indicator.vi, "en": e.reading.indicator.en, "unit": e.unit, "formula": e.formula}
    return {
        **reading_values(e.reading, None),
        **names,
        **period_values(e.period),
        "parts": [{**_values(p, besides=("of",)), "formula": p.formula} for p in e.parts],
        "sources": [_values(s) for s in e.sources],
        "events": e.events,
        "history": e.history,
        "sample": [_values(x) for x in e.sample],
    }


def finding_values(f: Finding) -> dict[str, Any]:
    """A finding as JSON values."""
    values = _values(f)
    return {**values, "from": values.pop("first"), "to": values.pop("last"), "missing": str(f.missing)}


def _values(thing: Any, besides: Sequence[str] = ()) -> dict[str, Any]:
    return {name: _value(value) for name, value in vars(thing).items() if name not in besides}


def _value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, frozenset):
        return sorted(value)
    return value.isoformat() if hasattr(value, "isoformat") else list(value) if isinstance(value, tuple) else value
