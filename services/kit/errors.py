"""Errors mean an action. `schemas.envelope.Invalid`: quarantine, never retry. Here: the two others."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import httpx

EXIT_FATAL = 70


class Unavailable(Exception):
    """Broker or database cannot answer now: pause, keep the work, try again."""


def refusal(answer: httpx.Response) -> str:
    """What one of our services says of a request that it refuses; empty where it does not say."""
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return ""
    if isinstance(detail, list):  # fields that FastAPI found wrong
        return "; ".join(f"{item['loc'][-1]}: {item['msg']}" for item in detail)
    return str(detail)


def fatal(log: logging.Logger, why: str, error: BaseException | None = None) -> NoReturn:
    """Say why and stop at once, so that the supervisor starts anew; nothing unacknowledged is lost by it."""
    log.critical("stopping: %s", why, exc_info=error)
    logging.shutdown()
    os._exit(EXIT_FATAL)
