"""The page of data quality: figures that disagree, what was recorded late, ends that were told after the due date."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from psycopg import Connection
from psycopg.errors import QueryCanceled
from psycopg.sql import SQL

from schemas.codes import masked, masked_case
from schemas.text.dates import day_and_time, days
from schemas.text.numbers import exact
from services.board.access import Account
from services.board.pages.figures.said_findings import alike, finding_text
from services.board.pages.quality.finding_rows import NEEDS, Deed
from services.board.ui.labels import event_cell, source_cell
from services.board.ui.live_page import PageContext
from services.board.ui.markup import Html, esc, table, tag
from services.board.ui.page_layout import form
from services.board.ui.redaction import findings_for
from services.board.ui.words import count, unit_name
from services.readings import findings
from services.readings.data_checks import ENDS, LATE
from services.readings.finding import Finding

DAYS = 30
LONGEST = "4s"
FEW = 3
"""More events to look at are shown when they are asked for."""
LAST, ROWS = 30, 200
"""So many of the latest records are shown, and so many rows of counts."""


class Delayed(NamedTuple):
    """Events of a source and unit that were recorded late: how many, and the longest delay."""

    source: str
    unit: str
    number: int
    longest: timedelta


class Record(NamedTuple):
    """An event that was recorded late."""

    source: str
    unit: str
    type: str
    id: str
    time: datetime
    recorded: datetime


class End(NamedTuple):
    """A dossier whose end lies within its time, and was recorded after it."""

    id: str
    unit: str
    ended: datetime
    due: datetime
    recorded: datetime


@dataclass(frozen=True)
class Quality:
    """What is known of the data's quality as of a moment. `late` and `ends` are None where there was too much to count;
    of `last` there are enough for whatever units are looked at."""

    at: datetime
    findings: Sequence[Finding]
    late: Sequence[Delayed] | None
    last: Sequence[Record]
    ends: Sequence[End] | None

    def seen_by(self, account: Account) -> Quality:
        """The part about the account's units."""
        return Quality(
            self.at,
            findings_for(account, self.findings),
            None if self.late is None else [d for d in self.late if account.sees(d.unit)],
            [r for r in self.last if account.sees(r.unit)][:LAST],
            None if self.ends is None else [e for e in self.ends if account.sees(e.unit)],
        )


def look_into(conn: Connection, now: datetime) -> Quality:
    """Read all that the page shows, of all units."""
    found = findings(conn, now)
    values = {"since": now - timedelta(days=DAYS), "now": now, "late": LATE, "last": LAST}
    values["ends"] = list(ENDS)
    try:
        with conn.transaction():
            conn.execute("SELECT set_config('statement_timeout', %s, true)", [LONGEST])
            late = [Delayed(*row) for row in conn.execute(_LATE, values).fetchall()]
            last = [Record(*row) for row in conn.execute(_LAST, values).fetchall()]
            ends = [End(*row) for row in conn.execute(_ENDS, values).fetchall()]
    except QueryCanceled:
        return Quality(now, found, None, (), None)
    return Quality(now, found, late, last, ends)


def panels(context: PageContext, shown: Quality, refused: str = "") -> Html:
    """The page's panels: what does not fit together first, then what was `refused`, and what came late; and of which
    moment they tell."""
    late, ends = shown.late, shown.ends
    return Html(
        tag("p", f"{context.word('quality_as_of')} {day_and_time(shown.at)}", class_="small wide")
        + _panel(context, "quality_findings", len(shown.findings), "", _findings(context, shown.findings))
        + refused
        + _panel(context, "quality_late", None if late is None else sum(d.number for d in late),
                 context.word("quality_late_means").format(DAYS, _hours()), _late(context, late, shown.last))
        + _panel(context, "quality_ends", None if ends is None else len(ends),
                 context.word("quality_ends_means").format(_hours()), _late_ends(context, ends))
    )  # fmt: skip


def _hours() -> int:
    return round(LATE.total_seconds() / 3600)


def _panel(context: PageContext, key: str, found: int | None, means: str, *inside: object) -> Html:
    name = context.word(key).format("?" if found is None else count(found, context.language))
    description = tag("p", means, class_="small") if means else ""
    return tag("section", tag("h2", name), description, *inside, class_="panel wide", aria_label=name, tabindex=0)


def _findings(context: PageContext, found: Sequence[Finding]) -> Html:
    """What two sides say differently in a table; of single events what is said in the same words under one sentence,
    which opens to its units."""
    if not found:
        return tag("p", context.word("no_findings"), class_="none")
    heads = _words(context, "finding unit severity finding_left finding_right finding_apart finding_see finding_state")
    apart = [f for f in found if f.events is None]
    compared = table(heads, (_compared(context, f) for f in apart), (3, 4, 5)) if apart else ""
    return Html(compared + "".join(_alike(context, *each) for each in alike(context, found)))


def _compared(context: PageContext, f: Finding) -> list[object]:
    span = days(f.first, f.last) if f.first and f.last else ""
    return [
        finding_text(context, f),
        Html(esc(unit_name(f.unit, context.language, f.last)) + tag("div", span, class_="small")),
        context.word(f"severity_{f.severity}"),
        *(exact(value, context.language) for value in (f.left, f.right, f.missing)),
        _evidence(context, f),
        _state(context, f),
    ]


def _alike(context: PageContext, said: str, group: Sequence[Finding]) -> Html:
    heads = _words(context, "unit severity number_events finding finding_see finding_state")
    rows = (
        [
            unit_name(f.unit, context.language), context.word(f"severity_{f.severity}"),
            count(f.events or 0, context.language), finding_text(context, f),
            _evidence(context, f), _state(context, f),
        ]
        for f in group
    )  # fmt: skip
    return tag("details", tag("summary", said), table(heads, rows, (2,)), class_="group")


def _evidence(context: PageContext, f: Finding) -> Html:
    """Of what the events are to look at, by how their ids begin; of many, how many, to be opened."""
    begins = dict.fromkeys(map(masked_case, f.evidence))
    if not begins:
        return Html("")
    ids = tag("span", ", ".join(begins), class_="path")
    if len(begins) <= FEW:
        return ids
    return tag("details", tag("summary", context.word("finding_events").format(len(f.evidence))), ids)


def _state(context: PageContext, f: Finding) -> Html:
    """Since when it is seen, who has it, how it was resolved; and what the account may do about it."""
    row = f.handling
    if not row.first_seen:
        return Html("")
    lines = [context.word("finding_seen").format(day_and_time(row.first_seen))]
    if row.taken_by and row.taken_at:
        lines.append(context.word("finding_taken").format(row.taken_by, day_and_time(row.taken_at)))
    if row.resolved_by and row.resolved_at:
        lines.append(context.word("finding_resolved").format(row.resolved_by, day_and_time(row.resolved_at)))
    lines += [row.note] if row.note else []
    said = (tag("div", line, class_="small") for line in lines)
    own = context.account.sees(f.unit) if f.unit else not context.account.units
    own = own and not (row.resolved_at or context.chosen.as_of)
    deeds = (deed for deed in NEEDS if own and context.account.may(NEEDS[deed]))
    return Html("".join([*said, *(_deed(context, f, deed) for deed in deeds)]))


def _deed(context: PageContext, f: Finding, deed: Deed) -> Html:
    """Taking is a press; how it was resolved is said."""
    name = context.word(f"finding_{deed}")
    action, button = f"/quality/findings/{f.key}/{deed}", tag("button", name, class_="plain")
    if deed == "take":
        return Html("") if f.handling.taken_by == context.account.name else form(context, action, button)
    note = tag("input", name="note", required="", maxlength="400", aria_label=context.word("finding_how"),
               placeholder=context.word("finding_how"))  # fmt: skip
    return tag("details", tag("summary", name), form(context, action, note, button))


def _late(context: PageContext, late: Sequence[Delayed] | None, last: Iterable[Record]) -> Html:
    if late is None:
        return tag("p", context.word("quality_too_many"), class_="none")
    if not late:
        return tag("p", context.word("quality_none"), class_="none")
    heads = _words(context, "source unit number_events longest_delay")
    more = len(late) - ROWS
    rest = tag("p", context.word("and_more").format(more), class_="small") if more > 0 else ""
    counts = table(heads, (_delayed(context, d) for d in late[:ROWS]), (2, 3)) + rest
    heads = _words(context, "event unit happened recorded delay id")
    return Html(counts + tag("h3", context.word("last_ones")) + table(heads, (_record(context, r) for r in last), (4,)))


def _delayed(context: PageContext, d: Delayed) -> list[object]:
    number_of = count(d.number, context.language)
    return [
        source_cell(d.source, context.language),
        unit_name(d.unit, context.language),
        number_of,
        delay(context, d.longest),
    ]


def _record(context: PageContext, r: Record) -> list[object]:
    moments = map(day_and_time, (r.time, r.recorded))
    unit, late = unit_name(r.unit, context.language), delay(context, r.recorded - r.time)
    return [event_cell(r.type, context.language), unit, *moments, late, tag("span", masked_case(r.id), class_="path")]


def _late_ends(context: PageContext, ends: Sequence[End] | None) -> Html:
    if not ends:
        return tag("p", context.word("quality_too_many" if ends is None else "quality_none"), class_="none")
    by_unit = Counter(unit_name(e.unit, context.language) for e in ends).most_common()
    counts = table(_words(context, "unit dossiers"), by_unit, (1,))
    heads = _words(context, "dossier unit ended due recorded")
    return Html(counts + tag("h3", context.word("last_ended")) + table(heads, (_end(context, e) for e in ends[:LAST])))


def _end(context: PageContext, e: End) -> list[object]:
    code, moments = tag("span", masked(e.id), class_="path"), map(day_and_time, (e.ended, e.due, e.recorded))
    return [code, unit_name(e.unit, context.language), *moments]


def _words(context: PageContext, names: str) -> list[str]:
    return [context.word(name) for name in names.split()]


def delay(context: PageContext, span: timedelta) -> str:
    """A length of time in one unit."""
    seconds = span.total_seconds()
    for key, length in (("span_d", 86_400), ("span_h", 3600), ("span_min", 60)):
        if seconds >= 2 * length:
            return context.word(key).format(round(seconds / length))
    return context.word("span_s").format(round(seconds))


_WHICH = SQL("time >= %(since)s AND recorded <= %(now)s AND origin = 'real' AND recorded - time > %(late)s")
_LATE = SQL("""
SELECT source, unit, count(*), max(recorded - time) FROM event WHERE {which}
GROUP BY source, unit ORDER BY count(*) DESC, source, unit
""").format(which=_WHICH)
_LAST = SQL("""
SELECT source, unit, type, id, time, recorded FROM (
    SELECT *, row_number() OVER (PARTITION BY unit ORDER BY recorded DESC, id) AS place FROM event WHERE {which}
) e WHERE place <= %(last)s ORDER BY recorded DESC, id
""").format(which=_WHICH)
"""Of every unit the latest: who sees few units finds theirs however many others' came after them."""
_ENDS = SQL("""
SELECT d.id, d.unit, d.ended_at, d.due_at, min(e.recorded)
FROM (SELECT time, recorded, data ->> 'code' AS code FROM event WHERE {which} AND type = ANY(%(ends)s)) e
JOIN entity d ON d.kind = 'dossier' AND d.id = e.code AND d.ended_at = e.time
WHERE d.ended_at <= d.due_at AND e.recorded > d.due_at
GROUP BY d.id, d.unit, d.ended_at, d.due_at ORDER BY 5 DESC, d.id
""").format(which=_WHICH)
