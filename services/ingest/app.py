"""Wiring of the emitters: all of them in one process, or those that are named, behind one HTTP door on loopback."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module

from fastapi import FastAPI
from nats.aio.client import Client
from nats.js import JetStreamContext

from schemas import sources
from schemas.broker_tokens import SYSTEM_USER, USER, signer
from schemas.envelope import Event
from schemas.sources import KEYS
from services.ingest import cloudevents, router
from services.ingest.callout import Callout
from services.ingest.devices import Devices
from services.ingest.fast_path import FastPath
from services.ingest.group_commit import GroupCommit
from services.ingest.keyring import Keyring
from services.ingest.limits import Limits
from services.ingest.memory import Memory
from services.ingest.onestop import door as onestop
from services.ingest.open311 import router as open311
from services.ingest.open311.reports import Reports
from services.kit import bus, logs, store
from services.kit.errors import Unavailable
from services.kit.health import Health
from services.kit.keys import SIGNING
from services.kit.service import UNWATCHED, guarded, serve
from services.kit.settings import Settings

EMITTERS: dict[str, router.Emitter] = {
    name: import_module(f".{name}", __package__).EMITTER for name in sources.EMITTERS
}
"""Each source system's emitter, from the module beside this one that bears its name."""
PUBLISH_SECONDS = 4.0
WATCH_SECONDS = 0.5


class Line:
    """One emitter's own connection to the broker, while the application runs."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.client: Client | None = None
        self.memory = Memory()
        self._together = GroupCommit(self._send)
        self._js: JetStreamContext | None = None

    def require(self) -> Client:
        """The connection; `Unavailable` while there is none."""
        if self.client is None:
            raise Unavailable("no connection to the broker")
        bus.require(self.client)
        return self.client

    async def publish(self, event: Event, by: str | None = None) -> router.Stored:
        """Returns when the event is on disk, in the name of the key `by` if of one, else raises `Unavailable` within
        seconds."""
        self.require()
        if known := self.memory.sequence(event.digest):
            return router.Stored(known, known=True)
        try:
            number = await self._together.put(bus.outgoing(event, by))
        except bus.OUTAGE as error:
            raise bus.unacknowledged(event, error) from error
        self.memory.keep(event.digest, number)
        return router.Stored(number, known=False)

    async def _send(self, messages: Sequence[bus.Outgoing]) -> Sequence[int | BaseException]:
        client = self.require()
        self._js = self._js or client.jetstream()
        return await bus.deliver_together(self._js, messages, PUBLISH_SECONDS)

    async def lost(self) -> None:
        """The connection was lost."""
        self.memory.forget()


def build(settings: Settings, names: Sequence[str], health: Health) -> FastAPI:
    """The application with the named emitters; a broker that is not there yet is waited for in the background."""
    lines = {name: Line(_as(settings, f"emitter_{name}")) for name in names}
    pool = store.pool(settings, "emitters", size=2)
    keyring = Keyring(pool, settings.emitter_bytes, settings.credential(SIGNING))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for name, line in lines.items():
                line.client = await stack.enter_async_context(bus.attached(line.settings, f"emitter {name}", line.lost))
            endless = [_follow_broker(list(lines.values()), health)]
            if KEYS in names:
                await stack.enter_async_context(pool)
                endless.append(_serve_keys(settings, keyring))
                if settings.mqtt:
                    endless.append(Devices(keyring, pool, lines[KEYS].require).serve())
            for work in endless:
                stack.callback(asyncio.create_task(guarded("emitters", work)).cancel)
            yield

    app = FastAPI(
        title="IOC emitters", version="1", docs_url=None, redoc_url=None, lifespan=lifespan, telemetry=UNWATCHED
    )
    # A path is looked for in one router after the other: that of most events is the first.
    for name, line in sorted(lines.items(), key=lambda one: one[0] != KEYS):
        if name == KEYS:
            events = cloudevents.endpoint(keyring, line.publish)
            app.include_router(cloudevents.router(events))
            app.add_middleware(FastPath, endpoints={cloudevents.PATH: events})
            app.include_router(open311.router(keyring, Reports(pool), line.publish, settings.open311_public))
            app.include_router(onestop.router(keyring, line.publish))
        else:
            token = token_of(line.settings)
            app.include_router(router.router(EMITTERS[name], token, line.publish, limits_of(settings)))
    return app


def _as(settings: Settings, user: str) -> Settings:
    return settings.model_copy(update={"user": user})


async def _serve_keys(settings: Settings, keyring: Keyring) -> None:
    """Keep up with the keys, and answer for them to the broker, where it is one that asks: an operator's own is not
    configured by us."""
    if not _as(settings, USER).nats():
        await keyring.follow(_nobody_is_connected)
    async with (
        bus.attached(_as(settings, USER), "keys") as client,
        bus.attached(_as(settings, SYSTEM_USER), "keys, the broker itself") as system,
    ):
        asking = Callout(signer(settings.password(USER) or ""), keyring, client, system)
        serving = [asyncio.create_task(guarded("emitters", work)) for work in (asking.serve(), asking.watch())]
        try:
            await keyring.follow(asking.end)
        finally:
            for task in serving:
                task.cancel()


async def _nobody_is_connected(name: str) -> None: ...


def limits_of(settings: Settings) -> Limits:
    """How much one emitter may send."""
    return Limits(settings.emitter_rate, settings.emitter_bytes)


def token_of(settings: Settings) -> str:
    """The token that opens an emitter, which is the password of its credential; `SystemExit` where there is none."""
    try:
        token = settings.password(settings.user)
    except OSError:
        token = None
    if not token:
        raise SystemExit(
            f"emitters: there is no token for {settings.user}; IOC_SECRETS must name a folder with a file of that name "
            "that holds one (`ioc up` makes it)"
        )
    return token


async def _follow_broker(lines: Sequence[Line], health: Health) -> None:
    """Alive while this runs; ready while every emitter is connected."""
    while True:
        try:
            for line in lines:
                line.require()
            health.ready()
        except Unavailable as error:
            health.not_ready(str(error))
        health.progress()
        await asyncio.sleep(WATCH_SECONDS)


def main() -> None:
    """Serve until told to stop. The arguments name the emitters; none means all."""
    settings = Settings()
    logs.configure(settings.log_level)
    known = (*EMITTERS, KEYS)
    names = sys.argv[1:] or known
    if strangers := set(names) - set(known):
        raise SystemExit(f"no emitter {', '.join(sorted(strangers))}; there are {', '.join(known)}")
    health = Health("emitters", stalled_after=10, instance=settings.instance)
    app = build(settings, names, health)
    serve(app, settings, health, settings.emitters_port, outside=True)
