"""Wiring of the board: one watch for all, one page for each who looks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from fastapi.staticfiles import StaticFiles
from nicegui import core, ui
from psycopg import Connection
from starlette.requests import Request

from schemas import units
from schemas.indicators import CATALOGUE
from schemas.registry import SYSTEMS
from services.board import alarms, audit, figure, login, maps, mending, people, sources, worklist
from services.board.desk import Desk
from services.board.doors import Doors, add_errors
from services.board.frame import NAVIGATION, dress, header, keep_fresh, look_of
from services.board.kept import Kept
from services.board.public import shown_to
from services.board.sessions import Sessions
from services.board.spans import Against, Span
from services.board.system import Choice, Content, content, render
from services.board.wall import wall
from services.board.watch import Watch
from services.kit import clock, logs, store
from services.kit.errors import fatal
from services.kit.health import Health
from services.kit.settings import Settings

PING_SECONDS = 2, 3
"""How often a page hears from the board, and how much later it takes the connection for lost: also where nobody hangs
up, as when a machine stands still."""
STATIC = Path(__file__).parent / "static"
AGAIN_SECONDS, OLD_SECONDS = 5.0, 15.0
"""How often an open system page looks whether its figures have changed, and how old they may grow if nothing came."""


def build(settings: Settings, health: Health) -> FastAPI:
    """The application: pages, the way in, and the watch that feeds them."""
    watch = Watch(settings)
    pool = store.pool(settings, "board", size=8, give_up=1)
    sessions = Sessions(pool)
    contents = Kept[Content](OLD_SECONDS)

    def reading(ask: Callable[[Connection], Any]) -> Any:
        with store.connect(settings, "reader") as conn:
            conn.autocommit = True
            return ask(conn)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        core.sio.eio.ping_interval, core.sio.eio.ping_timeout = PING_SECONDS
        async with pool:
            endless = (watch.run(health), sessions.follow(), audit.run(pool, lambda: watch.broker))
            tasks = [asyncio.create_task(_guarded(one)) for one in endless]
            yield
            for task in tasks:
                task.cancel()

    app = FastAPI(title="IOC board", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    guarded = {path: action for _, path, action in NAVIGATION if action}
    app.add_middleware(Doors, sessions=sessions, public=settings.board_public, guarded=guarded, home=settings.board_url)
    add_errors(app)
    if settings.oidc_issuer:
        from services.board import oidc

        oidc.add(app, pool, settings)
    login.add(app, pool, settings.board_url, provider=bool(settings.oidc_issuer))
    people.add(app, pool, watch)
    desk = Desk(settings, pool)
    worklist.add(app, watch, pool, reading, desk)
    alarms.add(app, watch, settings, reading, desk)
    maps.add(app, watch, settings, reading, pool)
    sources.add(watch, reading)
    mending.add(app, watch, reading, pool)

    @ui.page("/")
    def index(request: Request) -> None:
        look = look_of(request, watch)
        dress(look)
        keep_fresh(look, wall(look))

    @ui.page("/system/{slug}", dependencies=[Depends(_known)])
    async def of_system(request: Request, slug: str, unit: str = "", span: Span = "month",
                        against: Against = "previous", ranked: str = "") -> None:  # fmt: skip
        look = look_of(request, watch)
        dress(look)
        choice = Choice(slug, unit or None, span, against, ranked)
        top = header(look, f"/system/{slug}")

        async def text() -> str:
            shown = await contents.get(
                (choice, watch.mark(slug)),
                lambda: asyncio.to_thread(reading, lambda conn: content(conn, choice, clock.now())),
            )
            return render(look, choice, shown_to(look.account, shown, choice.unit))

        place = ui.html(await text(), sanitize=False)

        async def follow() -> None:
            place.set_content(await text())

        keep_fresh(look, top)
        ui.timer(AGAIN_SECONDS, follow)

    @ui.page("/figure/{code}", dependencies=[Depends(_known)])
    async def of_figure(request: Request, code: str, unit: str = "", span: Span = "month") -> None:
        look = look_of(request, watch)
        dress(look)
        top, now = header(look, f"/figure/{code}"), clock.now()
        shown, found = await asyncio.to_thread(
            reading, lambda conn: figure.opened(conn, CATALOGUE[code], unit or None, span, now)
        )
        shown = shown_to(look.account, shown, unit or None)
        ui.html(figure.render(look, shown, found, str(request.url), now), sanitize=False)
        keep_fresh(look, top)

    ui.run_with(
        app, title="IOC", language="vi", dark=None, tailwind=False, show_welcome_message=False, reconnect_timeout=10
    )
    return app


def _known(request: Request) -> None:
    """404 where an address names a system, a figure or a unit that there is not."""
    named = {**request.query_params, **request.path_params}
    try:
        units.get(named.get("unit") or "dong_nai")
    except units.UnknownUnit:
        raise HTTPException(404) from None
    if named.get("slug", "gis") not in SYSTEMS or named.get("code", "visits") not in CATALOGUE:
        raise HTTPException(404)


async def _guarded(work: Coroutine[Any, Any, None]) -> None:
    """A background task must not die unheard."""
    try:
        await work
    except Exception as error:
        fatal(logging.getLogger("board"), "the board cannot go on", error)


def main() -> None:
    settings = Settings()
    logs.configure(settings.log_level)
    health = Health("board", stalled_after=30)
    app = build(settings, health)
    health.serve(settings.health_port, settings.host)
    uvicorn.run(
        app, host=settings.host, port=settings.board_port, log_config=None, access_log=False, server_header=False,
        log_level="warning", timeout_graceful_shutdown=3,
    )  # fmt: skip
