"""Wiring of the board: one watch for all, one page for each who looks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.routing import Route

from services.board.api import mcp_app
from services.board.api import routes as api
from services.board.auth import address, keys_page, login, people, tokens
from services.board.auth.middleware import AuthMiddleware, add_errors
from services.board.auth.sessions import Sessions
from services.board.live import outbox
from services.board.live.connections import Connections
from services.board.live.poller import Poller
from services.board.live.query_pool import QueryPool
from services.board.pages.actions.alarm_client import AlarmClient
from services.board.pages.actions.bulk_actions import toolbar
from services.board.pages.alarms import alarms
from services.board.pages.changes import changes_page
from services.board.pages.changes.changes_data import SharedChanges
from services.board.pages.contacts import contacts_page
from services.board.pages.figures import figure, figure_cases, system, wall
from services.board.pages.handover import handover_page
from services.board.pages.imports import imports_page
from services.board.pages.imports.drafts import Drafts
from services.board.pages.index766 import index766_page
from services.board.pages.map import map_routes
from services.board.pages.quality import finding_rows, quarantine_page
from services.board.pages.reports import reports_page, schedule
from services.board.pages.reports.maker import Maker
from services.board.pages.targets import targets_page
from services.board.pages.worklist import worklist
from services.board.pages.worklist.worklist_rows import PATH
from services.board.ui import found_pages
from services.board.ui.live_page import STATIC, Pages
from services.board.ui.locality import Locality, UnfitEmblem
from services.board.ui.page_layout import busy_page, navigation_entries
from services.board.ui.periods import SO_FAR
from services.kit import bus, logs, store
from services.kit.health import Health
from services.kit.service import UNWATCHED, guarded, serve
from services.kit.settings import Settings
from services.reports.texts import WrongTexts


def build(settings: Settings, health: Health) -> FastAPI:
    """The application: pages, the way in, and the watch that feeds them."""
    poller, reading = Poller(settings, SO_FAR.before), QueryPool(settings)
    pool = store.pool(settings, "board", size=8, give_up=1)
    private = partial(bus.private_id, settings)
    connections = Connections()
    sessions, home = Sessions(pool, connections), settings.board_url or f"http://127.0.0.1:{settings.board_port}"
    tools = mcp_app.McpApp(reading, pool, home)
    maker, plan, drafts = Maker(), schedule.read(settings), Drafts()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with pool:
            sending = (outbox.run(pool, lambda: poller.broker, subjects, private) for subjects in outbox.SUBJECTS)
            planned = (schedule.keep_time(plan, pool, maker),) if plan else ()
            found = finding_rows.follow(pool, reading)
            own = (poller.run(health), sessions.follow(), tools.run(), drafts.sweep_for_ever())
            endless = (*own, found, *sending, *planned)
            tasks = [asyncio.create_task(guarded("board", one)) for one in endless]
            yield
            for task in tasks:
                task.cancel()

    app = FastAPI(
        title="IOC board", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan, telemetry=UNWATCHED
    )
    locality = Locality.read(settings)
    locality.add(app)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    needs = {path: action for _, path, action in navigation_entries() if action}
    app.add_middleware(
        AuthMiddleware,
        sessions=sessions,
        find=partial(tokens.bearer, pool),
        public=settings.board_public,
        guarded=needs,
        home=settings.board_url,
    )
    app.mount(api.BASE, api.build(reading, home))
    app.router.routes.append(Route(mcp_app.PATH, tools))
    add_errors(app)
    leave_provider = None
    if settings.oidc_issuer:
        from services.board.auth import oidc

        leave_provider = oidc.add(app, pool, settings)
    login.add(app, pool, settings.board_url, leave_provider)
    alarm_client = AlarmClient(settings, pool)
    pages = Pages(app, poller, connections, busy_page)
    since = SharedChanges(reading)
    wall.add(pages, reading, since)
    changes_page.add(pages, since)
    system.add(pages, reading)
    figure.add(pages, reading)
    figure_cases.add(pages, reading, lambda context: toolbar(context, worklist.DEEDS_HERE, PATH))
    worklist.add(pages, pool, reading, alarm_client)
    alarms.add(pages, settings, reading, pool, alarm_client)
    map_routes.add(pages, settings, reading, pool)
    quarantine_page.add(pages, reading, pool)
    imports_page.add(pages, reading, pool, drafts)
    reports_page.add(pages, reading, pool, maker, settings.report_texts)
    index766_page.add(pages, reading)
    targets_page.add(pages, reading, pool)
    contacts_page.add(pages, pool)
    handover_page.add(pages, reading, pool, alarm_client)
    people.add(pages, pool)
    keys_page.add(pages, pool)
    for page in found_pages.find_pages():
        page.add(pages, reading)
    return app


def main() -> None:
    """Serve until told to stop."""
    settings = Settings()
    logs.configure(settings.log_level)
    try:
        settings = settings.model_copy(update={"board_url": address.checked(settings.board_url)})
    except ValueError as wrong:
        raise SystemExit(f"board: {wrong}") from None
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    health = Health("board", stalled_after=30, instance=settings.instance)
    try:
        app = build(settings, health)
    except (WrongTexts, schedule.BadSchedule, UnfitEmblem) as wrong:
        raise SystemExit(f"board: {wrong}") from None
    serve(app, settings, health, settings.board_port, patience=3, outside=True)
