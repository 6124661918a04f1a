"""Errors mean an action. `schemas.envelope.Invalid`: quarantine, never retry. Here: the two others."""

from __future__ import annotations

import logging
import os
from typing import NoReturn

EXIT_FATAL = 70


class Unavailable(Exception):
    """Broker or database cannot answer now: pause, keep the work, try again."""


def fatal(log: logging.Logger, why: str, error: BaseException | None = None) -> NoReturn:
    """Say why and stop at once, so that the supervisor starts anew; nothing unacknowledged is lost by it."""
    log.critical("stopping: %s", why, exc_info=error)
    logging.shutdown()
    os._exit(EXIT_FATAL)
