"""Log-in and log-out as plain forms that need no script, and the brake on those who try passwords."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from services.board.access import PUBLIC, Account
from services.board.auth import accounts, audit, sessions
from services.board.auth.middleware import (
    COOKIE,
    LARGEST_FORM,
    fields_of,
    forbidden,
    language_of,
    ours,
    page,
    plain_page,
)
from services.board.ui.locality import locality_of
from services.board.ui.markup import Html, link, tag
from services.board.ui.words import Language, word
from services.kit import clock
from services.kit.addresses import place_of

WITHIN_SECONDS = 300.0
PAIR, NAME, ADDRESS = 5, 20, 40
"""Failures within `WITHIN_SECONDS` after which no password is tried any more: for a name from one address, for a name
from anywhere (so that nobody can shut others out from a single place), from one address for any name."""
KNOWN = timedelta(days=90)
KEYS = 10_000
LONGEST_NAME = 40
LeaveProvider = Callable[[Request, Account], Awaitable[str | None]]
"""Where a browser ends its session at the OpenID provider too; None: there is no such place."""
_WITHIN = re.compile(r"/(?![/\\])[^\x00-\x20\\\x7f]*")


class Brake:
    """Counts tries by name and address; it forgets when the board is started anew."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._tries: dict[str, deque[float]] = {}

    def take(self, name: str, address: str, known: bool = False) -> bool:
        """Count a try before it is made, so that many at once are no way around; False: it must not be made.

        From where the account was entered before (`known`), what others have tried elsewhere does not count.
        """
        limits = dict(zip(_keys(name, address), (PAIR, NAME, ADDRESS), strict=True))
        if known:
            limits = {key: limit for key, limit in limits.items() if limit == PAIR}
        if any(len(self._recent(key)) >= limit for key, limit in limits.items()):
            return False
        for key in limits:
            self._tries.setdefault(key, deque()).append(self._now())
        return True

    def forgive(self, name: str, address: str) -> None:
        """The try was a good one: the name's failures are forgotten, and it does not count for the address."""
        pair, *others = _keys(name, address)
        self._tries.pop(pair, None)
        for key in others:
            if tries := self._tries.get(key):
                tries.pop()

    def _recent(self, key: str) -> deque[float]:
        if len(self._tries) > KEYS:
            self._tries = {k: tries for k, tries in self._tries.items() if tries and tries[-1] > self._begin}
        tries = self._tries.get(key, deque())
        while tries and tries[0] <= self._begin:
            tries.popleft()
        return tries

    @property
    def _begin(self) -> float:
        return self._now() - WITHIN_SECONDS


def _keys(name: str, address: str) -> tuple[str, str, str]:
    """Under what a try is counted. No account's name is longer, and who has one IPv6 address has its whole network."""
    name = name[:LONGEST_NAME]
    return f"pair {name} {place_of(address)}", f"name {name}", f"address {place_of(address)}"


def add(app: FastAPI, pool: AsyncConnectionPool, home: str | None, leave: LeaveProvider | None) -> None:
    """The forms at /login and /logout; `leave`: the way out of the OpenID provider by which one can enter too."""
    brake, provider = Brake(), leave is not None

    @app.get("/login")
    async def form(request: Request, next: str = "/") -> Response:
        return login_page(request, next, provider=provider)

    @app.post("/login")
    async def log_in(request: Request) -> Response:
        if not ours(request, home):
            return forbidden("another_site")
        if int(request.headers.get("content-length") or LARGEST_FORM) >= LARGEST_FORM:
            return plain_page(413, "content_too_large")
        fields = fields_of(await request.body())
        name, target = accounts.plain(fields.get("name", "")), fields.get("next", "/")
        account, problem = await _try(pool, brake, name, fields.get("password", ""))
        if account is None:
            return login_page(request, target, problem, 429 if problem == "too_many" else 401, provider)
        return await enter(pool, request, account, target)

    @app.post("/logout")
    async def log_out(request: Request) -> Response:
        token, account = request.cookies.get(COOKIE, ""), request.state.account
        async with _connection(pool) as conn, conn.transaction():
            await sessions.end(conn, token)
            await audit.note(conn, account, "logout")
        away = await leave(request, account) if leave and sessions.way_of(token) == "oidc" else None
        answer = _leaving(request, away) if away else RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE)
        return answer


async def _try(pool: AsyncConnectionPool, brake: Brake, name: str, password: str) -> tuple[Account | None, str]:
    """The account, or why there is none. What was typed as a name is kept only if it is one: it may be a password."""
    address = audit.ADDRESS.get()
    if not brake.take(name, address) and not (
        await _was_entered_from(pool, name, address) and brake.take(name, address, known=True)
    ):
        return None, "too_many"
    async with _connection(pool) as conn:
        found = await accounts.candidate(conn, name)
    if await accounts.is_password(found.kept, password):
        brake.forgive(name, address)
        return found.account, ""
    async with _connection(pool) as conn:
        await audit.note(conn, PUBLIC, "login.failed", found.account.name if found.account else "")
    return None, "wrong_password"


async def _was_entered_from(pool: AsyncConnectionPool, name: str, address: str) -> bool:
    """Whether the account was entered from this place within `KNOWN`: there its owner is not shut out by strangers."""
    async with _connection(pool) as conn:
        rows = await (await conn.execute(_ENTERED_FROM, (name, clock.now() - KNOWN))).fetchall()
    return any(place_of(known) == place_of(address) for (known,) in rows)


_ENTERED_FROM = "SELECT DISTINCT address FROM audit WHERE subject = %s AND action = 'login' AND at > %s"


def _connection(pool: AsyncConnectionPool) -> AbstractAsyncContextManager[AsyncConnection]:
    return pool.connection(timeout=sessions.ANSWER_SECONDS)


async def enter(
    pool: AsyncConnectionPool, request: Request, account: Account, target: str, way: str = "password"
) -> Response:
    """Begin a session and go on to `target`; a session that this browser had before ends."""
    async with _connection(pool) as conn, conn.transaction():
        await sessions.end(conn, request.cookies.get(COOKIE, ""))
        token = await sessions.begin(conn, account, clock.now(), way)
        await audit.note(conn, account, "login", account.name, {"way": way})
    answer = RedirectResponse(inside(target), 303)
    lasts = int(sessions.COOKIE_LASTS.total_seconds())
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, token, max_age=lasts, httponly=True, samesite="lax", secure=secure)
    return answer


def inside(target: str) -> str:
    """Where to go after the log-in: a path of this board, never another site."""
    return target if _WITHIN.fullmatch(target) and not target.startswith(("/login", "/logout", "/oidc/")) else "/"


def login_page(request: Request, target: str, problem: str = "", status: int = 200, provider: bool = False) -> Response:
    """The form, with what was wrong before."""
    language = language_of(request)
    target = inside(target)
    said = tag("p", word(problem, language), role="alert", class_="problem") if problem else ""
    by_provider = link(sessions.with_next("/oidc/login", target), word("log_in_oidc", language), class_="way")
    other = f"{sessions.with_next('/login', target)}&lang={'vi' if language == 'en' else 'en'}"
    content = (
        locality_of(request).sign(), tag("h1", word("title", language)), said, _form(language, target),
        tag("p", by_provider) if provider else "",
        tag("p", link(other, word("other_language", language)), class_="small"),
    )  # fmt: skip
    answer = _page(request, Html("".join(content)), status)
    answer.set_cookie("ioc_lang", language, max_age=31_536_000, samesite="lax")
    return answer


def _leaving(request: Request, away: str) -> Response:
    """On to the provider by a page of its own: browsers follow no form to another site, not even by way of this one."""
    language = language_of(request)
    on = tag("meta", http_equiv="refresh", content=f"0;url={away}")
    content = tag("h1", word("title", language)) + tag("p", word("logged_out", language), role="status")
    return _page(request, Html(content + link(away, word("log_out_oidc", language), class_="way")), head=on)


def _page(request: Request, content: Html, status: int = 200, head: str = "") -> Response:
    light = request.cookies.get("ioc_theme") == "light"
    return page(language_of(request), content, status, head, light)


def _form(language: Language, target: str) -> Html:
    def field(key: str, **attributes: object) -> Html:
        return tag("label", word(key, language), tag("input", required="", **attributes))

    return tag(
        "form",
        tag("input", type="hidden", name="next", value=target),
        field("account", name="name", autocomplete="username", autofocus="", autocapitalize="none", spellcheck="false"),
        field("password", name="password", type="password", autocomplete="current-password"),
        tag("button", word("log_in", language)),
        method="post",
        action="/login",
    )
