"""Wiring of the notifier: its door, and the endless work behind it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
from fastapi import FastAPI
from nats.aio.client import Client
from psycopg_pool import AsyncConnectionPool

from services.kit import bus, clock, logs, metrics, store
from services.kit.errors import Unavailable
from services.kit.health import Health
from services.kit.service import UNWATCHED, guarded, serve
from services.kit.settings import Settings
from services.notifier import event_consumer, http_api, zalo
from services.notifier.auto_resolve import Ends
from services.notifier.briefs import Briefs
from services.notifier.delivery import Post
from services.notifier.routes import BadRoutes, BriefOf, Routes, load
from services.notifier.scheduler import Rounds, publish
from services.notifier.templates import Links
from services.notifier.watchdog import Watchdog
from services.reports import brief
from services.reports.texts import WrongTexts

log = logging.getLogger("notifier")
ROUND_SECONDS = 0.5
ASK_SECONDS = 2
"""How often Alertmanager is asked, while an alarm may be over."""


def build(settings: Settings, routes: Routes, health: Health) -> FastAPI:
    """The application; broker and database that are not there yet are waited for."""
    pool = store.pool(settings, "notifier", size=6)
    watchdog = Watchdog(clock.now())
    files = settings.channels or settings.secrets
    zalo.register(files)
    post = Post(pool, routes, links(settings), files)
    briefs = Briefs(pool, routes, post, partial(_brief, settings, brief.read_texts(settings.brief_texts)))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await pool.open()
        async with bus.attached(settings, "notifier") as client, _alertmanager(settings) as alertmanager:
            work = [
                *event_consumer.reading(client, pool, health),
                _run(Rounds(pool, routes, watchdog), watchdog, health),
                _ending(Ends(pool, watchdog, alertmanager, timedelta(seconds=settings.notifier_settling))),
                _publishing(pool, client, partial(bus.private_id, settings)),
                post.run(),
                briefs.run(),
            ]
            tasks = [asyncio.create_task(guarded("notifier", one)) for one in work]
            yield
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await pool.close()

    app = FastAPI(
        title="IOC notifier", version="1", docs_url=None, redoc_url=None, lifespan=lifespan, telemetry=UNWATCHED
    )
    http_api.add(app, pool, routes, watchdog, post, tokens_of(settings))
    return app


async def _run(scheduler: Rounds, watchdog: Watchdog, health: Health) -> None:
    while True:
        try:
            await scheduler.run_once(clock.now())
        except store.OUTAGE as error:
            log.warning("waiting: %s: %s", type(error).__name__, error)
            health.not_ready(f"waiting: {type(error).__name__}: {error}")
        metrics.WATCHDOG.set(watchdog.heard.timestamp() if watchdog.heard else 0)
        health.progress()
        await asyncio.sleep(ROUND_SECONDS)


def _brief(settings: Settings, texts: brief.BriefTexts, one: BriefOf, at: datetime) -> brief.Brief:
    with store.connect(settings, "reader") as conn:
        return brief.brief(conn, texts, one.unit, at, one.language)


def _alertmanager(settings: Settings) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=settings.alertmanager_url, trust_env=False)


async def _ending(ends: Ends) -> None:
    while True:
        try:
            await ends.run_once(clock.now())
        except (*store.OUTAGE, Unavailable) as error:
            log.warning("what is over is cleared later: %s: %s", type(error).__name__, error)
        await asyncio.sleep(ASK_SECONDS)


async def _publishing(pool: AsyncConnectionPool, client: Client, private: Callable[[str], str]) -> None:
    while True:
        try:
            bus.require(client)
            await publish(pool, client.jetstream(), private)
        except (*store.OUTAGE, Unavailable) as error:
            log.warning("the history is published later: %s: %s", type(error).__name__, error)
        await asyncio.sleep(ROUND_SECONDS)


def links(settings: Settings) -> Links:
    """Where messages send people."""
    own = settings.notifier_url or f"http://127.0.0.1:{settings.notifier_port}"
    return Links(settings.grafana_url.rstrip("/"), own.rstrip("/"))


def table_of(settings: Settings) -> Path | None:
    """The file with the table of routes; None: nobody is told."""
    if settings.routes:
        return settings.routes
    kept = settings.data / "routes.toml" if settings.data else None
    return kept if kept and kept.exists() else None


def tokens_of(settings: Settings) -> http_api.Tokens:
    """The tokens that open the door; `SystemExit` where one is missing."""
    try:
        found = [settings.password(name) for name in http_api.Tokens._fields]
    except OSError:
        found = []
    if not found or not all(found):
        raise SystemExit(
            f"notifier: there are no tokens; IOC_SECRETS must name a folder with the files "
            f"{' and '.join(http_api.Tokens._fields)} (`ioc up` makes them)"
        )
    return http_api.Tokens(*(token or "" for token in found))


def main() -> None:
    """Serve until told to stop."""
    settings = Settings()
    logs.configure(settings.log_level)
    try:
        routes = load(table_of(settings))
    except BadRoutes as bad:
        raise SystemExit(f"notifier: {bad}") from None
    health = Health("notifier", stalled_after=60, instance=settings.instance)
    try:
        app = build(settings, routes, health)
    except WrongTexts as wrong:
        raise SystemExit(f"notifier: {wrong}") from None
    serve(app, settings, health, settings.notifier_port)
