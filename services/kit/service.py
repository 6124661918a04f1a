"""How a service lives that is one endless round of work: settings, logs and health, and a loud end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from services.kit import logs
from services.kit.errors import fatal
from services.kit.health import Health
from services.kit.settings import Settings


def live(name: str, run: Callable[[Settings, Health], Coroutine[Any, Any, None]], stalled_after: float) -> None:
    """Run until told to stop; `stalled_after` seconds without progress are unhealthy. What `run` cannot handle ends
    the process, and the supervisor starts anew."""
    settings = Settings()
    logs.configure(settings.log_level)
    health = Health(name, stalled_after)
    health.serve(settings.health_port, settings.host)
    try:
        asyncio.run(run(settings, health))
    except Exception as error:
        fatal(logging.getLogger(name), f"{name} cannot go on", error)
