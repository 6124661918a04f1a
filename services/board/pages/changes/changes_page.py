"""/changes: what came, ended, is late since, fell silent or rang since a moment; and the line about it on the wall."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from starlette.requests import HTTPConnection

from schemas import units
from schemas.calendar import local_day
from schemas.indicators.label_texts import label_text
from schemas.offices import number_of
from schemas.text.dates import day_and_time
from schemas.zone import VN
from services.board.pages.changes.changes_data import DAYS, USUAL, Changes, RaisedAlarm, SharedChanges, since_of
from services.board.pages.worklist.worklist_rows import PATH as WORK
from services.board.ui.labels import source_cell
from services.board.ui.live_page import Asked, LivePage, PageContext, Pages, Places, context_of
from services.board.ui.markup import Html, link, table, tag
from services.board.ui.page_layout import ordinary, unreal
from services.board.ui.pagination import Listing, ListQuery, page_of, pager, unit_choices, units_over
from services.board.ui.words import SIGNS, capital, count, system_name, unit_name
from services.kit import clock
from services.readings.changes import CHANGES, MOST, ChangedCase, What

PATH = "/changes"
SECONDS = 30.0
SHOWN = 10
"""So many cases of a kind are shown before they are asked for."""
STATE: dict[What, str] = {"overdue": "bad", "new": "neutral", "ended": "good"}
LISTING: Listing[ChangedCase] = Listing(
    facets={"what": lambda c: (c.what,), "kind": lambda c: (c.kind,), "unit": lambda c: units_over(c.unit)},
    orders={},
    text=lambda c: number_of(c.id),
)


def add(pages: Pages, changes: SharedChanges) -> None:
    """The page."""

    @pages.page(PATH)
    async def of_changes(asked: HTTPConnection, since: str = "") -> LivePage:
        context, query = context_of(asked, pages.poller), LISTING.parse(PATH, asked.query_params)
        moment = since_of(since, clock.now())
        query = ListQuery(PATH, {"since": since or USUAL, **query.filters}, query.text, "", query.page)

        async def ask() -> Changes:
            return await changes.since(moment)

        def body(at: Places) -> Html:
            title = tag("div", tag("h1", context.word("changes")), _choices(context, query), class_="title")
            return tag("main", title, at["content"], class_="page")

        content = Asked("content", ask, lambda found: render(context, query, found.seen_by(context.account)), SECONDS)
        return ordinary(context, query.address(), body, [content])


def line(context: PageContext, found: Changes | None) -> Html:
    """What changed in one line, each number the way to what it counts; empty where that is not read yet."""
    shown = found and found.seen_by(context.account)
    parts = _counts(context, ListQuery(PATH, {"since": USUAL}), shown) if shown else ()
    return tag("p", tag("strong", link(PATH, context.word("changes_yesterday"))), *parts, class_="changed")


def render(context: PageContext, query: ListQuery, shown: Changes) -> Html:
    """The page's content: how much changed, then what; of one kind of change all of it."""
    span = context.word("changes_span").format(day_and_time(shown.since), day_and_time(shown.now))
    cut = context.word("changes_cut").format(count(MOST, context.language)) if len(shown.cases) == MOST else ""
    counts = tag("div", *_counts(context, query, shown), class_="counts")
    said = tag("p", span, " ", cut, " ", *_since_report(context, query, shown), class_="small")
    head = tag("div", said, counts, class_="wide")
    chosen = query.filters.get("what")
    kinds = [what for what in CHANGES if chosen in (None, what)]
    panels = [_cases(context, query, what, shown.cases) for what in kinds]
    if chosen is None:
        panels += [_silent(context, shown), _alarms(context, shown.alarms)]
    return Html("".join([head, *panels]))


def _since_report(context: PageContext, query: ListQuery, shown: Changes) -> Iterator[Html]:
    """The way to what changed since the last report."""
    if at := shown.last_report:
        name = context.word("since_report").format(day_and_time(at))
        yield link(query.address(since=at.astimezone(VN).isoformat(timespec="seconds")), name)


def _counts(context: PageContext, query: ListQuery, shown: Changes) -> Iterator[Html]:
    """How much of each changed, of the kind and unit asked for: the way to exactly that."""
    of_all = ListQuery(PATH, {name: value for name, value in query.filters.items() if name not in ("since", "what")})
    since = query.filters["since"]
    found = LISTING.select(shown.cases, of_all)
    for what in CHANGES:
        number = sum(c.what == what for c in found)
        yield _count(context, query.address(since=since, what=what), number, f"changed_{what}", STATE[what],
                     query.filters.get("what") == what)  # fmt: skip
    alarms = sum(a.number for a in shown.alarms)
    place = query.address(since=since, what="")
    yield _count(context, f"{place}#silent", len(shown.silent), "changed_silent", "watch")
    yield _count(context, f"{place}#alarms", alarms, "changed_alarms", "watch")


def _count(context: PageContext, path: str, number: int, word: str, state: str, here: bool = False) -> Html:
    sign = SIGNS[state] if number else ""
    text = tag("b", f"{sign} {count(number, context.language)}".strip())
    state = f" state-{state}" if number else ""
    return link(path, text, " ", context.word(word), class_=f"count{state}", aria_current="true" if here else None)


def _choices(context: PageContext, query: ListQuery) -> Html:
    """Since when, and of which unit."""
    since, today = query.filters["since"], clock.now()
    links = (
        link(query.address(since=key), context.word(f"since_{key}"), aria_current="true" if key == since else None)
        for key in DAYS
    )
    at = since_of(since, today).astimezone(VN).replace(tzinfo=None).isoformat(timespec="minutes")
    moment = tag("input", type="datetime-local", name="since", value=at)
    own = {name: value for name, value in query.filters.items() if name == "what"}
    hidden = (tag("input", type="hidden", name=name, value=value) for name, value in own.items())
    codes = [code for code in _units() if context.account.sees(code)]
    chosen = query.filters.get("unit", "")
    options = [
        tag("option", name, value=code, selected="" if code == chosen else None)
        for code, name in [("", context.word("any")), *unit_choices(context, query, codes)]
    ]
    form = tag(
        "form", *hidden, tag("label", context.word("since_moment"), moment),
        tag("label", context.word("unit"), tag("select", *options, name="unit")),
        tag("button", context.word("show"), class_="plain"), method="get", action=PATH, class_="filters",
    )  # fmt: skip
    own_moment = tag("summary", context.word("since_other"), aria_current=None if since in DAYS else "true")
    more = tag("details", own_moment, form, class_="period", open="" if chosen or since not in DAYS else None)
    return tag("div", tag("span", *links, class_="choice"), more, class_="choices periods")


def _cases(context: PageContext, query: ListQuery, what: What, cases: Sequence[ChangedCase]) -> Html:
    one = query.filters.get("what") == what
    of_it = ListQuery(PATH, {**query.filters, "what": what}, query.text, "", query.page)
    found = LISTING.select(cases, ListQuery(PATH, {k: v for k, v in of_it.filters.items() if k != "since"}, query.text))
    name = tag("h2", f"{capital(context.word(f'changed_{what}'))} ({count(len(found), context.language)})")
    if not found:
        return tag("section", name, tag("p", context.word("nothing_changed"), class_="none"), class_="panel wide")
    heads = [context.word(w) for w in ("case", f"changed_at_{what}", "unit", "case_group", "due")]
    rows = page_of(found, of_it) if one else found[:SHOWN]
    listed = table(heads, (_case(context, c) for c in rows), class_="rows")
    more = pager(context, of_it, len(found)) if one else tag("p", link(of_it.address(), context.word("others_all")))
    return tag("section", name, listed, more if one or len(found) > SHOWN else "", class_="panel wide")


def _case(context: PageContext, c: ChangedCase) -> list[object]:
    origin = unreal(context, frozenset((c.origin,)))
    group = label_text("field" if c.kind == "dossier" else "category", c.group, context.language)
    small = tag(
        "div", context.word(c.kind), " ", tag("span", origin, class_="origin") if origin else "", class_="small"
    )
    return [
        Html(link(f"{WORK}/{c.kind}/{quote(c.id)}", number_of(c.id)) + small),
        day_and_time(c.at),
        unit_name(c.unit, context.language),
        group,
        day_and_time(c.due_at) if c.due_at else "–",
    ]


def _silent(context: PageContext, shown: Changes) -> Html:
    name = tag("h2", f"{capital(context.word('changed_silent'))} ({len(shown.silent)})")
    rows = (
        [
            source_cell(s.source, context.language),
            system_name(s.system, context.language),
            day_and_time(s.last_recorded),
        ]
        for s in shown.silent
    )
    listed = table([context.word(w) for w in ("source", "system", "silent_since")], rows)
    inside = Html(listed + tag("p", link("/sources", context.word("sources")))) if shown.silent else _nothing(context)
    return tag("section", name, inside, class_="panel wide", id="silent")


def _alarms(context: PageContext, raised: Sequence[RaisedAlarm]) -> Html:
    number = count(sum(a.number for a in raised), context.language)
    name = tag("h2", f"{capital(context.word('changed_alarms'))} ({number})")
    heads = [context.word(w) for w in ("alarm", "unit", "alarms_raised", "alarms_standing", "alarms_last")]
    listed = table(heads, (_alarm(context, a) for a in raised), (2, 3))
    return tag("section", name, listed if raised else _nothing(context), class_="panel wide", id="alarms")


def _alarm(context: PageContext, a: RaisedAlarm) -> list[object]:
    sign, state = ("▲", "bad") if a.severity == "critical" else ("●", "watch")
    path = f"/alarms?unit={a.unit}&type={a.type}" if a.number > 1 else f"/alarms/{a.id}"
    text = link(path, f"{sign} {a.vi if context.language == 'vi' else a.en}", class_=f"state-{state}")
    unit = unit_name(None if a.unit == "all" else a.unit, context.language)
    return [text, unit, *(count(n, context.language) for n in (a.number, a.standing)), day_and_time(a.at)]


def _nothing(context: PageContext) -> Html:
    return tag("p", context.word("nothing_changed"), class_="none")


def _units() -> list[str]:
    return [unit.code for unit in units.at(local_day(clock.now()))]
