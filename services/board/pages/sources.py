"""The page of sources: who sends, how much, how late, who is silent, and where the last days have gaps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from psycopg import Connection
from psycopg.errors import QueryCanceled
from starlette.requests import HTTPConnection

from schemas.calendar import VN, Limit
from schemas.freshness import Allowed
from schemas.registry import DATA_TYPES
from schemas.text.dates import day_and_time
from services.board.live.cache import SharedCache
from services.board.live.query_pool import QueryPool
from services.board.pages.quality.quality import delay
from services.board.ui.found_pages import Page
from services.board.ui.labels import source_cell
from services.board.ui.live_page import Asked, LivePage, PageContext, Pages, Places, context_of
from services.board.ui.markup import Html, link, table, tag
from services.board.ui.page_layout import ordinary
from services.board.ui.redaction import count_for, shown_to
from services.board.ui.words import ago, number, system_name
from services.kit import clock
from services.readings.sources import Source, sources

DAYS = 7
HOURS = DAYS * 24
LONGEST = "4s"
"""Where so much was sent that the strips cannot be counted within this time, they are left out."""
FRESH_SECONDS, STRIPS_SECONDS = 2.0, 120.0
UNREAL = ("simulated", "shifted")
Name = tuple[str, str]
"""(system, source)."""


@dataclass(frozen=True)
class Late:
    """How long after they happened a source's events of the last days were recorded: half of them, and 95 of 100."""

    median: timedelta
    most: timedelta


@dataclass(frozen=True)
class Strips:
    """Per source: in which of the last `HOURS` hours something happened (the last of them has just begun), and how late
    that came. None: too much to count."""

    hours: Mapping[Name, frozenset[int]] | None
    late: Mapping[Name, Late]


SORTS: dict[str, Callable[[Source, Strips], Any]] = {
    "system": lambda s, _: (s.system, s.source),
    "source": lambda s, _: s.source,
    "events": lambda s, _: -s.events,
    "rate": lambda s, _: -s.per_minute,
    "happened": lambda s, _: s.last_time,
    "recorded": lambda s, _: s.last_recorded,
    "late": lambda s, t: -(late.median if (late := t.late.get((s.system, s.source))) else timedelta(-1)),
    "silent": lambda s, _: (not s.stale, s.last_recorded),
}
"""What the list can be sorted by: the most telling first."""
COUNTED = ("late", "strip")
"""The columns that need the strips; without them they are left out."""


def strips(conn: Connection, now: datetime) -> Strips:
    """The last days by source and hour. A past that is replayed has no delay: it is late by its nature."""
    values = {"since": now - timedelta(hours=HOURS), "now": now, "types": list(DATA_TYPES)}
    values["systems"] = [data.system for data in DATA_TYPES.values()]
    filled: dict[Name, frozenset[int]] = {}
    late: dict[Name, Late] = {}
    try:
        with conn.transaction():
            conn.execute("SELECT set_config('statement_timeout', %s, true)", [LONGEST])
            for system, source, hours, median, most in conn.execute(_STRIPS, values).fetchall():
                filled[system, source] = frozenset(HOURS - 1 - back for back in hours)
                if median is not None:
                    late[system, source] = Late(max(median, timedelta()), max(most, timedelta()))
    except QueryCanceled:
        return Strips(None, {})
    return Strips(filled, late)


def add(pages: Pages, reading: QueryPool) -> None:
    """/sources."""
    fresh: SharedCache[list[Source]] = SharedCache(FRESH_SECONDS)
    slow: SharedCache[Strips] = SharedCache(STRIPS_SECONDS)

    async def ask() -> tuple[list[Source], Strips]:
        now = clock.now()
        every = await fresh.get("sources", lambda: reading(lambda conn: sources(conn, now)))
        return every, await slow.get("strips", lambda: reading(lambda conn: strips(conn, now)))

    @pages.page("/sources")
    async def of_sources(asked: HTTPConnection, sort: str = "silent") -> LivePage:
        context, by = context_of(asked, pages.poller), sort if sort in SORTS else "silent"

        def body(at: Places) -> Html:
            listed = tag("section", at["list"], class_="panel wide", tabindex=0, aria_label=context.word("sources"))
            means = tag("p", context.word("sources_means"), class_="small wide")
            return tag("main", tag("div", head(context, by), class_="title"), listed, means, class_="page")

        def draw(found: tuple[list[Source], Strips]) -> Html:
            return render(context, *found, by, clock.now())

        shown = Asked("list", ask, draw, FRESH_SECONDS)
        return ordinary(context, "/sources", body, [shown])


PAGE = Page("sources", "/sources", None, add)


def head(context: PageContext, sort: str) -> Html:
    """The title, and what the list is sorted by. It stays as it is, so that nobody's keyboard loses its place."""
    ways = (link(f"/sources?sort={key}", context.word(f"sources_{key}"), aria_current="true" if key == sort else None)
            for key in SORTS)  # fmt: skip
    name = tag("span", context.word("sorted_by"), class_="small")
    return Html(
        tag("h1", context.word("sources")) + tag("div", name, tag("span", *ways, class_="choice"), class_="choices")
    )


def render(context: PageContext, every: Sequence[Source], history: Strips, sort: str, now: datetime) -> Html:
    """The list itself."""
    every = shown_to(context.account, every, whole=True)
    said = context.word("sources_said").format(len(every), sum(s.stale for s in every))
    drawn = history.hours is not None
    said += "" if drawn else " " + context.word("sources_too_many").format(DAYS)
    rows = sorted(every, key=lambda s: SORTS[sort](s, history))
    columns = [i for i, key in enumerate((*SORTS, "strip")) if drawn or key not in COUNTED]
    heads = [*(context.word(f"sources_{key}") for key in SORTS), context.word("sources_strip").format(DAYS)]
    lines = (_row(context, s, history, now) for s in rows)
    numeric = [place for place, i in enumerate(columns) if i in (2, 3, 6)]
    listed = table([heads[i] for i in columns], ([line[i] for i in columns] for line in lines), numeric)
    return Html(tag("p", said, class_="small") + listed)


def _row(context: PageContext, s: Source, history: Strips, now: datetime) -> list[object]:
    language, late = context.language, history.late.get((s.system, s.source))
    public = context.account.role == "public"
    few = public and not s.events
    origin = tag("span", context.word(f"origin_{s.origin}"), class_="unreal") if s.origin in UNREAL else ""
    return [
        system_name(s.system, language),
        Html(source_cell(s.source, language) + " " + origin),
        count_for(context.account, s.events, language),
        "" if public and not s.per_minute else number(Decimal(str(s.per_minute)), 1, language),
        *(tag("span", ago(t, now, language), title=day_and_time(t)) for t in (s.last_time, s.last_recorded)),
        "" if few or late is None else tag("span", delay(context, late.median), title=_most(context, late)),
        _silence(context, s),
        "" if few or history.hours is None else _strip(context, history.hours.get((s.system, s.source)), now),
    ]


def _most(context: PageContext, late: Late) -> str:
    return context.word("sources_most_late").format(delay(context, late.most))


def _silence(context: PageContext, s: Source) -> Html:
    if s.stale:
        return tag("span", f"▲ {context.word('stale')}", class_="state-bad", title=_allowed(context, s.allowed))
    if ended := s.ended:
        # Who has not logged in reads nobody's name, nor what a person wrote.
        by = context.word("sources_ended_by").format(ended.by, day_and_time(ended.at), ended.why)
        title = None if context.account.role == "public" else by
        return tag("span", context.word("sources_ended"), class_="none", title=title)
    if s.allowed is None:
        replayed = s.origin == "shifted"
        return tag("span", context.word("sources_replayed" if replayed else "sources_any_silence"), class_="none")
    return tag("span", f"✓ {context.word('sources_regular')}", class_="state-good", title=_allowed(context, s.allowed))


def _allowed(context: PageContext, silence: Allowed) -> str:
    match silence:
        case Limit() as limit:
            return context.word("sources_allowed_work").format(delay(context, limit.working_time))
        case timedelta() as span:
            return context.word("sources_allowed").format(delay(context, span))
    return ""


def _strip(context: PageContext, filled: frozenset[int] | None, now: datetime) -> Html:
    """A small box for each hour: filled where something happened."""
    if filled is None:
        return tag("span", context.word("sources_nothing").format(DAYS), class_="none")
    hours = [Html(f'<rect x="{i}" width="1" height="10"/>') for i in sorted(filled)]
    days = [Html(f'<path d="M{x} 0v10"/>') for x in _midnights(now)]
    said = context.word("sources_gaps").format(HOURS - len(filled), HOURS)
    box = {"viewBox": f"0 0 {HOURS} 10", "preserveAspectRatio": "none"}
    return tag("svg", tag("title", said), *hours, *days, class_="hours", role="img", aria_label=said, **box)


def _midnights(now: datetime) -> list[int]:
    """Where the days begin in a strip that ends with the hour of `now`."""
    return [i for i in range(1, HOURS) if (now - timedelta(hours=HOURS - 1 - i)).astimezone(VN).hour == 0]


_STRIPS = """
WITH system(type, system) AS (SELECT * FROM unnest(%(types)s::text[], %(systems)s::text[]))
SELECT s.system, e.source,
       array_agg(DISTINCT floor(extract(epoch FROM date_trunc('hour', %(now)s::timestamptz)
                                        - date_trunc('hour', e.time)) / 3600)::integer),
       percentile_disc(0.5) WITHIN GROUP (ORDER BY e.recorded - e.time) FILTER (WHERE e.origin <> 'shifted'),
       percentile_disc(0.95) WITHIN GROUP (ORDER BY e.recorded - e.time) FILTER (WHERE e.origin <> 'shifted')
FROM event e JOIN system s ON s.type = e.type
WHERE e.time > date_trunc('hour', %(since)s::timestamptz) + interval '1 hour' AND e.time <= %(now)s
GROUP BY 1, 2
"""
