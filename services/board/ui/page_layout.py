"""The frame of every page: who looks, in which language, the way to the other pages, and what cannot be reached."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import Depends, HTTPException
from nicegui import Client, ui
from starlette.requests import Request

from schemas import units
from schemas.indicators import CATALOGUE
from schemas.registry import SYSTEMS
from schemas.text.dates import clock_time, day_and_time
from services.board.access import Account, Action
from services.board.live.poller import LiveState, Poller
from services.board.live.query_pool import TooMuch
from services.board.ui import found_pages
from services.board.ui.markup import Html, link, styles, tag
from services.board.ui.words import Language, word
from services.kit import clock

TICK_SECONDS = 0.5
"""How often a page looks at the clock, and at what cannot be reached."""
BUILT_SECONDS = 30.0
MOST_WAITING, MOST_STRANGERS = 100, 300
"""So many pages may wait for their browser to connect: those of one session, or of one address without; and of all
without a session."""
AGAIN_SECONDS = 5.0
"""How often an open page asks again for what it shows, see `follow`."""
Render = Callable[[LiveState, datetime], None]
Way = tuple[str, str, Action | None]
"""(word, path, what one must be allowed for it)."""
FIRST: tuple[Way, ...] = (
    ("wall", "/", None),
    ("worklist", "/worklist", "cases"),
    ("map", "/map", None),
    ("alarms", "/alarms", "cases"),
    ("quality", "/quality", "cases"),
)
LAST: tuple[Way, ...] = (("people", "/people", "accounts"), ("keys_of_emitters", "/keys", "accounts"))

KEYS = (("1 – 8", "key_systems"), ("0", "key_wall"), ("/", "key_search"), ("Tab, Enter", "key_tab"), ("?", "key_help"))
"""(key, word): what `board.js` does on each."""


@dataclass(frozen=True)
class PageContext:
    """One opened page: the account, the language, the watch that feeds it, and what its forms carry."""

    account: Account
    language: Language
    poller: Poller
    csrf: str = ""

    def word(self, key: str) -> str:
        """A text in the page's language."""
        return word(key, self.language)


def context_of(request: Request, poller: Poller) -> PageContext:
    """Who opened this page, and how they read it."""
    chosen = request.query_params.get("lang") or request.cookies.get("ioc_lang", "vi")
    return PageContext(request.state.account, "en" if chosen == "en" else "vi", poller, request.state.csrf)


def page(path: str, **options: Any) -> ui.page:
    """Registers a page. A busy machine may take its time: a page that comes late is better than an error."""
    dependencies = [Depends(limit_waiting_pages), *options.pop("dependencies", ())]
    return ui.page(path, response_timeout=BUILT_SECONDS, dependencies=dependencies, **options)


def limit_waiting_pages(request: Request) -> None:
    """503 for who asks for ever more pages and never connects: each takes memory until it is given up."""
    waiting = Counter(_asker(c.request) for c in Client.instances.values() if not c.has_socket_connection)
    asker = _asker(request)
    strangers = sum(number for (session, _), number in waiting.items() if not session)
    if waiting[asker] >= MOST_WAITING or (not asker[0] and strangers >= MOST_STRANGERS):
        raise HTTPException(503)


def _asker(request: Request) -> tuple[str, str]:
    """(session, ""), or ("", address) of who has none."""
    session = request.scope.get("state", {}).get("session", "")
    return session, "" if session or request.client is None else request.client.host


def form(context: PageContext, action: str, *content: object, **attributes: object) -> Html:
    """A form that changes something: without the session's token, which it carries, the doors refuse it."""
    token = tag("input", type="hidden", name="csrf", value=context.csrf)
    return tag("form", token, *content, method="post", action=action, **attributes)


def require_known(request: Request) -> None:
    """404 where an address names a system, a figure or a unit that there is not."""
    named = {**request.query_params, **request.path_params}
    try:
        units.get(named.get("unit") or "dong_nai")
    except units.UnknownUnit:
        raise HTTPException(404) from None
    if named.get("slug", "gis") not in SYSTEMS or named.get("code", "visits") not in CATALOGUE:
        raise HTTPException(404)


def setup_page(context: PageContext) -> None:
    """Style and language of the page; both are remembered by the browser."""
    ui.add_head_html(styles() + tag("script", src="/static/board.js", defer=""))
    ui.add_body_html(tag("div", context.word("cut_off"), id="cut-off", class_="trouble", role="alert"))
    content = ui.context.client.content.props(f"lang={context.language}")
    if slot := content.parent_slot:  # NiceGUI's page is a <main> too; the page's own is the one that counts
        slot.parent.tag = "div"


def header(context: PageContext, here: str) -> Render:
    """The bar at the top of an ordinary page."""
    with ui.element("header").classes("head"):
        ui.html(navigation(context, here), tag="nav", sanitize=False).props(f'aria-label="{context.word("pages")}"')
        origin = ui.label().classes("origin")
        waiting = ui.html("", tag="span", sanitize=False).classes("waiting")
        as_of = ui.label().classes("small")
        ui.html(account_menu(context, here), sanitize=False).classes("reader")
        public_mode(context)
    ui.html(keys(context), sanitize=False)
    banner = outage_banner(context)

    def render(view: LiveState, now: datetime) -> None:
        show_origin(context, origin, view)
        waiting.set_content(waiting_alarms(context, view))
        as_of.set_text(f"{context.word('as_of')} {clock_time(view.as_of)}")
        banner(view, now)

    return render


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
    """Links to the pages that the account may see."""
    links = (
        link(path, context.word(key), aria_current="page" if path == here.partition("?")[0] else None)
        for key, path, action in navigation_entries()
        if action is None or context.account.may(action)
    )
    return Html("".join([link("/", context.word("short_title"), class_="home"), *links]))


def account_menu(context: PageContext, here: str) -> Html:
    """Language, light, and the way out or in."""
    language = "vi" if context.language == "en" else "en"
    other = link(f"{here}{'&' if '?' in here else '?'}lang={language}", context.word("other_language"))
    light = tag("button", context.word("theme"), type="button", class_="plain", data_theme_switch="")
    name = f"{context.account.full_name} · {context.word('log_out')}"
    out = form(context, "/logout", tag("button", name, class_="plain"))
    return Html(other + light + (out if context.account.name else link("/login", context.word("log_in"))))


def public_mode(context: PageContext) -> None:
    """Say on a screen without login how its figures are rounded."""
    if context.account.role == "public":
        ui.label(context.word("public_mode")).classes("small")


def keys(context: PageContext) -> Html:
    """What the keyboard does; opened by `?`."""
    rows = (tag("li", tag("kbd", key), " ", context.word(word)) for key, word in KEYS)
    close = tag("form", tag("button", context.word("shut"), class_="plain"), method="dialog")
    return tag(
        "dialog", tag("h2", context.word("keys")), tag("ul", *rows), close, id="keys", aria_label=context.word("keys")
    )


def outage_banner(context: PageContext) -> Render:
    """The red band that says what cannot be reached."""
    banner = ui.label().classes("trouble").props("role=alert")

    def render(view: LiveState, now: datetime) -> None:
        texts = []
        if "database" in view.problems:
            stopped = clock_time(view.as_of) if now - view.as_of < timedelta(hours=12) else day_and_time(view.as_of)
            texts.append(f"{context.word('database')} {stopped}")
        if "broker" in view.problems:
            texts.append(context.word("broker"))
        banner.set_text(" · ".join(texts))
        banner.set_visibility(bool(texts))

    return render


def show_origin(context: PageContext, label: ui.label, view: LiveState) -> None:
    """Say where data is not real."""
    text = unreal(context, frozenset().union(*(tile.origins for tile in view.tiles.values())))
    label.set_text(text)
    label.set_visibility(bool(text))


def unreal(context: PageContext, origins: Set[str]) -> str:
    """What is not real of data of these origins; empty where all is."""
    return " · ".join(_unreal(context, origin) for origin in sorted(origins - {"real"}))


def _unreal(context: PageContext, origin: str) -> str:
    month = context.poller.view.shifted_month if origin == "shifted" else ""
    return context.word("shifted_month").format(month) if month else context.word(origin)


def keep_fresh(context: PageContext, *renders: Render) -> None:
    """Bring the page up to date now, with every look of the watch, and as time passes, for as long as it is open."""
    client, poller = ui.context.client, context.poller

    def tick() -> None:
        view, now = poller.view, clock.now()
        for render in renders:
            render(view, now)

    def tell() -> None:
        if client.has_socket_connection and tell in poller.listeners:
            with client:
                tick()

    tick()
    ui.timer(TICK_SECONDS, tick)
    poller.listeners.add(tell)
    client.on_delete(lambda: poller.listeners.discard(tell))


async def follow(context: PageContext, text: Callable[[], Awaitable[Html]], seconds: float = AGAIN_SECONDS) -> ui.html:
    """Show what `text` gives, and ask it again every few seconds for as long as the page is open: what it reads it had
    better share (`SharedCache`). Returns the element.

    Where there is too much to read, the page says so, above what it showed before; the trouble's band tells of outages.
    """
    shown = Html("")

    async def latest() -> Html:
        nonlocal shown
        try:
            shown = await text()
        except TooMuch:
            notice = tag("p", context.word("too_much"), class_="trouble", role="status")
            return Html(notice + shown) if shown else tag("main", notice, class_="page")
        return shown

    place = ui.html(await latest(), sanitize=False)

    async def again() -> None:
        place.set_content(await latest())

    ui.timer(seconds, again)
    return place
