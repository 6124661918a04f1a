"""The page of a system: all its figures for a period, against the same before, with charts, broken down as asked."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import partial

from fastapi import Depends
from starlette.requests import HTTPConnection

from schemas.indicators import Indicator
from schemas.indicators.label_texts import MEASURED, label_text, title
from schemas.text.dates import day as written_day
from schemas.units import UnknownUnit
from services.board.access import is_few
from services.board.live.cache import SharedCache
from services.board.live.query_pool import QueryPool
from services.board.pages.figures import programmes
from services.board.pages.figures.figure_groups import Group, grouped
from services.board.pages.figures.published_card import Beside, card, read_beside
from services.board.pages.figures.system_charts import charts, nothing, without
from services.board.pages.figures.system_data import (
    Choice,
    Content,
    Figures,
    Parts,
    dimensions,
    headlines,
    indicators,
    ranked,
    read_compared,
    read_figures,
    read_parts,
)
from services.board.ui.live_page import Asked, LivePage, PageContext, Pages, Places, context_of, not_yet
from services.board.ui.markup import Html, link, table, tag
from services.board.ui.page_layout import ordinary, require_known, unreal
from services.board.ui.period_control import period_control
from services.board.ui.periods import Against
from services.board.ui.redaction import of_when, shown_to
from services.board.ui.words import (
    Language,
    aim,
    capital,
    figure,
    moved,
    name_of,
    signed,
    state_of,
    system_name,
    unit_name,
    why,
    word,
)
from services.kit import clock
from services.readings import Period, Reading
from services.readings.comparison import change

WORKED_OFF = {"procedures": "dossier", "field": "report"}
"""The systems whose cases stand on the worklist."""
OLD_SECONDS, COMPARED_SECONDS, PUBLISHED_SECONDS = 15.0, 60.0, 120.0
"""How old the figures may grow if nothing came; those of the compared period, which move with the clock alone; and what
was published."""

MOST_ZEROS = 5
"""Where more parts than that have 0, they are folded; where more would be better, 0 is the worst and stays."""


def add(pages: Pages, reading: QueryPool) -> None:
    """The page `/system/{slug}`."""
    presents, others = SharedCache[Figures](OLD_SECONDS), SharedCache[Figures](COMPARED_SECONDS)
    broken, publications = SharedCache[Parts](OLD_SECONDS), SharedCache[Beside](PUBLISHED_SECONDS)

    async def beside(choice: Choice) -> Beside:
        """What was published: it changes seldom, and whether all fits together takes long to read."""
        key = choice.system, choice.unit, choice.period.as_of
        return await publications.get(key, lambda: reading(lambda conn: read_beside(conn, choice, clock.now())))

    async def content(choice: Choice) -> Content:
        """All at once, each on a connection of its own; to break down something else reads nothing else anew."""
        now, then = choice.periods(clock.now())
        here, mark = (choice.system, choice.unit, choice.period), pages.poller.mark(choice.system)
        reads = (
            presents.get(here, lambda: reading(lambda conn: read_figures(conn, choice, now)), mark),
            others.get((here, then.first, then.last), lambda: reading(lambda conn: read_compared(conn, choice, then))),
            broken.get(
                (here, choice.ranked, choice.by), lambda: reading(lambda conn: read_parts(conn, choice, now)), mark
            ),
        )
        return Content(*await asyncio.gather(*reads))

    @pages.page("/system/{slug}", dependencies=[Depends(require_known)])
    async def of_system(
        asked: HTTPConnection, slug: str, unit: str = "", against: Against = "previous", ranked: str = "", by: str = ""
    ) -> LivePage:
        context = of_when(context_of(asked, pages.poller), indicators(slug))
        choice = Choice(slug, unit or None, context.chosen, against, ranked, by)
        whole = choice.unit is None and choice.period.whole

        def draw(found: Content) -> Html:
            return render(context, choice, shown_to(context.account, found, whole))

        def body(at: Places) -> Html:
            return tag("main", _head(context, choice), at["published"], at["content"], class_="page system")

        publication = Asked(
            "published", partial(beside, choice), partial(card, context, choice), PUBLISHED_SECONDS, not_yet
        )
        asking = [publication, Asked("content", lambda: content(choice), draw)]
        return ordinary(context, choice.path(), body, asking)


def render(context: PageContext, choice: Choice, shown: Content) -> Html:
    """The page's content."""
    stated = programmes.panel(context, choice, shown.now.values)
    panels = [
        (context.word("all_figures"), _figures(context, choice, shown)),
        *([(context.word("programmes"), stated)] if stated else []),
        (context.word("broken_down"), _broken_down(context, choice, shown.parts.chosen)),
        *(_class(context, choice, parts) for parts in shown.parts.classes if parts),
    ]
    drawn = tag("section", *charts(context, shown), *without(context, shown), class_="charts")
    sections = (tag("section", tag("h2", name), inside, class_="panel") for name, inside in panels)
    origins = [tag("div", *_origins(context, shown), class_="wide")]
    return Html("".join([*origins, drawn, *sections]))


def _head(context: PageContext, choice: Choice) -> Html:
    """What stands there at once: of what and when the page is, and what else may be chosen."""
    period = choice.period.period(clock.now())
    where = f"{unit_name(choice.unit, context.language, period.last)} · {period.written}"
    return tag(
        "div",
        tag("h1", system_name(choice.system, context.language)),
        tag("p", where, class_="small"),
        _choices(context, choice),
        class_="title",
    )


def _origins(context: PageContext, shown: Content) -> Iterator[Html]:
    """What of the figures on this page is not real: of the period's own, and else of those compared with."""
    own = _of((shown.now.values, *shown.now.steps, shown.parts.chosen, *shown.parts.classes))
    then = _of((shown.then.values, *shown.then.steps)) - own
    if text := unreal(context, own):
        yield tag("p", tag("span", text, class_="origin"))
    if text := unreal(context, then):
        yield tag(
            "p",
            tag(
                "span",
                f"{context.word('compared')} {shown.then.period.written}: {text}",
                class_="origin",
            ),
        )


def _of(shown: Iterable[Sequence[Reading]]) -> frozenset[str]:
    return frozenset(origin for readings in shown for reading in readings for origin in reading.origins)


def _choices(context: PageContext, choice: Choice) -> Html:
    against = [
        link(choice.path(against=a), context.word(f"against_{a}"), aria_current="true" if a == choice.against else None)
        for a in ("previous", "year")
    ]
    back = [link(choice.path(unit=None), context.word("whole"))] if choice.unit else []
    return tag(
        "div",
        *back,
        period_control(context, f"/system/{choice.system}", **choice.others),
        tag("span", *against, class_="choice"),
        class_="choices",
    )


def _figures(context: PageContext, choice: Choice, shown: Content) -> Html:
    """All figures by the questions people ask; the groups with one that is shown first are open."""
    heads = [context.word(w) for w in ("figure", "value", "before", "change", "target", "know")]
    apart = programmes.codes(choice.system)
    pairs = {now.indicator.code: (now, then) for now, then in zip(shown.now.values, shown.then.values, strict=True)}
    groups = grouped(now.indicator for code, (now, _) in pairs.items() if code not in apart)

    def listed(group: Group, own: Sequence[Indicator]) -> Html:
        rows = (_figure_row(context, choice, *pairs[one.code], shown.then) for one in own)
        name = f"{context.word(f'group_{group}')} ({len(own)})"
        opened = "" if any(one.headline for one in own) else None
        return tag("details", tag("summary", name), table(heads, rows, (1, 2, 3, 4)), class_="group", open=opened)

    listed_pairs = [pair for code, pair in pairs.items() if code not in apart]
    return Html(_lacking(context, listed_pairs, shown.then.period) + "".join(listed(*each) for each in groups.items()))


def _lacking(context: PageContext, pairs: Iterable[tuple[Reading, Reading]], period: Period) -> Html:
    """Why most of the figures that the compared period lacks are not there, once for all of them."""
    lacking = (then.reason for now, then in pairs if now.value is not None and then.value is None)
    ((reason, number),) = Counter(why(one, context.language) for one in lacking).most_common(1) or [("", 0)]
    said = context.word("compared_lacks").format(period.written, number, reason)
    return tag("p", said, class_="small") if reason else Html("")


def _figure_row(context: PageContext, choice: Choice, r: Reading, before: Reading, then: Figures) -> list[object]:
    language = context.language
    measured = MEASURED.get(r.indicator.unit) if r.indicator.unit != "minute" else None
    unit = tag("span", f" {measured.said(language)}", class_="small") if measured and r.value is not None else ""
    return [
        name_of(r.indicator, language),
        Html(_value(context, r) + unit),
        tag("span", figure(before, language), class_=_width(r), title=why(before.reason, language) or None),
        _change(r, before, then, language),
        aim(r, language),
        link(choice.figure(r.indicator.code), context.word("how"), class_="how"),
    ]


def _change(r: Reading, before: Reading, then: Figures, language: Language) -> Html | str:
    """By how much it rose or fell, and whether that is good; or that the sources did not cover the compared period."""
    found = change(r, before)
    if found is None:
        return ""
    since = then.since.get(r.indicator.code)
    if since is None or since > then.period.first:
        day = f" ({word('since', language).format(written_day(since))})" if since else ""
        return tag("span", f"{word('not_covered', language)}{day}", class_="small uncovered")
    text = moved(r, found, language)
    if found.better is None:
        return text
    verdict = tag("span", f" {word('better' if found.better else 'worse', language)}", class_="verdict")
    return tag("span", text, verdict, class_="state-good" if found.better else "state-bad")


def _broken_down(context: PageContext, choice: Choice, parts: Sequence[Reading]) -> Html:
    """The chosen figure by the chosen dimension, and what else may be chosen."""
    chosen, by = choice.broken_down()
    figures = [
        link(choice.path(ranked=i.code), name_of(i, context.language), aria_current="true" if i == chosen else None)
        for i in headlines(choice.system)
    ]
    ways = [
        link(choice.path(by=each), _title(context, choice, each), aria_current="true" if each == by else None)
        for each in dimensions(chosen)
    ]
    choices = (tag("div", *each, class_="choices choice") for each in (figures, ways) if len(each) > 1)
    return Html("".join(choices) + _parts(context, choice, parts, by))


def _class(context: PageContext, choice: Choice, parts: Sequence[Reading]) -> tuple[str, Html]:
    indicator = parts[0].indicator
    return name_of(indicator, context.language), _parts(context, choice, parts, indicator.classes)


def _parts(context: PageContext, choice: Choice, parts: Sequence[Reading], by: str) -> Html:
    """Values in order, each as a bar too; of classes, which are listed where they have any, none with few."""
    shown = [r for r in ranked(parts) if by == "unit" or not is_few(r)]
    if not shown:
        return nothing(context, parts)
    largest = max((abs(r.value) for r in shown if r.value is not None), default=Decimal(0))
    heads = [_title(context, choice, by), context.word("value"), context.word("share")]

    def listed(some: Iterable[Reading]) -> Html:
        rows = ([_part(context, choice, by, r.group), _value(context, r), _bar(r, largest)] for r in some)
        return table(heads, rows, (1,))

    none = [r for r in shown if r.value == 0 and r.indicator.better != "higher"]
    if len(none) <= MOST_ZEROS:
        return listed(shown)
    some = [r for r in shown if r not in none]
    summary = tag("summary", context.word("all_zero").format(len(none)))
    folded = tag("details", summary, listed(none), class_="group")
    return Html((listed(some) if some else "") + folded)


def _title(context: PageContext, choice: Choice, by: str) -> str:
    """`Theo đơn vị`, `By unit`."""
    return capital(title(by, choice.system).said(context.language))


def _part(context: PageContext, choice: Choice, by: str, value: str) -> Html | str:
    """A part of a break-down as people call it."""
    if by == "unit":
        return _unit_link(context, choice, value)
    try:
        return unit_name(value, context.language) if by == "ward" else label_text(by, value, context.language)
    except UnknownUnit:
        return value


def _bar(r: Reading, largest: Decimal) -> Html:
    """A value as a bar, against the largest of its table."""
    width = float(abs(r.value) / largest * 100) if r.value is not None and largest else 0.0
    inside = tag("rect", width=f"{width:.1f}", height="10")
    return tag("svg", inside, viewBox="0 0 100 10", preserveAspectRatio="none", class_="hbar", aria_hidden="true")


def _value(context: PageContext, r: Reading) -> Html:
    reason = why(r.reason, context.language) or None
    kind = " ".join(filter(None, (f"state-{state_of(r)}", _width(r))))
    return tag("span", signed(r, context.language), class_=kind, title=reason)


def _width(r: Reading) -> str | None:
    """Durations may break between number and unit: in a narrow table names need the room."""
    return "duration" if r.indicator.unit == "minute" else None


def _unit_link(context: PageContext, choice: Choice, code: str) -> Html:
    """The unit's own figures, and its cases for who may see them."""
    own, kind = link(choice.path(unit=code), unit_name(code, context.language)), WORKED_OFF.get(choice.system)
    if kind is None or not (context.account.may("cases") and context.account.sees(code)):
        return own
    words = context.word(f"see_overdue_{kind}")
    name = f"{words}: {unit_name(code, context.language)}"
    work = link(f"/worklist?kind={kind}&unit={code}", words, class_="small", aria_label=name)
    return Html(f"{own} · {work}")
