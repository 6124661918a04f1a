"""The frame of every page: who looks, in which language, the way to the other pages, and what cannot be reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import HTTPException
from nicegui import ui
from starlette.requests import Request

from schemas import units
from schemas.indicators import CATALOGUE
from schemas.registry import SYSTEMS
from services.board.access import Account, Action
from services.board.markup import Html, link, tag
from services.board.watch import View, Watch
from services.board.words import Language, clock_time, word
from services.kit import clock

TICK_SECONDS = 0.5
"""How often a page looks at the clock, and at what cannot be reached."""
BUILT_SECONDS = 30.0
Render = Callable[[View, datetime], None]
NAVIGATION: tuple[tuple[str, str, Action | None], ...] = (
    ("wall", "/", None),
    ("worklist", "/worklist", "cases"),
    ("map", "/map", None),
    ("alarms", "/alarms", "cases"),
    ("quality", "/quality", "cases"),
    ("sources", "/sources", None),
    ("people", "/people", "accounts"),
)
"""(word, path, what one must be allowed for it): the pages that every page leads to."""

KEYS = (("1 – 8", "key_systems"), ("0", "key_wall"), ("/", "key_search"), ("Tab, Enter", "key_tab"), ("?", "key_help"))
"""(key, word): what `board.js` does on each."""


@dataclass(frozen=True)
class Look:
    """One opened page: the account, the language, the watch that feeds it, and what its forms carry."""

    account: Account
    language: Language
    watch: Watch
    csrf: str = ""

    def word(self, key: str) -> str:
        """A text in the page's language."""
        return word(key, self.language)


def look_of(request: Request, watch: Watch) -> Look:
    """Who opened this page, and how they read it."""
    chosen = request.query_params.get("lang") or request.cookies.get("ioc_lang", "vi")
    return Look(request.state.account, "en" if chosen == "en" else "vi", watch, request.state.csrf)


def page(path: str, **options: Any) -> ui.page:
    """Registers a page. A busy machine may take its time: a page that comes late is better than an error."""
    return ui.page(path, response_timeout=BUILT_SECONDS, **options)


def form(look: Look, action: str, *content: object, **attributes: object) -> Html:
    """A form that changes something: without the session's token, which it carries, the doors refuse it."""
    token = tag("input", type="hidden", name="csrf", value=look.csrf)
    return tag("form", token, *content, method="post", action=action, **attributes)


def known(request: Request) -> None:
    """404 where an address names a system, a figure or a unit that there is not."""
    named = {**request.query_params, **request.path_params}
    try:
        units.get(named.get("unit") or "dong_nai")
    except units.UnknownUnit:
        raise HTTPException(404) from None
    if named.get("slug", "gis") not in SYSTEMS or named.get("code", "visits") not in CATALOGUE:
        raise HTTPException(404)


def dress(look: Look) -> None:
    """Style and language of the page; both are remembered by the browser."""
    ui.add_head_html('<link rel="stylesheet" href="/static/board.css"><script src="/static/board.js" defer></script>')
    ui.add_body_html(tag("div", look.word("cut_off"), id="cut-off", class_="trouble", role="alert"))
    content = ui.context.client.content.props(f"lang={look.language}")
    if slot := content.parent_slot:  # NiceGUI's page is a <main> too; the page's own is the one that counts
        slot.parent.tag = "div"


def header(look: Look, here: str) -> Render:
    """The bar at the top of an ordinary page."""
    with ui.element("header").classes("head"):
        ui.html(ways(look, here), tag="nav", sanitize=False).props(f'aria-label="{look.word("pages")}"')
        origin = ui.label().classes("origin")
        waiting = ui.html("", tag="span", sanitize=False).classes("waiting")
        as_of = ui.label().classes("small")
        ui.html(reader(look, here), sanitize=False).classes("reader")
    ui.html(keys(look), sanitize=False)
    banner = trouble(look)

    def render(view: View, now: datetime) -> None:
        show_origin(look, origin, view)
        waiting.set_content(waiting_alarms(look, view))
        as_of.set_text(f"{look.word('as_of')} {clock_time(view.as_of)}")
        banner(view, now)

    return render


def waiting_alarms(look: Look, view: View) -> Html:
    """How many critical alarms nobody has, for who may do something about them."""
    number = view.bells.critical_for(look.account) if look.account.may("cases") else 0
    told = look.word("critical_waiting").format(number)
    target = "/alarms?severity=critical&status=active"
    return link(target, f"▲ {number}", title=told, aria_label=told) if number else Html("")


def ways(look: Look, here: str) -> Html:
    """Links to the pages that the account may see."""
    links = (
        link(path, look.word(key), aria_current="page" if path == here.partition("?")[0] else None)
        for key, path, action in NAVIGATION
        if action is None or look.account.may(action)
    )
    return Html("".join([link("/", look.word("short_title"), class_="home"), *links]))


def reader(look: Look, here: str) -> Html:
    """Language, light, and the way out or in."""
    language = "vi" if look.language == "en" else "en"
    other = link(f"{here}{'&' if '?' in here else '?'}lang={language}", look.word("other_language"))
    light = tag("button", look.word("theme"), type="button", class_="plain", data_theme_switch="")
    name = f"{look.account.full_name} · {look.word('log_out')}"
    out = form(look, "/logout", tag("button", name, class_="plain"))
    return Html(other + light + (out if look.account.name else link("/login", look.word("log_in"))))


def keys(look: Look) -> Html:
    """What the keyboard does; opened by `?`."""
    rows = (tag("li", tag("kbd", key), " ", look.word(word)) for key, word in KEYS)
    close = tag("form", tag("button", look.word("shut"), class_="plain"), method="dialog")
    return tag("dialog", tag("h2", look.word("keys")), tag("ul", *rows), close, id="keys", aria_label=look.word("keys"))


def trouble(look: Look) -> Render:
    """The red band that says what cannot be reached."""
    banner = ui.label().classes("trouble").props("role=alert")

    def render(view: View, now: datetime) -> None:
        texts = []
        if "database" in view.problems:
            texts.append(f"{look.word('database')} {clock_time(view.as_of)}")
        if "broker" in view.problems:
            texts.append(look.word("broker"))
        banner.set_text(" · ".join(texts))
        banner.set_visibility(bool(texts))

    return render


def show_origin(look: Look, label: ui.label, view: View) -> None:
    """Say where data is not real."""
    origins = frozenset().union(*(tile.origins for tile in view.tiles.values())) - {"real"}
    label.set_text(" · ".join(look.word(o) for o in sorted(origins)))
    label.set_visibility(bool(origins))


def keep_fresh(look: Look, *renders: Render) -> None:
    """Bring the page up to date now, with every look of the watch, and as time passes, for as long as it is open."""
    client, watch = ui.context.client, look.watch

    def tick() -> None:
        view, now = watch.view, clock.now()
        for render in renders:
            render(view, now)

    def tell() -> None:
        if client.has_socket_connection and tell in watch.listeners:
            with client:
                tick()

    tick()
    ui.timer(TICK_SECONDS, tick)
    watch.listeners.add(tell)
    client.on_delete(lambda: watch.listeners.discard(tell))
