"""One line per happening, with time and level, to standard error; the supervisor keeps and rotates it."""

from __future__ import annotations

import logging

from schemas.codes import masked_text
from schemas.personal import mask

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


class Masked(logging.Formatter):
    """Lines without what looks personal and what would open a case. Errors of libraries quote what they were given, and
    so do their tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        """The whole line, and the trace below it."""
        return masked_text(mask(super().format(record)))


def configure(level: str = "INFO") -> None:
    """Send all logs to standard error, masked; libraries only from WARNING on."""
    logging.basicConfig(level=level, force=True)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(Masked(FORMAT))
    for noisy in ("faststream", "nats", "httpx", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
