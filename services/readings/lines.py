"""Readings as lines of text, for who asks at a terminal; `values` has them for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from schemas import units
from schemas.index766 import words
from schemas.text.dates import day, day_and_time
from schemas.text.numbers import plain
from schemas.text.origins import origins_line
from services.readings.explain import Explanation
from services.readings.finding import Finding, Handling
from services.readings.forecast import METHOD, Forecast
from services.readings.read import Reading
from services.readings.whatif import Shortest, WhatIf


def verdict(r: Reading) -> str:
    """Whether a reading meets its target; nothing where it has none."""
    if r.met is None:
        return ""
    return f"{'✓ đạt' if r.met else '✗ chưa đạt'} ({r.indicator.bound} {r.target})"


def explanation_lines(e: Explanation, bold: Callable[[str], str] = str) -> Iterator[str]:
    """An opened figure, line by line; `bold` marks its name."""
    r, i = e.reading, e.reading.indicator
    yield bold(f"{i.vi} — {i.en}") + f"   [{i.system}/{i.code}]"
    yield f"  value    {f'none: {r.reason}' if r.printed is None else f'{r.printed:,} {i.unit}'}   {verdict(r)}"
    yield f"  unit     {e.unit or 'whole locality'}"
    yield f"  period   {e.period.first} to {e.period.last} (local days), as of {day_and_time(e.period.as_of)}"
    yield f"  formula  {e.formula}"
    for p in e.parts[1:]:
        shown = plain(p.value) if p.value is not None else f"none: {p.reason}"
        yield f"           {'  ' * (p.depth - 1)}{p.role}: {p.formula} = {shown}"
    if unreal := origins_line(r.origins):
        yield f"  {unreal}"
    yield "  sources"
    for s in e.sources:
        freshness = f"last {day_and_time(s.last_time)}, recorded {day_and_time(s.last_recorded)}"
        yield f"    {s.source}  {s.events:,} events, {freshness}"
    moved = " that have ever moved it" if e.history else ""
    yield f"  events   {e.events:,}{moved}{', among them' if e.sample else ''}"
    for x in e.sample:
        yield f"    {day_and_time(x.time)}  {x.unit}  {x.type.removeprefix('vn.ioc.')}  {x.erased or x.id}"


def finding_lines(f: Finding, bold: Callable[[str], str] = str) -> Iterator[str]:
    """A finding with both sides and what to look at; `bold` marks what it is."""
    days = f", {f.first} - {f.last}" if f.first else ""
    yield bold(f"{f.code} ({f.severity}): {_difference(f)}")
    yield f"  {f.vi}"
    yield f"  {f.en}"
    sides = "" if f.events is not None else f": {plain(f.left)} ≠ {plain(f.right)}"
    yield f"  {f.unit or 'toàn địa bàn'}{days}{sides}"
    if f.evidence:
        yield f"  see: {', '.join(f.evidence)}"
    if steps := list(_handled(f.handling)):
        yield f"  {'; '.join(steps)}"


def _handled(h: Handling) -> Iterator[str]:
    for what, at, by in (
        ("seen since", h.first_seen, ""), ("taken", h.taken_at, h.taken_by), ("resolved", h.resolved_at, h.resolved_by)
    ):  # fmt: skip
        if at:
            yield f"{what} {day_and_time(at)}{f' by {by}' if by else ''}"
    if h.note:
        yield h.note


def _difference(f: Finding) -> str:
    if f.events is not None:
        return f"{f.events:,} of {f.what}"
    apart = plain(abs(f.missing))
    if f.code == "contradiction":
        return f"{f.what} stated twice, {apart} apart"
    return f"{apart} {f.what}{'s' * (apart != '1')} {'missing' if f.missing > 0 else 'too many'}"


def what_if_lines(w: WhatIf) -> Iterator[str]:
    """The index after dossiers end beside that if nobody acts, and what moves."""
    score = w.before.score
    yield (
        f"{_name(w)}, {w.period.written}, at its end: {words.known(score)} if nobody acts, "
        f"{w.after.score.points if score.scored else 'nothing'} after {_so_many(len(w.ended))}: {w.gain:+}"
    )
    for before, after in zip(score.components, w.after.score.components, strict=True):
        if before.count and after.count and before.count != after.count:
            yield (
                f"  {before.component.metric}: {before.count.numerator}/{before.count.denominator} → "
                f"{after.count.numerator}/{after.count.denominator}, {before.points} → {after.points}"
            )
    if score.missing:
        yield f"  not known, so in neither: {', '.join(score.missing)}"


def shortest_lines(one: Shortest) -> Iterator[str]:
    """The shortest list of a unit: how many dossiers gain how much, and each with its day."""
    w = one.what_if
    yield f"{_name(w)}, {w.period.written}: {words.known(w.before.score)}"
    for points, number in one.enough.items():
        best = max(one.gained, default=Decimal(0))
        yield f"  +{points}: {_so_many(number) if number else f'not to be had: all of them bring {best:+}'}"
    for place, (ended, gained) in enumerate(zip(w.ended, one.gained, strict=True), 1):
        due = day_and_time(ended.dossier.due) if ended.dossier.due else "no date"
        yield f"  {place:4} {ended.dossier.id}  by {day(ended.at)}  (due {due})  {gained:+}"


def _name(w: WhatIf) -> str:
    return units.on(w.before.unit, w.period.last).name_vi if w.before.unit else "all"


def _so_many(number: int) -> str:
    return f"{number} dossier{'s' * (number != 1)}"


def forecast_lines(f: Forecast) -> Iterator[str]:
    """Where the month will end, and how wrong the same was before."""
    so_far = f"{f'{f.now} of {f.maximum}' if f.maximum else 'nothing'} as of {day_and_time(f.period.as_of)}"
    yield f"{f.period.written}, counted components: {so_far}"
    if f.expected is None:
        yield "no forecast: of no earlier month are the same components known"
    else:
        interval = f"between {f.low} and {f.high}" if f.low is not None else "too few months for a range"
        yield f"at the month's end: {f.expected}, {interval}"
        yield f"method: {METHOD}"
    for m in f.past:
        error = f"forecast {m.forecast}, error {m.error:+}" if m.error is not None else "nothing to forecast from"
        yield f"  {m.month:%m/%Y}: {m.so_far} as far before its end, {m.final} at its end; {error}"
