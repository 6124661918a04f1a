"""How a service lives, as one endless round of work or behind an HTTP door: health, and a loud end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

from schemas.instance import HEADER
from services.kit import logs
from services.kit.addresses import Trusted
from services.kit.crowd import Crowd
from services.kit.errors import fatal
from services.kit.health import Health
from services.kit.settings import Settings

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig
    from starlette.types import ASGIApp


def live(name: str, run: Callable[[Settings, Health], Coroutine[Any, Any, None]], stalled_after: float) -> None:
    """Run until told to stop; `stalled_after` seconds without progress are unhealthy. What `run` cannot handle ends
    the process, and the supervisor starts anew."""
    settings = Settings()
    logs.configure(settings.log_level)
    health = Health(name, stalled_after, instance=settings.instance)
    health.serve(settings.health_port, settings.host)
    asyncio.run(guarded(name, run(settings, health)))


async def guarded(name: str, work: Awaitable[None]) -> None:
    """Endless work must not die unheard: what it cannot handle ends the process."""
    try:
        await work
    except Exception as error:
        fatal(logging.getLogger(name), f"{name} cannot go on", error)


UNWATCHED: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
"""What FastAPI is told of telemetry: Prometheus watches here, and looking for another watcher costs each request."""
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2; those of 1.3 are what they are, and older versions are not spoken."""


def serve(
    app: ASGIApp, settings: Settings, health: Health, port: int, patience: int = 10, outside: bool = False
) -> None:
    """Answer on the door until told to stop; requests under way then get `patience` seconds. `outside`: for others than
    our own services, so by TLS where there is a certificate."""
    import uvicorn  # what has no door does without it

    from services.kit import guard

    guard.quiet()
    health.serve(settings.health_port, settings.host)
    uvicorn.run(
        app,
        host=settings.host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.proxies,
        timeout_graceful_shutdown=patience,
        headers=[(HEADER, settings.instance.id)] if settings.instance else [],
        **guard.options(Crowd(Trusted(settings.proxies))),
        **(_certificate(settings) if outside else {}),
    )


def _certificate(settings: Settings) -> dict[str, Any]:
    certificate, key = settings.tls_certificate, settings.tls_key
    return {"ssl_certfile": certificate, "ssl_keyfile": key, "ssl_ciphers": CIPHERS} if certificate else {}
