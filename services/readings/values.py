"""Readings as JSON values, for commands and the API alike; numbers are text, so that none of their digits is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from schemas.calendar import local_day
from schemas.index766.scoring import ComponentScore
from schemas.text.numbers import plain
from services.readings.explain import Explanation
from services.readings.finding import Finding
from services.readings.forecast import METHOD, Forecast
from services.readings.period import Period
from services.readings.read import Reading
from services.readings.whatif import Shortest, WhatIf


def reading_values(r: Reading, by: str | None) -> dict[str, Any]:
    """A reading as JSON values."""
    return {
        "indicator": r.indicator.code,
        **({by: r.group} if by else {}),
        "value": None if r.printed is None else str(r.printed),
        "measured_in": r.indicator.unit,
        "exact": None if r.value is None else plain(r.value),
        "reason": r.reason,
        "target": None if r.target is None else str(r.target),
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
    values = _values(f, besides=("handling",)) | {"missing": str(f.missing), "severity": f.severity}
    return {**values, "from": values.pop("first"), "to": values.pop("last"), **_values(f.handling)}


def what_if_values(w: WhatIf) -> dict[str, Any]:
    """The index after dossiers end beside that if nobody acts, as JSON values, with the dossiers."""
    return {**_gain_values(w), "dossiers": list(dossier_rows(w))}


def _gain_values(w: WhatIf) -> dict[str, Any]:
    before, after = w.before.score, w.after.score
    moved = [
        {"metric": b.component.metric, "numerator": [_count(b, "numerator"), _count(a, "numerator")],
         "denominator": [_count(b, "denominator"), _count(a, "denominator")], "points": [str(b.points), str(a.points)]}
        for b, a in zip(before.components, after.components, strict=True) if b.count != a.count
    ]  # fmt: skip
    return {
        "unit": w.before.unit or None,
        "from": w.period.first.isoformat(),
        "to": w.period.last.isoformat(),
        "rules": before.rules.code,
        "before": str(before.points),
        "after": str(after.points),
        "gain": str(w.gain),
        "given_maximum": str(before.scored),
        "missing": list(before.missing),
        "components": moved,
    }


def _count(score: ComponentScore, name: str) -> str | None:
    return None if score.count is None else str(getattr(score.count, name))


def shortest_values(s: Shortest) -> dict[str, Any]:
    """The shortest list of dossiers of a unit, as JSON values."""
    enough = {str(points): number for points, number in s.enough.items()}
    return {**_gain_values(s.what_if), "enough": enough, "dossiers": list(dossier_rows(s.what_if, s.gained))}


def dossier_rows(w: WhatIf, gained: Iterable[Decimal] = ()) -> Iterator[dict[str, Any]]:
    """A row for each dossier that ends, with the points `gained` up to it where they are told."""
    points = [*map(str, gained)] or [""] * len(w.ended)
    for place, (one, gain) in enumerate(zip(w.ended, points, strict=True), 1):
        yield {
            "unit": one.dossier.unit,
            "place": place,
            "dossier": one.dossier.id,
            "day": local_day(one.at).isoformat(),
            "due": one.dossier.due.isoformat() if one.dossier.due else "",
            "gained": gain,
            "moves": ";".join(sorted(one.moves)),
        }


def forecast_values(f: Forecast) -> dict[str, Any]:
    """Where the month will end, and how wrong the same was before, as JSON values."""
    points = {name: _text(getattr(f, name)) for name in ("now", "maximum", "expected", "low", "high")}
    past = [{"month": f"{m.month:%Y-%m}", **{name: _text(getattr(m, name)) for name in _OF_MONTH}} for m in f.past]
    return {"month": f"{f.period.first:%Y-%m}", "as_of": f.period.as_of.isoformat(), "method": METHOD, **points,
            "past": past}  # fmt: skip


_OF_MONTH = ("so_far", "final", "forecast", "error")


def _text(points: Decimal | None) -> str | None:
    return None if points is None else str(points)


def _values(thing: Any, besides: Sequence[str] = ()) -> dict[str, Any]:
    return {name: _value(value) for name, value in vars(thing).items() if name not in besides}


def _value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, frozenset):
        return sorted(value)
    return value.isoformat() if hasattr(value, "isoformat") else list(value) if isinstance(value, tuple) else value
