"""A page as a document that is whole when it comes, and the connection that keeps its places up to date.

A page is asked for twice at the same address: as a document, by whoever opens it, and as a WebSocket, by its
script. Both ask the same function, so that nothing of a page is kept between them: a board that is started anew goes on
with the pages that are open. Over the connection the board alone speaks: `{"place": "its HTML"}` for each place that
has changed, `{}` to say that it is still there.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache, wraps
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Depends, FastAPI
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from schemas.text.dates import day_and_time
from services.board.access import Account
from services.board.live.connections import Connections
from services.board.live.patience import BUSY, PATIENCE, Patience, in_patience
from services.board.live.poller import LiveState, Poller
from services.board.live.query_pool import TooMuch
from services.board.ui.locality import NOWHERE, Locality, locality_of
from services.board.ui.markup import Html, link, styles, tag
from services.board.ui.periods import SO_FAR, PeriodChoice, today
from services.board.ui.words import Language, ago, word
from services.kit import clock, store

log = logging.getLogger("board")
TICK_SECONDS = 0.5
"""How often a page looks at the clock, and at what cannot be reached."""
BEAT_SECONDS = 2.0
"""How often a page hears from the board at least; its script takes the connection for lost somewhat later."""
AGAIN_SECONDS = 5.0
"""How often an open page asks again for what it shows, see `Asked`."""
ENDED = 4401
"""The code by which a page learns that its session has ended."""
STATIC = Path(__file__).parents[1] / "static"


@dataclass(frozen=True)
class PageContext:
    """One opened page: the account, the language, the watch that feeds it, what its forms carry, which period its
    figures are to be of, and whose board it is."""

    account: Account
    language: Language
    poller: Poller
    csrf: str = ""
    light: bool = False
    chosen: PeriodChoice = SO_FAR
    locality: Locality = NOWHERE

    def word(self, key: str) -> str:
        """A text in the page's language."""
        return word(key, self.language)


def context_of(asked: HTTPConnection, poller: Poller) -> PageContext:
    """Who opened this page, how they read it and of which period. Raises `BadPeriod`."""
    chosen = asked.query_params.get("lang") or asked.cookies.get("ioc_lang", "vi")
    light = asked.cookies.get("ioc_theme") == "light"
    period = PeriodChoice.parse(asked.query_params, today(clock.now()))
    language: Language = "en" if chosen == "en" else "vi"
    return PageContext(asked.state.account, language, poller, asked.state.csrf, light, period, locality_of(asked))


def unit_of(context: PageContext, asked: HTTPConnection) -> str:
    """The unit that a page is of where its address says none: the first of those that the account is bounded to; ""
    is the whole locality, which `unit=` asks for too."""
    own = context.account.units
    return asked.query_params.get("unit", own[0] if own else "")


def own_address(path: str, asked: HTTPConnection) -> str:
    """A page's address with all that it asks for but the language: who changes that stays where they are."""
    asked_for = urlencode([(key, text) for key, text in asked.query_params.multi_items() if key != "lang"])
    return f"{path}?{asked_for}" if asked_for else path


@dataclass(frozen=True)
class Live:
    """A place on a page that follows the watch: its HTML of a look at a moment."""

    id: str
    draw: Callable[[LiveState, datetime], Html]


@dataclass(frozen=True)
class Asked:
    """A place on a page whose content is asked for: now, and again every few seconds for as long as the page is open.

    What `ask` gives had better be shared (`SharedCache`, `ChangeCache`); it is drawn again where it is another object.
    `first`: what a page may open with where that is at hand sooner. `title`: what the page is of, where the content has
    its heading, for as long as there is none.
    """

    id: str
    ask: Callable[[], Awaitable[Any]]
    draw: Callable[[Any], Html]
    seconds: float = AGAIN_SECONDS
    first: Callable[[], Awaitable[Any]] | None = None
    title: str = ""


async def not_yet() -> None:
    """What a place opens with whose content takes long to read: nothing."""


Places = Mapping[str, Html]
"""The places of a page as they stand in its document."""


@dataclass(frozen=True)
class LivePage:
    """A page: what lives on it, and what stands around that. `body` is asked for the document alone, so that what is
    told once can be told there. `stands_in`: for another, which could not be had in time."""

    context: PageContext
    body: Callable[[Places], Awaitable[Html]]
    live: Sequence[Live] = ()
    asked: Sequence[Asked] = ()
    scripts: Sequence[str] = ()
    stands_in: bool = False

    async def document(self, until: float) -> Response:
        """The whole page as of now, or as far as it is known by then (`Patience`)."""
        view, now = self.context.poller.view, clock.now()
        places = {one.id: _place(one.id, one.draw(view, now)) for one in self.live}
        contents = await asyncio.gather(*(_drawn_first(self.context, one, until) for one in self.asked))
        places |= {one.id: _place(one.id, html) for one, html in zip(self.asked, contents, strict=True)}
        PATIENCE.set(Patience(until))
        return HTMLResponse(document_of(self.context, await self.body(places), self.scripts))


@dataclass(frozen=True)
class Pages:
    """Where pages are registered. `busy`: what stands in for the page at a path while that cannot be had."""

    app: FastAPI
    poller: Poller
    connections: Connections
    busy: Callable[[PageContext, str], LivePage]

    def page(self, path: str, dependencies: Sequence[Any] = ()) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Registers what makes a page, or a response in its stead, of whoever asks for a path (`asked`). Its parameters
        are those of FastAPI, and it asks for nothing that `LivePage` can ask for later."""

        def register(make: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(make)
            async def in_time(*args: Any, asked: HTTPConnection, **named: Any) -> Any:
                patience = Patience.begins()
                asked.state.until, waits = patience.until, PATIENCE.set(patience)
                try:
                    return await in_patience(make(*args, asked=asked, **named))
                except BUSY:
                    return self.busy(context_of(asked, self.poller), asked.scope["path"])
                finally:
                    PATIENCE.reset(waits)

            page = Depends(in_time)

            async def document(asked: HTTPConnection, made: Any = page) -> Response:
                return made if isinstance(made, Response) else await made.document(asked.state.until)

            async def connection(socket: WebSocket, made: Any = page) -> None:
                if isinstance(made, LivePage) and not made.stands_in:
                    with self.connections.opened(socket.state.session) as ended:
                        await keep_up(socket, made, ended)

            self.app.get(path, dependencies=dependencies, response_model=None)(document)
            self.app.websocket(path, dependencies=dependencies)(connection)
            return make

        return register


def document_of(context: PageContext, content: Html, scripts: Iterable[str] = ()) -> str:
    """A whole page of HTML."""
    head = (
        Html('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        tag("title", context.word("short_title")),
        styles(),
        *(tag("script", src=f"/static/{name}.js", defer="") for name in ("board", "live", *scripts)),
    )
    cut_off = tag("div", context.word("cut_off"), id="cut-off", class_="trouble", role="alert")
    body = tag(
        "body",
        unstyled(context.language),
        cut_off,
        content,
        class_="light" if context.light else None,
        data_protocol=protocol(),
        data_session=context.csrf,
    )
    return "<!doctype html>\n" + tag("html", tag("head", *head), body, lang=context.language)


def unstyled(language: Language) -> Html:
    """What the style sheets hide: that they could not be loaded, as below a path that a proxy takes away unsaid."""
    return tag("p", word("unstyled", language), class_="unstyled")


@cache
def protocol() -> str:
    """What a page and the board must both have: other scripts make another page."""
    files = sorted(STATIC.glob("*.js"))
    return "ioc." + hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def belongs(offered: Sequence[str], csrf: str) -> bool:
    """Whether a connection was made by a page that this board gave to the session with that token, or without one."""
    return list(offered) == [protocol(), *([csrf] if csrf else [])]


async def keep_up(socket: WebSocket, page: LivePage, ended: asyncio.Event) -> None:
    """Send the places of a page as they change, until it is closed or its session has ended."""
    await socket.accept(subprotocol=protocol())
    sending = _Sending(socket)
    endless = [_hear(socket), sending.run(), _follow(page, sending), *(_ask(page, one, sending) for one in page.asked)]
    tasks = [asyncio.create_task(one) for one in endless]
    tasks.append(asyncio.create_task(_ended(socket, ended)))
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if (error := task.exception()) and not isinstance(error, WebSocketDisconnect):
                log.error("a page ends: %s", type(error).__name__, exc_info=error)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    with suppress(RuntimeError, WebSocketDisconnect):  # it may be closed already
        await socket.close(1008)


class _Sending:
    """What a page is to be sent: of each place the newest alone, however slowly it is read."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket, self._waiting, self._news = socket, dict[str, Html](), asyncio.Event()

    def put(self, id: str, content: Html) -> None:
        """Have a place sent."""
        self._waiting[id] = content
        self._news.set()

    async def run(self) -> None:
        """Send what there is, and else a sign of life."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT_SECONDS):  # `wait_for` of Python 3.11 may swallow a cancellation
                    await self._news.wait()
            self._news.clear()
            told, self._waiting = self._waiting, {}
            await self._socket.send_text(json.dumps(told, ensure_ascii=False))


async def _hear(socket: WebSocket) -> None:
    """A page has nothing to say: who says something is cut off, as who hangs up."""
    await socket.receive()


async def _ended(socket: WebSocket, ended: asyncio.Event) -> None:
    await ended.wait()
    await socket.close(ENDED)


async def _follow(page: LivePage, sending: _Sending) -> None:
    """Draw what follows the watch, with each look of it and as time passes."""
    poller, shown = page.context.poller, dict[str, Html]()
    while True:
        view, now = poller.view, clock.now()
        for one in page.live:
            if (content := one.draw(view, now)) != shown.get(one.id):
                shown[one.id] = content
                sending.put(one.id, content)
        await poller.looked(TICK_SECONDS)


async def _ask(page: LivePage, one: Asked, sending: _Sending) -> None:
    """Ask for a place for ever. Where there is too much to read it says so, above what it showed before; the band at
    the top tells of outages."""
    answer, drawn, shown = None, Html(""), Html("")
    while True:
        content = shown
        try:
            if (given := await one.ask()) is not answer and given is not None:
                answer, drawn = given, one.draw(given)
            content = drawn
        except TooMuch:
            content = Html(too_much(page.context) + drawn)
        except store.OUTAGE:
            pass
        if content != shown:
            shown = content
            sending.put(one.id, content)
        await asyncio.sleep(one.seconds)


async def _drawn_first(context: PageContext, one: Asked, until: float) -> Html:
    """A place with the newest, or with what was known before, or with the reason that it is empty."""
    patience, title = Patience(until), tag("h1", one.title) if one.title else Html("")
    PATIENCE.set(patience)  # each place is drawn in a task of its own
    try:
        content = one.draw(await in_patience((one.first or one.ask)()))
    except TooMuch:
        return Html(title + too_much(context))
    except BUSY:
        return Html(title + busy(context))
    return Html(busy(context, patience.of) + content) if patience.of else content


def too_much(context: PageContext) -> Html:
    """That there is more to read than can be read now."""
    return tag("p", context.word("too_much"), class_="trouble", role="status")


def busy(context: PageContext, of: datetime | None = None) -> Html:
    """That the newest cannot be had now, of when what is shown is, and the way to ask again."""
    shown = context.word("last_known").format(day_and_time(of), ago(of, clock.now(), context.language)) if of else ""
    again = link("", context.word("try_again"))
    said = (tag("strong", shown), " · ") if shown else ()
    return tag("p", *said, context.word("busy"), " · ", again, class_="busy", role="status")


def _place(id: str, content: Html) -> Html:
    return tag("div", content, id=id, class_="live")
