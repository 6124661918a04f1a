"""The doors: every request and every connection of a page is asked who it is from, and each answer tells the browser
what it may do with it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qs, urlsplit

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.board.access import PUBLIC, Account, Action
from services.board.auth import audit, tokens
from services.board.auth.address import PREFIX, is_below
from services.board.auth.problems import Problem, unanswered
from services.board.auth.sessions import Session, Sessions, login_from
from services.board.live.query_pool import TooMuch
from services.board.ui.live_page import belongs, unstyled
from services.board.ui.markup import Html, link, styles, tag
from services.board.ui.periods import BadPeriod
from services.board.ui.words import Language, word
from services.kit import store
from services.kit.addresses import place_of
from services.kit.pace import Pace

COOKIE = "ioc_session"
ASSETS = ("/static/", "/favicon.ico")
ENTRY = ("/login", "/oidc/", "/api/openapi.json")
"""Paths that need no session: they show nothing of the centre."""
LANGUAGES: tuple[Language, ...] = ("vi", "en")
SAFE = ("GET", "HEAD")
PROGRAMS = re.compile(r"/(?:api|mcp)(?:/.*)?")
"""Paths for programs: they may show a token, and are answered in their own form."""
TOOLS = "/mcp"
QUESTIONS = 10.0, 100
"""Of one token, session, or address without: questions of programs a second and at once."""
LARGEST_FORM = 256 * 1024
FILES = ("/map/outlines", "/map/outlines/check", "/imports/file")
"""What takes more than a form; how much, it sees to itself."""
MOST_SOCKETS = 300
"""So many pages may be open of one session, or of one address without."""
_NUL = re.compile(rb"\x00|%00")
"""The one character that text in the database cannot hold, as it is or as addresses and forms write it."""
STRICT = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PAGES = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
HEADERS = {
    "content-security-policy": PAGES,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
"""On every answer, where it does not say otherwise itself."""


def add_errors(app: FastAPI) -> None:
    """Answer an outage of the database, and what is not allowed, as the doors do."""
    for outage in (*store.OUTAGE[:3], TimeoutError, ConnectionError):
        app.add_exception_handler(outage, lambda request, error: unavailable(request))
    app.add_exception_handler(TooMuch, lambda request, error: unavailable(request, "too_much"))
    app.add_exception_handler(BadPeriod, lambda request, error: plain_page(400, "bad_period"))
    app.add_exception_handler(RequestValidationError, lambda request, error: plain_page(400, "bad_address"))
    app.add_exception_handler(400, lambda request, error: unreadable())
    app.add_exception_handler(403, lambda request, error: forbidden())
    app.add_exception_handler(404, lambda request, error: plain_page(404, "not_found"))
    app.add_exception_handler(405, lambda request, error: plain_page(405, "bad_address"))
    app.add_exception_handler(413, lambda request, error: plain_page(413, "content_too_large"))
    app.add_exception_handler(422, lambda request, error: plain_page(422, error.detail))
    app.add_exception_handler(Exception, lambda request, error: plain_page(500, "failed"))


class AuthMiddleware:
    """ASGI middleware: puts `account`, `session` and `csrf` into `request.state`, or turns the request away.

    `find`: who shows a token. `guarded`: path -> what an account must be allowed for it and all below it. `home`: the
    board's address as people know it, where a proxy shows another.
    """

    def __init__(
        self,
        app: ASGIApp,
        sessions: Sessions,
        find: Callable[[str], Awaitable[tokens.Bearer | None]],
        public: bool,
        guarded: Mapping[str, Action],
        home: str | None = None,
    ) -> None:
        self._app, self._sessions, self._find, self._public, self._guarded = app, sessions, find, public, guarded
        self._home = home
        self._questions, self._sockets = Pace(*QUESTIONS), Counter[str]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        audit.ADDRESS.set(connection.client.host if connection.client else "")
        path = scope["path"]
        receive = receive if path in FILES or scope["type"] == "websocket" else _formed(receive)
        send = _armoured(send, connection.url.scheme in ("https", "wss"), lasting=path.startswith(ASSETS))
        if is_below(connection.headers.get(PREFIX)):
            await plain_page(400, "below_a_path")(scope, receive, send)
        elif "\0" in path or _NUL.search(scope["query_string"]):
            await unreadable()(scope, receive, send)
        elif path.startswith(ASSETS) or (path.startswith(ENTRY) and scope["type"] == "http"):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._connect(connection, receive, send)
        elif PROGRAMS.fullmatch(path):
            await self._serve(Request(scope, receive), receive, send)
        else:
            await self._answer(Request(scope, receive), receive, send)

    async def _answer(self, request: Request, receive: Receive, send: Send) -> None:
        try:
            session = await self._sessions.find(request.cookies.get(COOKIE))
        except store.OUTAGE:
            await unavailable(request)(request.scope, receive, send)
            return
        account = session.account if session else PUBLIC if self._public else None
        refusal = self._refusal(request, account)
        if refusal is None and session and request.method not in SAFE:
            try:
                receive, refusal = await _csrf_checked(request, session, receive)
            except HTTPException:
                refusal = unreadable()
        if refusal is not None or account is None:
            await (refusal or login(request))(request.scope, receive, send)
            return
        _let_in(request, account, session)
        await self._app(request.scope, receive, send)

    async def _serve(self, request: Request, receive: Receive, send: Send) -> None:
        try:
            key, account = await self._program(request)
        except Problem as problem:
            await problem.answer(request.scope["path"])(request.scope, receive, send)
            return
        request.scope.setdefault("state", {}).update(account=account, session=key, csrf="")
        await self._app(request.scope, receive, send)

    async def _program(self, request: Request) -> tuple[str, Account]:
        """Who asks, by token or, as the board's own pages do, by session; raises `Problem`."""
        way, _, token = request.headers.get("authorization", "").partition(" ")
        shown = way.lower() == "bearer"
        try:
            session = None if shown else await self._sessions.find(request.cookies.get(COOKIE))
            bearer = await self._find(token.strip()) if shown else None
        except store.OUTAGE:
            raise unanswered() from None
        known = bearer or session
        account = known.account if known else PUBLIC if self._public and not shown else None
        wait = self._questions.early(known.key if known else f"address {place_of(audit.ADDRESS.get())}")
        if wait:
            raise Problem(429, f"more than {QUESTIONS[0]:.0f} questions a second", retry=wait)
        if account is None or (request.method not in SAFE and bearer is None):
            why = "this token is not known, has expired or was revoked" if shown else "no token was shown"
            advice = "`ioc people token add` gives one; send it as `Authorization: Bearer TOKEN`"
            raise Problem(401, why, "Authorization", advice)
        if request.scope["path"].startswith(TOOLS) and request.method != "POST":
            raise Problem(405, "there are no sessions, so nothing is told that was not asked", allow="POST")
        return known.key if known else "", account

    def _refusal(self, request: Request, account: Account | None) -> Response | None:
        if account is None:
            return login(request)
        if request.method not in SAFE:
            if not ours(request, self._home):
                return forbidden("another_site")
            if account is PUBLIC:
                return login(request)
        if not self._may_see(account, request.scope["path"]):
            return login(request) if account is PUBLIC else forbidden()
        return None

    def _may_see(self, account: Account, path: str) -> bool:
        """`path`: as it was asked for, and not that of the URL, in which the Host header has a say."""
        needed = (action for guarded, action in self._guarded.items() if f"{path}/".startswith(f"{guarded}/"))
        return all(account.may(action) for action in needed)

    async def _connect(self, connection: HTTPConnection, receive: Receive, send: Send) -> None:
        """A page's connection: from this board's own pages alone, and by the session to which the page was given. Whose
        page was another's asks for the page itself, and is told there what there is to be told."""
        scope, refused = connection.scope, Response("this is no page of yours", 403)
        try:
            session = await self._sessions.find(connection.cookies.get(COOKIE))
        except store.OUTAGE:
            await Response("the database does not answer", 503)(scope, receive, send)
            return
        account = session.account if session else PUBLIC if self._public else None
        own = ours(connection, self._home) and belongs(scope["subprotocols"], session.csrf if session else "")
        if account is None or not own or not self._may_see(account, scope["path"]):
            await refused(scope, receive, send)
            return
        visitor = session.key if session else f"address {place_of(audit.ADDRESS.get())}"
        if self._sockets[visitor] >= MOST_SOCKETS:
            await Response("too many pages are open", 503)(scope, receive, send)
            return
        _let_in(connection, account, session)
        self._sockets[visitor] += 1
        answered = False

        async def sending(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
            if not answered:  # there is no such page, or not for them
                await refused(scope, receive, send)
        finally:
            self._sockets[visitor] -= 1
            self._sockets += Counter()  # forget who has none


def _let_in(connection: HTTPConnection, account: Account, session: Session | None) -> None:
    key, csrf = (session.key, session.csrf) if session else ("", "")
    connection.scope.setdefault("state", {}).update(account=account, session=key, csrf=csrf)


def ours(connection: HTTPConnection, home: str | None = None) -> bool:
    """Whether it was made by a page of this board, under the name it was asked by or under that of its `home`."""
    origin = urlsplit(connection.headers.get("origin", "")).netloc
    return bool(origin) and origin in (connection.headers.get("host"), urlsplit(home or "").netloc)


async def _csrf_checked(request: Request, session: Session, receive: Receive) -> tuple[Receive, Response | None]:
    """Whether what changes something carries the session's csrf token: as a field of the form, or as `x-csrf`."""
    if request.headers.get("x-csrf") == session.csrf:
        return receive, None
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    if form and int(request.headers.get("content-length") or LARGEST_FORM) < LARGEST_FORM:
        body = await request.body()
        if parse_qs(body.decode("utf-8", "replace")).get("csrf") == [session.csrf]:
            return _again(body, receive), None
    return receive, forbidden("stale_form")


def _formed(receive: Receive) -> Receive:
    """A body no larger than a form can be, and without what no table holds: who reads on is told 413, or 400."""
    size, last = 0, b""

    async def give() -> Message:
        nonlocal size, last
        message = await receive()
        part = message.get("body", b"")
        size, last = size + len(part), last[-2:] + part
        if size > LARGEST_FORM:
            raise HTTPException(413)
        if _NUL.search(last):
            raise HTTPException(400)
        return message

    return give


def _again(body: bytes, receive: Receive) -> Receive:
    """Give a body that was read to the next one who asks for it."""
    rest: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def give() -> Message:
        return rest.pop() if rest else await receive()

    return give


def _armoured(send: Send, secure: bool, lasting: bool) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if not lasting:
                headers.setdefault("cache-control", "no-store")
            if secure:
                headers.setdefault("strict-transport-security", "max-age=31536000")
        await send(message)

    return sending


def fields_of(body: bytes, several: str = "") -> dict[str, str]:
    """The fields of a form, each once: which of two values is meant nobody can tell, so `HTTPException` 422. Of the
    field `several` there may be more, of which this is the first."""
    form = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    if any(len(values) > 1 for name, values in form.items() if name != several):
        raise HTTPException(422, "given_twice")
    return {name: values[0] for name, values in form.items()}


def items_of(body: bytes) -> list[str]:
    """What is chosen in a list, each once."""
    return list(dict.fromkeys(parse_qs(body.decode("utf-8", "replace")).get("item", ())))


def language_of(connection: HTTPConnection) -> Language:
    """How whoever asks reads."""
    return "en" if (connection.query_params.get("lang") or connection.cookies.get("ioc_lang")) == "en" else "vi"


def login(request: Request) -> Response:
    """To the log-in and back again for somebody who opens a page; for all else, that it needs one."""
    if request.method not in SAFE or "text/html" not in request.headers.get("accept", ""):
        return Response("log in first", 401, {"cache-control": "no-store"})
    return RedirectResponse(login_from(request), 303, {"cache-control": "no-store"})


def forbidden(reason: str = "forbidden") -> Response:
    """403 in both languages."""
    return plain_page(403, reason)


def unreadable() -> Response:
    """400 in both languages."""
    return plain_page(400, "odd_characters")


def unavailable(request: HTTPConnection, reason: str = "unavailable") -> Response:
    """503 in both languages, with the way to ask again; where that changes nothing, it does so by itself."""
    safe = request.scope.get("method") in SAFE or request.scope["path"].startswith(ENTRY)
    again = link("" if safe else "/", f"{word('try_again', 'vi')} · {word('try_again', 'en')}")
    return plain_page(503, reason, '<meta http-equiv="refresh" content="3">' if safe else "", "busy", tag("p", again))


def plain_page(status: int, reason: str, head: str = "", heading: str = "", more: str = "") -> Response:
    """A page that says one thing in both languages, without a script."""
    vi, en = (tag("p", word(reason, language), lang=language) for language in LANGUAGES)
    title = " · ".join(word(heading, language) for language in LANGUAGES) if heading else str(status)
    back = tag("p", link("/", word("title", "vi")))
    return page("vi", Html(tag("h1", title) + vi + en + more + back), status, head)


def page(language: Language, content: Html, status: int = 200, head: str = "", light: bool = False) -> Response:
    """A page without a script."""
    kind = "enter light" if light else "enter"
    content = Html(unstyled(language) + content)
    text = _PAGE.format(lang=language, title=word("title", language), content=content, head=styles() + head, kind=kind)
    return HTMLResponse(text, status, {"content-security-policy": STRICT, "cache-control": "no-store"})


_PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>{head}</head>
<body class="{kind}"><main>{content}</main></body></html>
"""
