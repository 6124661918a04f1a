"""One line per happening, with time and level, to standard error; the supervisor keeps and rotates it."""

from __future__ import annotations

import logging

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def configure(level: str = "INFO") -> None:
    """Send all logs to standard error; libraries only from WARNING on."""
    logging.basicConfig(level=level, format=FORMAT, force=True)
    for noisy in ("faststream", "nats", "httpx", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
