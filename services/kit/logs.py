"""One line per happening, with time and level, to standard error; the supervisor keeps and rotates it."""

from __future__ import annotations

import logging
import re

from schemas.personal import mask

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
_CODE = re.compile(r"(?<![A-Za-z0-9])(?:[A-Z]\d{2}|\d{3}(?:\.\d{2})+|[A-Z]{2,8})[A-Z0-9.]*(?:-[A-Z0-9_.]+)+")
"""What dossiers, reports, payments and other numbers in registers look like, wherever they stand in a line."""


class Masked(logging.Formatter):
    """Lines without what looks personal and what would open a case: unit and year of a code stay, its running number
    goes. Errors of libraries quote what they were given, and so do their tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        """The whole line, and the trace below it."""
        return _CODE.sub(lambda code: re.sub(r"\d{3,}", _hidden, code[0]), mask(super().format(record)))


def _hidden(number: re.Match[str]) -> str:
    return number[0][:2] + "•" * (len(number[0]) - 2)


def configure(level: str = "INFO") -> None:
    """Send all logs to standard error, masked; libraries only from WARNING on."""
    logging.basicConfig(level=level, force=True)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(Masked(FORMAT))
    for noisy in ("faststream", "nats", "httpx", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
