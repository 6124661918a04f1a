"""The way in: every request is asked who it is from; log-in and log-out as plain forms that need no script."""

from __future__ import annotations

import html
import time
from collections import defaultdict, deque
from urllib.parse import parse_qs, quote, urlsplit

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from psycopg_pool import AsyncConnectionPool
from starlette.types import ASGIApp, Receive, Scope, Send

from services.board import accounts
from services.board.access import PUBLIC
from services.board.words import Language, word
from services.kit import clock, store

COOKIE = "ioc_session"
OPEN = ("/login", "/static/", "/_nicegui", "/oidc/", "/health")
"""Paths that need no session: they show nothing of the centre."""
FAILURES, WITHIN_SECONDS = 5, 300.0
"""After so many wrong passwords for a name, or from an address, within that time, none is tried any more."""


class Doors:
    """ASGI middleware: puts the account into `request.state.account`, or sends to the log-in."""

    def __init__(self, app: ASGIApp, pool: AsyncConnectionPool, public: bool) -> None:
        self._app, self._pool, self._public = app, pool, public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http" or scope["path"].startswith(OPEN):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            session = await find(self._pool, request)
        except store.OUTAGE:
            await _unavailable()(scope, receive, send)
            return
        account = session.account if session else PUBLIC if self._public else None
        if account is None:
            await _to_login(request)(scope, receive, send)
        elif request.method != "GET" and not _ours(request):
            await Response("this request comes from another site", 403)(scope, receive, send)
        else:
            scope.setdefault("state", {}).update(account=account, csrf=session.csrf if session else "")
            await self._app(scope, receive, send)


async def find(pool: AsyncConnectionPool, request: Request) -> accounts.Session | None:
    """The session that a request belongs to."""
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    async with pool.connection() as conn:
        return await accounts.find_session(conn, token, clock.now())


def _ours(request: Request) -> bool:
    """Whether a request that changes something was made by a page of this board."""
    origin = request.headers.get("origin", "")
    return urlsplit(origin).netloc == request.headers.get("host")


def _to_login(request: Request) -> Response:
    if request.method != "GET" or "text/html" not in request.headers.get("accept", ""):
        return Response("log in first", 401)
    return RedirectResponse(f"/login?next={quote(request.url.path, safe='')}", 303)


def _unavailable() -> Response:
    return HTMLResponse("<h1>503</h1><p>Cơ sở dữ liệu chưa sẵn sàng. The database does not answer.</p>"
                        "<script>setTimeout(() => location.reload(), 2000)</script>", 503)  # fmt: skip


class Brake:
    """Counts failures by name and by address; `closed` while there were too many of late."""

    def __init__(self) -> None:
        self._failures: dict[str, deque[float]] = defaultdict(deque)

    def closed(self, *keys: str) -> bool:
        """Whether one of the keys has failed too often."""
        return any(len(self._recent(key)) >= FAILURES for key in keys)

    def fail(self, *keys: str) -> None:
        """Note a failure."""
        for key in keys:
            self._recent(key).append(time.monotonic())

    def _recent(self, key: str) -> deque[float]:
        failures = self._failures[key]
        while failures and failures[0] < time.monotonic() - WITHIN_SECONDS:
            failures.popleft()
        return failures


def add_login(app: FastAPI, pool: AsyncConnectionPool) -> None:
    """The forms at /login and /logout."""
    brake = Brake()

    @app.get("/login")
    async def form(next: str = "/", lang: Language = "vi") -> Response:
        return _form(next, lang)

    @app.post("/login")
    async def log_in(request: Request) -> Response:
        if not _ours(request):
            return Response("this request comes from another site", 403)
        fields = {k: v[0] for k, v in parse_qs((await request.body()).decode("utf-8", "replace")).items()}
        name, target = fields.get("name", ""), _inside(fields.get("next", "/"))
        keys = (f"name {name}", f"address {request.client.host if request.client else ''}")
        if brake.closed(*keys):
            return _form(target, "vi", "too_many", 429)
        async with pool.connection() as conn:
            account = await accounts.check(conn, name, fields.get("password", ""))
            if account is None:
                brake.fail(*keys)
                return _form(target, "vi", "wrong_password", 401)
            token = await accounts.open_session(conn, account, clock.now())
        answer = RedirectResponse(target, 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(
            COOKIE, token, httponly=True, samesite="lax", secure=secure, max_age=int(accounts.LONGEST.total_seconds())
        )
        return answer

    @app.post("/logout")
    async def log_out(request: Request) -> Response:
        async with pool.connection() as conn:
            await accounts.close_session(conn, request.cookies.get(COOKIE, ""))
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE)
        return answer


def _inside(target: str) -> str:
    """Where to go after the log-in: a path of this board, never another site."""
    return target if target.startswith("/") and not target.startswith(("//", "/\\")) else "/"


def _form(target: str, language: Language, problem: str = "", status: int = 200) -> Response:
    said = f'<p role="alert" class="problem">{word(problem, language)}</p>' if problem else ""
    page = _PAGE.format(
        lang=language,
        title=word("title", language),
        said=said,
        name=word("account", language),
        password=word("password", language),
        enter=word("log_in", language),
        target=html.escape(_inside(target), quote=True),
    )
    return HTMLResponse(page, status)


_PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="stylesheet" href="/static/board.css"></head>
<body class="enter"><main><h1>{title}</h1>{said}
<form method="post" action="/login"><input type="hidden" name="next" value="{target}">
<label>{name}<input name="name" autocomplete="username" required autofocus></label>
<label>{password}<input name="password" type="password" autocomplete="current-password" required></label>
<button>{enter}</button></form></main></body></html>
"""
