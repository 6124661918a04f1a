"""One message by one channel, through apprise: sent, refused for certain, or perhaps received without an answer."""

from __future__ import annotations

import logging
import re
from typing import NamedTuple

from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType

from services.notifier.alarm import Severity
from services.notifier.texts import Message

SECONDS = 30.0
_log = logging.getLogger("apprise")
# All that it says is read here, to tell a refusal from an answer that was lost; what matters is told in the history.
_log.setLevel(logging.DEBUG)
_log.propagate = False
_log.addHandler(logging.NullHandler())
_TYPES: dict[Severity, NotifyType] = {
    "info": NotifyType.INFO,
    "warning": NotifyType.WARNING,
    "critical": NotifyType.FAILURE,
}
_NOT_TAKEN = re.compile(r"error=-?\d+|refused|resolve|ConnectTimeout|Max retries", re.IGNORECASE)
"""What apprise logs when the receiver answered no, or was never reached; all else may have been received."""


class Outcome(NamedTuple):
    """How sending went. `lost`: not sent as far as is known, but the receiver may have it. `why`: of a failure."""

    sent: bool
    lost: bool = False
    why: str = ""


def kind(address: str) -> str:
    """The kind of a channel, for metrics and the history: `mailto`, `tgram`, `zalooa`, `json` …"""
    return address.partition("://")[0].lower() or "unknown"


def send(address: str, message: Message) -> Outcome:
    """Send within `SECONDS`; to be called in a thread."""
    apprise = Apprise(asset=AppriseAsset(app_id="IOC", app_desc="IOC", service_timeout=SECONDS))
    if not apprise.add(address):
        return Outcome(False, why=f"apprise does not understand the {kind(address)} address")
    result = apprise.notify(
        body=message.body,
        title=message.title,
        notify_type=_TYPES[message.severity],
        body_format=NotifyFormat.TEXT,
        timeout=SECONDS,
        log_level=logging.DEBUG,
    )
    if result:
        return Outcome(True)
    lines = [(entry.level, entry.message) for entry in result.logs()]
    told = [text for level, text in lines if level in ("WARNING", "ERROR")]
    lost = not any(_NOT_TAKEN.search(text) for _, text in lines)
    return Outcome(False, lost, (told[-1] if told else str(result.status))[:200])
