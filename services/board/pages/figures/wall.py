"""The wall: eight tiles that are read at a glance, and kept up to date in place. Who is bounded to units begins at that
of their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

from fastapi import Depends
from psycopg import Connection
from starlette.requests import HTTPConnection

from schemas.indicators import Indicator
from schemas.indicators.label_texts import source_name
from schemas.registry import SYSTEMS
from schemas.text.dates import clock_time, day_and_time
from services.board.live.active_alarms import ActiveAlarm
from services.board.live.cache import SharedCache
from services.board.live.poller import LiveState, Tile, tile_of
from services.board.live.query_pool import QueryPool
from services.board.live.wall_figures import FIGURES, WALL
from services.board.pages.changes.changes_data import USUAL, SharedChanges, since_of
from services.board.pages.changes.changes_page import line
from services.board.ui.charts import sparkline
from services.board.ui.live_page import (
    AGAIN_SECONDS,
    Asked,
    Live,
    LivePage,
    PageContext,
    Pages,
    Places,
    context_of,
    unit_of,
)
from services.board.ui.markup import Html, link, tag
from services.board.ui.page_layout import (
    account_menu,
    keys,
    navigation,
    outage_band,
    public_mode,
    require_known,
    status,
)
from services.board.ui.period_control import period_control, preset
from services.board.ui.periods import SO_FAR, PeriodChoice
from services.board.ui.redaction import of_when, shown_to
from services.board.ui.words import (
    Language,
    ago,
    aim,
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
from services.readings import Reading
from services.readings.comparison import change

T = TypeVar("T")
OLD_SECONDS = 15.0
MOST_TILES = 256
"""So many tiles of other periods and of units are kept: of 32 walls."""
WORST = ("bad", "watch", "good", "neutral", "missing")
TOLD = 8
"""So many alarms the ticker tells at most."""


def add(pages: Pages, reading: QueryPool, changes: SharedChanges) -> None:
    """The page `/`."""
    kept: SharedCache[Tile] = SharedCache(OLD_SECONDS, most=MOST_TILES)

    async def tile(slug: str, unit: str, chosen: PeriodChoice) -> Tile:
        """A system of a unit, or of a period other than the month so far."""

        def read(conn: Connection) -> Tile:
            period = chosen.period(clock.now())
            return tile_of(conn, slug, None, period, chosen.before(period), unit=unit or None, so_far=chosen == SO_FAR)

        return await kept.get((slug, unit, chosen), lambda: reading(read), pages.poller.mark(slug))

    @pages.page("/", dependencies=[Depends(require_known)])
    async def of_all(asked: HTTPConnection) -> LivePage:
        every = (indicator for indicators in FIGURES.values() for indicator in indicators)
        context = of_when(context_of(asked, pages.poller), every)
        return wall(context, unit_of(context, asked), tile, changed)

    def changed(context: PageContext) -> Asked:
        """What changed since yesterday; a wall does not wait for it."""

        def of(read: Callable[[datetime], Awaitable[T]]) -> Callable[[], Awaitable[T]]:
            return lambda: read(since_of(USUAL, clock.now()))

        return Asked("changes", of(changes.since), partial(line, context), OLD_SECONDS, of(changes.at_hand))


def wall(
    context: PageContext,
    unit: str,
    tile: Callable[[str, str, PeriodChoice], Awaitable[Tile]],
    changed: Callable[[PageContext], Asked],
) -> LivePage:
    """The page of a unit, or of the whole locality: a place for each tile, so that only what has changed is sent. Those
    of the whole and of the month so far follow the watch, the others are asked for."""
    places = [(slug, f"tile-{slug}", place) for place, slug in enumerate(SYSTEMS, 1)]
    frame = (status(context), _clock(), outage_band(context), _ticker(context))

    def live(slug: str, place: int) -> Callable[[LiveState, datetime], Html]:
        return lambda view, now: _tile(context, "", slug, place, view.tiles.get(slug), view.silent.get(slug, ()), now)

    def asked(slug: str, place: int) -> Callable[[Tile], Html]:
        return lambda found: _tile(context, unit, slug, place, found, silent(slug), clock.now())

    def silent(slug: str) -> tuple[str, ...]:
        """Its sources that are silent now, on a wall of now."""
        return context.poller.view.silent.get(slug, ()) if context.chosen == SO_FAR else ()

    async def body(at: Places) -> Html:
        inside = tag("div", *(at[id] for _, id, _ in places), class_="tiles")
        since = at["changes"] if asking else ""
        whole = tag("main", _bar(context, unit, at), at["outage"], since, inside, _foot_bar(context, at), class_="wall")
        return Html(whole + keys(context))

    asking = [changed(context)] if context.account.may("cases") else []
    if context.chosen == SO_FAR and not unit:
        tiles = (Live(id, live(slug, place)) for slug, id, place in places)
        return LivePage(context, body, (*frame, *tiles), asking)
    again = AGAIN_SECONDS if context.chosen == SO_FAR else OLD_SECONDS
    others = [
        Asked(id, partial(tile, slug, unit, context.chosen), asked(slug, place), again) for slug, id, place in places
    ]
    return LivePage(context, body, frame, [*asking, *others])


def _bar(context: PageContext, unit: str, at: Places) -> Html:
    ways = tag("nav", navigation(context, "/"), aria_label=context.word("pages"))
    names = tag("div", tag("h1", context.word("title")), _shown(context, unit), class_="heading")
    return tag("header", context.locality.sign(), names, ways, at["status"], at["clock"], class_="bar")


def _shown(context: PageContext, unit: str) -> Html:
    """Of which unit and days the figures are; opened, what else may be chosen."""
    period, language = context.chosen.period(clock.now()), context.language
    offered = list(dict.fromkeys(["", *context.account.units, unit]))
    names = {code: unit_name(code or None, language, period.last) for code in offered}
    said = [names[unit]] if len(offered) > 1 else []
    said += [": ".join(filter(None, (preset(context), period.written)))]
    said += [f"{context.word('as_of')} {day_and_time(context.chosen.as_of)}"] if context.chosen.as_of else []
    ways = (
        link(context.chosen.address("/", unit=code), name, aria_current="true" if code == unit else None)
        for code, name in names.items()
    )
    units = tag("span", *ways, class_="choice") if len(offered) > 1 else ""
    control = period_control(context, "/", unit=unit if len(offered) > 1 else None)
    inside = tag("div", units, control)
    return tag("details", tag("summary", " · ".join(said)), inside, class_="period over")


def _foot_bar(context: PageContext, at: Places) -> Html:
    reader = tag("div", account_menu(context, "/"), class_="reader")
    return tag("footer", tag("div", at["bells"], class_="bells"), public_mode(context), reader, class_="ticker")


def _clock() -> Live:
    return Live("clock", lambda view, now: tag("span", f"{day_and_time(now)[:10]}  {clock_time(now)}", class_="clock"))


def _tile(
    context: PageContext, unit: str, slug: str, place: int, tile: Tile | None, silent: tuple[str, ...], now: datetime
) -> Html:
    language, target = context.language, context.chosen.address(f"/system/{slug}", unit=unit or None)
    name = tag("h2", tag("span", f"{place}. {system_name(slug, language)}"))
    foot = tag("div", _foot(tile, silent, now, language), class_="foot")
    if tile is None:
        what, rows = _called(FIGURES[slug][0], language), tag("dl")
        return _card(target, "", name, tag("div", class_="main"), tag("div", what, class_="what"), rows, foot)
    largest = tile.readings.index(tile.main)
    tile = shown_to(context.account, tile, whole=context.chosen.whole and not unit)
    first, *others = tile.readings[largest], *tile.readings[:largest], *tile.readings[largest + 1 :]
    return _card(
        target,
        f"{_state(tile)}{' stale' if silent else ''}",
        name,
        tag("div", figure_cell(first, language), class_="main"),
        tag("div", f"{_called(first.indicator, language)} {_beside(tile, first, language)}", class_="what"),
        _moved(first, tile.before, language) if first.indicator.code not in tile.earlier else "",
        tag("div", sparkline([r.printed for r in tile.trend])),
        tag("dl", *(_row(tile, reading, language) for reading in others)),
        foot,
    )


def _called(indicator: Indicator, language: Language) -> str:
    """What a figure is called on the wall."""
    short = next(one for one in WALL[indicator.system] if one.code == indicator.code)
    return short.vi if language == "vi" else short.en


def _moved(r: Reading, before: Reading | None, language: Language) -> Html:
    """By how much the leading figure moved, and what it was; nothing where that may not be said."""
    if before is None or (found := change(r, before)) is None:
        return Html("")
    state = "neutral" if found.better is None else "good" if found.better else "bad"
    by = tag("span", moved(r, found, language), class_=f"state-{state}")
    return tag("div", by, " · ", word("was", language).format(figure(before, language)), class_="moved")


def _card(target: str, state: str, *content: object) -> Html:
    return link(target, *content, class_=f"tile {state}".strip())


def _foot(tile: Tile | None, silent: tuple[str, ...], now: datetime, language: Language) -> Html:
    """When the last event came, where the figures are of now; and which source is silent."""
    told = tile is None or tile.recorded
    last = f"{word('last_event', language)}: {ago(tile.recorded if tile else None, now, language)}" if told else ""
    updated = tag("span", last)
    names, title = ", ".join(source_name(s, language) for s in silent), ", ".join(silent)
    return Html(updated + (tag("b", f"⏸ {word('stale', language)}: {names}", title=title) if silent else ""))


def _beside(tile: Tile, r: Reading, language: Language) -> str:
    """What stands beside a figure's name: what it has to reach, and of which month it is if not of this."""
    of = word("of_month", language).format(f"{tile.month:%m/%Y}") if r.indicator.code in tile.earlier else ""
    return " · ".join(filter(None, (aim(r, language), of)))


def _row(tile: Tile, r: Reading, language: Language) -> Html:
    name = tag(
        "dt", tag("span", _called(r.indicator, language), title=name_of(r.indicator, language)),
        tag("small", _beside(tile, r, language)),
    )  # fmt: skip
    return tag("div", name, tag("dd", figure_cell(r, language)))


def figure_cell(r: Reading, language: Language) -> Html:
    """A figure with its state, which flashes when it changes; one that is missing says why to who points at it."""
    reason = why(r.reason, language) or None
    shown = {"class_": f"state-{state_of(r)}", "title": reason, "data_why": reason, "data_figure": r.indicator.code}
    return tag("span", signed(r, language), **shown)


def _state(tile: Tile) -> str:
    return min((state_of(r) for r in tile.readings), key=WORST.index)


def _ticker(context: PageContext) -> Live:
    def draw(view: LiveState, now: datetime) -> Html:
        shown = view.alarms.seen_by(context.account)[:TOLD]
        return Html("".join(_alarm(context, one) for one in shown)) or tag("span", context.word("no_alarms"))

    return Live("bells", draw)


def _alarm(context: PageContext, alarm: ActiveAlarm) -> Html:
    """One alarm in a few words; a case's code is masked."""
    sign, state = ("▲", "bad") if alarm.severity == "critical" else ("●", "watch")
    unit = unit_name(None if alarm.unit == "all" else alarm.unit, context.language)
    text = alarm.vi if context.language == "vi" else alarm.en
    where = "" if text.startswith(unit) else f"{unit}: "
    code = f": {alarm.number}" if alarm.number > 1 else f" {alarm.about.partition(':')[2]}" if alarm.about else ""
    origin = "" if alarm.origin == "real" else f" [{context.word(alarm.origin)}]"
    text_span = tag(
        "span", f"{sign} {clock_time(alarm.raised_at)[:5]} {where}{text}{code}{origin}", class_=f"state-{state}"
    )
    inside = f"/alarms?unit={alarm.unit}&type={alarm.type}" if alarm.number > 1 else f"/alarms/{alarm.id}"
    return link(inside, text_span) if context.account.may("cases") else text_span
