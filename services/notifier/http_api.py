"""The notifier's HTTP door: Alertmanager's webhook, what people do about alarms, and the runbooks.

Everything but a runbook needs a token: Alertmanager's opens its webhook alone, the other what people do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime
from hmac import compare_digest
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel

from schemas.json_members import repeated
from schemas.personal import mask
from services.kit import clock, store
from services.kit.body import bounded
from services.notifier import actions, alarm_repository, persons
from services.notifier.actions import Act, Assign, Close, Comment, Conflict, NotFound
from services.notifier.alarm import Alarm
from services.notifier.delivery import Post
from services.notifier.event_consumer import count
from services.notifier.routes import Routes
from services.notifier.templates import Message
from services.notifier.watchdog import Watchdog
from services.notifier.webhook import Payload, understand

RUNBOOKS = Path(__file__).resolve().parents[2] / "docs" / "runbooks"
WITHIN_SECONDS = 8.0
"""Longer than that nobody waits for an answer; what was not committed by then is done again by who asked."""
BODY_SECONDS = 10.0
LARGEST_WEBHOOK, LARGEST_ACT = 4 * 2**20, 64 * 2**10
"""Bytes: of what Alertmanager tells at once, some thousand alerts; of what people do."""
A = TypeVar("A", bound=Act)
K = TypeVar("K", int, str)
Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_TEST = Message(
    "[THỬ / TEST] Tin thử từ Trung tâm điều hành thông minh",
    "Tin thử: kênh này nhận được cảnh báo.\nTest: alarms reach you by this channel.",
    "info",
)


class Tried(BaseModel):
    """One channel that a test message was sent by; `why` it was not taken."""

    channel: str
    sent: bool
    why: str


class OnCall(BaseModel):
    """Who is on call by a rota until when, and who after that, by their names."""

    rota: str
    person: str
    until: datetime
    then: str


class Tokens(NamedTuple):
    """What opens the door: for people's deeds, and for Alertmanager."""

    alarms: str
    alertmanager: str


def add(
    app: FastAPI, pool: AsyncConnectionPool, routes: Routes, watchdog: Watchdog, post: Post, tokens: Tokens
) -> None:
    """Put the door's paths and its errors on the application."""
    webhook = _locked("alertmanager", tokens.alertmanager, LARGEST_WEBHOOK)
    actions = _locked("alarms", tokens.alarms, LARGEST_ACT)
    _add_webhook(webhook, pool, watchdog)
    _add_actions(actions, pool, routes)
    _add_test(actions, routes, post)
    _add_on_call(actions, routes)
    app.include_router(webhook)
    app.include_router(actions)
    app.get("/runbooks/{name}", response_class=PlainTextResponse)(runbook)
    _add_errors(app)


def _locked(name: str, token: str, largest: int) -> APIRouter:
    """Paths that the token of this name opens. It is asked for before any of the body is read, and of a body no more
    than `largest` bytes are. No member of an object may be named twice: which is meant nobody can tell."""

    class Locked(APIRoute):
        def get_route_handler(self) -> Handler:
            handle = super().get_route_handler()

            async def after_token(request: Request) -> Response:
                scheme, _, given = request.headers.get("authorization", "").partition(" ")
                if scheme.lower() != "bearer" or not compare_digest(given.encode(), token.encode()):
                    how = f"send 'Authorization: Bearer <token>'; the token is in the file {name} of the secrets folder"
                    raise HTTPException(401, how, {"WWW-Authenticate": "Bearer"})
                whole = Request(request.scope, bounded(request.receive, largest, BODY_SECONDS))
                if twice := repeated(await whole.body(), -1):
                    raise HTTPException(422, f"{twice}: is given twice in one object; send it once")
                return await handle(whole)

            return after_token

    return APIRouter(route_class=Locked, dependencies=[Depends(HTTPBearer(auto_error=False))])


def _add_webhook(locked: APIRouter, pool: AsyncConnectionPool, watchdog: Watchdog) -> None:
    @locked.post("/alertmanager")
    async def alertmanager(payload: Payload) -> dict[str, int]:
        """Alerts as Alertmanager posts them; answered once they are committed, so it repeats what may be lost."""
        alerts, now = understand(payload), clock.now()
        if alerts.watchdog is not None:
            watchdog.hear(now) if alerts.watchdog else watchdog.end()
        if not alerts.raised and not alerts.over:
            return {"raised": 0}
        async with _committing(pool) as conn:
            await alarm_repository.end(conn, alerts.over, now)
            raised = await alarm_repository.raise_all(conn, alerts.raised, now)
        count(raised)
        return {"raised": len(raised)}


def _add_on_call(locked: APIRouter, routes: Routes) -> None:
    @locked.get("/on_call")
    async def on_call() -> list[OnCall]:
        """Who is on call now, by each rota of the table of routes."""
        turns = [(name, rota.turn(clock.now())) for name, rota in routes.rotas.items()]
        names = {code: person.name for code, person in routes.people.items()}
        return [OnCall(rota=name, person=names[t.person], until=t.until, then=names[t.then]) for name, t in turns]


def _add_actions(locked: APIRouter, pool: AsyncConnectionPool, routes: Routes) -> None:
    @locked.post("/alarms/{id}/acknowledge")
    async def acknowledge(id: int, act: Act) -> dict[str, Any]:
        """Take notice of an alarm: its escalation stops."""
        return await _do(pool, routes, actions.acknowledge, id, act)

    @locked.post("/alarms/{id}/assign")
    async def assign(id: int, act: Assign) -> dict[str, Any]:
        """Give an alarm to someone, with a deadline after which the escalation goes on."""
        return await _do(pool, routes, actions.assign, id, act)

    @locked.post("/dossiers/{code}/assign")
    async def assign_dossier(code: str, act: Assign) -> dict[str, Any]:
        """Give an open dossier to someone that no alarm is about yet."""
        return await _do(pool, routes, actions.assign_dossier, code, act)

    @locked.post("/alarms/{id}/comment")
    async def comment(id: int, act: Comment) -> dict[str, Any]:
        """Add a word to an alarm's history."""
        return await _do(pool, routes, actions.comment, id, act)

    @locked.post("/alarms/{id}/close")
    async def close(id: int, act: Close) -> dict[str, Any]:
        """Clear an alarm by hand."""
        return await _do(pool, routes, actions.close, id, act)


def _add_test(locked: APIRouter, routes: Routes, post: Post) -> None:
    @locked.post("/people/{name}/test")
    async def test(name: str) -> list[Tried]:
        """Send a person a test message, by one channel after another until one takes it."""
        if name not in routes.people:
            known = ", ".join(routes.people) or "nobody: the table of routes is empty"
            raise HTTPException(404, f"no person {mask(name)!r} in the table of routes; there are {known}")
        return [Tried(channel=by, sent=o.sent, why=o.why) for by, o in await post.test(name, _TEST)]


async def runbook(name: str) -> str:
    """The runbook of a type of alarm, as it lies in the checkout."""
    names = {file.stem: file for file in RUNBOOKS.glob("*.md")}
    if name not in names:
        raise HTTPException(404, f"no runbook {mask(name)!r}; there are {', '.join(sorted(names))}")
    return names[name].read_text(encoding="utf-8")


async def _do(
    pool: AsyncConnectionPool,
    routes: Routes,
    what: Callable[[AsyncConnection, K, A, datetime], Awaitable[Alarm]],
    id: K,
    act: A,
) -> dict[str, Any]:
    """Do it, and tell how the alarm stands then; nothing is done for who is no person that can see to it."""
    async with _committing(pool) as conn:
        alarm = await what(conn, id, act, clock.now())
        if not act.user.startswith(persons.AT_THE_MACHINE):
            await persons.require(conn, routes, act.user, alarm.unit)
        if isinstance(act, Assign):
            await persons.require(conn, routes, act.assignee, alarm.unit)
        return alarm._asdict()


@asynccontextmanager
async def _committing(pool: AsyncConnectionPool) -> AsyncIterator[AsyncConnection]:
    """A writing transaction that does not keep a caller waiting."""
    async with asyncio.timeout(WITHIN_SECONDS), alarm_repository.writing(pool) as conn:
        yield conn


def _add_errors(app: FastAPI) -> None:
    """Each error with a text that says what to do, and repeats no value: it may be personal."""
    app.exception_handler(RequestValidationError)(_misread)
    for kind, status in ((NotFound, 404), (Conflict, 409), (persons.NoPerson, 422)):
        app.exception_handler(kind)(_answer(status))
    for outage in (*store.OUTAGE, TimeoutError):
        app.exception_handler(outage)(_answer(503, "the database does not answer; nothing was done, try again: "))


async def _misread(request: Request, error: Exception) -> JSONResponse:
    found = error.errors() if isinstance(error, RequestValidationError) else ()
    detail = [{"loc": [mask(str(step)) for step in one["loc"]], "msg": mask(one["msg"])} for one in found]
    return JSONResponse({"detail": detail}, 422)


def _answer(status: int, words: str = "") -> Callable[[Request, Exception], Awaitable[JSONResponse]]:
    async def answer(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": mask(f"{words}{error or type(error).__name__}")}, status)

    return answer
