"""The frame of every page: who looks, in which language, the way to the other pages, and what cannot be reached."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime, timedelta

from fastapi import HTTPException
from starlette.requests import HTTPConnection

from schemas import units
from schemas.indicators import CATALOGUE
from schemas.registry import SYSTEMS
from schemas.text.dates import clock_time, day_and_time
from services.board.access import NEEDS, Action
from services.board.live.patience import BUSY, in_patience
from services.board.live.poller import LiveState
from services.board.ui import found_pages
from services.board.ui.live_page import Asked, Live, LivePage, PageContext, Places, busy
from services.board.ui.markup import Html, link, tag

Way = tuple[str, str, Action | None]
"""(word, path, what one must be allowed for it)."""
FIRST: tuple[Way, ...] = (
    ("wall", "/", None),
    ("worklist", "/worklist", "cases"),
    ("changes", "/changes", "cases"),
    ("map", "/map", None),
    ("alarms", "/alarms", "cases"),
    ("quality", "/quality", "cases"),
)
LAST: tuple[Way, ...] = (
    ("index766", "/index766", None),
    ("targets", "/targets", "cases"),
    ("reports", "/reports", "cases"),
    ("imports", "/imports", "import"),
    ("handover", "/handover", "cases"),
    ("contacts", "/contacts", "cases"),
    ("people", "/people", "accounts"),
    ("keys_of_emitters", "/keys", "accounts"),
)

FOLDED = {
    "ways_reports": ("/brief", "/index766", "/targets", "/reports"),
    "ways_centre": ("/handover", "/sources", "/imports", "/contacts", "/people", "/keys"),
}
"""What a group is called -> its pages; what is in none stands in the row."""
SEARCH = "/search"
"""What leads there is a field."""
OF_PERIOD = frozenset(("/", "/index766"))
"""The pages of figures among them: the period that was chosen goes on there."""
KEYS = (
    ("1 – 8", "key_systems"),
    ("0", "key_wall"),
    ("/", "key_search"),
    ("R", "key_turn"),
    ("Tab, Enter", "key_tab"),
    ("?", "key_help"),
)
"""(key, word): what `board.js` does on each."""


def form(context: PageContext, action: str, *content: object, **attributes: object) -> Html:
    """A form that changes something: without the session's token, which it carries, the doors refuse it."""
    token = tag("input", type="hidden", name="csrf", value=context.csrf)
    return tag("form", token, *content, method="post", action=action, **attributes)


def kept_from(context: PageContext, actions: Mapping[str, Action]) -> Html:
    """Word of what the account may not do -> which role may, in a line where the buttons would be; empty where it may
    do all of it."""
    needed: dict[str, list[str]] = {}
    for key, action in actions.items():
        if not context.account.may(action):
            needed.setdefault(context.word(f"right_{NEEDS[action]}"), []).append(context.word(key))
    own = context.word(f"right_{context.account.role}")
    said = context.word("right_needed")
    lines = (said.format(", ".join(names), role, own) for role, names in needed.items())
    return tag("p", " ".join(lines), class_="small") if needed else Html("")


def require_known(request: HTTPConnection) -> None:
    """404 where an address names a system, a figure or a unit that there is not."""
    named = {**request.query_params, **request.path_params}
    try:
        units.get(named.get("unit") or "dong_nai")
    except units.UnknownUnit:
        raise HTTPException(404) from None
    if named.get("slug", "gis") not in SYSTEMS or named.get("code", "visits") not in CATALOGUE:
        raise HTTPException(404)


def ordinary(
    context: PageContext,
    here: str,
    body: Callable[[Places], Html | Awaitable[Html]],
    asked: Sequence[Asked] = (),
    live: Sequence[Live] = (),
    scripts: Sequence[str] = (),
) -> LivePage:
    """A page below the bar that leads to the others. `here`: its own address."""
    frame = (status(context), outage_band(context))

    async def whole(at: Places) -> Html:
        content = body(at)
        if not isinstance(content, Html):
            try:
                content = await in_patience(content)
            except BUSY:
                content = _waiting(context, here, [at[one.id] for one in asked])
        return Html(_bar(context, here, at) + content)

    return LivePage(context, whole, (*frame, *live), asked, scripts)


def busy_page(context: PageContext, here: str) -> LivePage:
    """What stands in for a page that cannot be had now."""
    return replace(ordinary(context, here, lambda at: _waiting(context, here, ())), stands_in=True)


def _waiting(context: PageContext, here: str, places: Sequence[Html]) -> Html:
    """A page's name, that the rest cannot be had now, and what of it can; its script asks for it again."""
    name = next((word for word, path, _ in navigation_entries() if path == here.partition("?")[0]), "title")
    title = tag("div", tag("h1", context.word(name)), busy(context), class_="title")
    return tag("main", title, *places, class_="page", data_busy="")


def of_content(at: Places) -> Html:
    """The body of a page that is one place, `content`."""
    return tag("main", at["content"], class_="page")


def _bar(context: PageContext, here: str, at: Places) -> Html:
    ways = tag("nav", navigation(context, here), aria_label=context.word("pages"))
    reader = tag("div", account_menu(context, here), class_="reader")
    sign = context.locality.sign()
    bar = tag("header", sign, ways, at["status"], reader, public_mode(context), class_="head")
    return Html(bar + keys(context) + at["outage"])


def status(context: PageContext) -> Live:
    """Of when the page is, what of it is not real, and how many alarms wait."""

    def draw(view: LiveState, now: datetime) -> Html:
        as_of = f"{context.word('as_of')} {clock_time(view.as_of)}"
        waiting = tag("span", waiting_alarms(context, view), class_="waiting")
        return Html(origin_label(context, view) + waiting + tag("span", as_of, class_="small"))

    return Live("status", draw)


def waiting_alarms(context: PageContext, view: LiveState) -> Html:
    """How many critical alarms nobody has, for who may do something about them."""
    number = view.alarms.critical_for(context.account) if context.account.may("cases") else 0
    text = context.word("critical_waiting").format(number)
    target = "/alarms?severity=critical&status=active"
    return link(target, f"▲ {number}", title=text, aria_label=text) if number else Html("")


def navigation_entries() -> tuple[Way, ...]:
    """The pages that every page leads to, those that stand alone among them."""
    return (*FIRST, *((one.word, one.path, one.action) for one in found_pages.find_pages()), *LAST)


def navigation(context: PageContext, here: str) -> Html:
    """Links to the pages that the account may see: those for each day in a row, the others folded by what they are
    for."""
    ways = {path: key for key, path, action in navigation_entries() if action is None or context.account.may(action)}
    page = here.partition("?")[0]
    folded = {path for paths in FOLDED.values() for path in paths}
    links = [_way(context, path, ways[path], page) for path in ways if path not in folded and path != SEARCH]
    groups = [_group(context, word, [path for path in paths if path in ways], ways, page)
              for word, paths in FOLDED.items()]  # fmt: skip
    home = link(context.chosen.address("/"), context.word("short_title"), class_="home")
    return Html("".join([home, *links, *groups, _finder(context)]))


def _way(context: PageContext, path: str, word: str, page: str) -> Html:
    target = context.chosen.address(path) if path in OF_PERIOD else path
    return link(target, context.word(word), aria_current="page" if path == page else None)


def _group(context: PageContext, word: str, paths: Sequence[str], ways: Mapping[str, str], page: str) -> Html:
    """Pages folded under what they are for; one alone stands for itself."""
    links = [_way(context, path, ways[path], page) for path in paths]
    if len(links) < 2:
        return Html("".join(links))
    name = tag("summary", context.word(word), aria_current="true" if page in paths else None)
    return tag("details", name, tag("div", *links), class_="ways", name="ways")


def _finder(context: PageContext) -> Html:
    """The field to search all with, `/` on the keyboard."""
    name = context.word("search_field")
    field = tag("input", type="search", name="text", maxlength=80, aria_label=name, placeholder=name, data_finder="")
    return tag("form", field, method="get", action=SEARCH, role="search", class_="finder")


def account_menu(context: PageContext, here: str) -> Html:
    """Language, light, and the way out or in."""
    language = "vi" if context.language == "en" else "en"
    other = link(
        f"{here}{'&' if '?' in here else '?'}lang={language}", context.word("other_language"), hreflang=language
    )
    light = tag("button", context.word("theme"), type="button", class_="plain", data_theme_switch="")
    name = f"{context.account.full_name} · {context.word('log_out')}"
    out = form(context, "/logout", tag("button", name, class_="plain"))
    return Html(other + light + (out if context.account.name else link("/login", context.word("log_in"))))


def public_mode(context: PageContext) -> Html:
    """How the figures are rounded, on a screen without login."""
    return tag("span", context.word("public_mode"), class_="small") if context.account.role == "public" else Html("")


def keys(context: PageContext) -> Html:
    """What the keyboard does; opened by `?`."""
    rows = (tag("li", tag("kbd", key), " ", context.word(word)) for key, word in KEYS)
    close = tag("form", tag("button", context.word("shut"), class_="plain"), method="dialog")
    return tag(
        "dialog", tag("h2", context.word("keys")), tag("ul", *rows), close, id="keys", aria_label=context.word("keys")
    )


def outage_band(context: PageContext) -> Live:
    """The red band that says what cannot be reached."""

    def draw(view: LiveState, now: datetime) -> Html:
        texts = []
        if "database" in view.problems:
            stopped = clock_time(view.as_of) if now - view.as_of < timedelta(hours=12) else day_and_time(view.as_of)
            texts.append(f"{context.word('database')} {stopped}")
        if "broker" in view.problems:
            texts.append(context.word("broker"))
        return tag("div", " · ".join(texts), class_="trouble", role="alert") if texts else Html("")

    return Live("outage", draw)


def origin_label(context: PageContext, view: LiveState) -> Html:
    """Where data is not real."""
    text = unreal(context, frozenset().union(*(tile.origins for tile in view.tiles.values())))
    return tag("span", text, class_="origin") if text else Html("")


def unreal(context: PageContext, origins: Set[str]) -> str:
    """What is not real of data of these origins; empty where all is."""
    return " · ".join(_unreal(context, origin) for origin in sorted(origins - {"real"}))


def _unreal(context: PageContext, origin: str) -> str:
    month = context.poller.view.shifted_month if origin == "shifted" else ""
    return context.word("shifted_month").format(month) if month else context.word(origin)
