"""One message by one channel, through apprise: sent, refused for certain, or perhaps received without an answer."""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Iterator
from typing import NamedTuple

from apprise import Apprise, AppriseAsset, AppriseResult, AppriseResultStatus, NotifyFormat, NotifyType

from services.notifier.alarm import Severity
from services.notifier.templates import Message

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
_ANSWER = re.compile(r"error=(-?\d+)\.?$")
"""How a warning of apprise ends when the receiver answered no."""
_UNSURE = frozenset({408, 502, 504, 520, 524, *range(200, 300)})
"""Answers of a proxy whose receiver may have taken the message, and answers of success that apprise did not expect."""
_EXCEPTION = "Socket Exception: "
_NOT_TAKEN = re.compile(
    r"\(Caused by (NewConnection|NameResolution|ConnectTimeout|Proxy)Error\("  # requests: never connected
    r"|\(Caused by SSLError\(SSLCertVerificationError\("
    rf"|^\[Errno (-\d+|{errno.ECONNREFUSED})\]"  # smtplib: no such name, nobody listens
    r"|^(\{.*)?\([45]\d\d, b"  # smtplib: the server's answer
)
"""Exceptions after which the receiver surely has nothing; all others may have come after it took the message."""


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
    errors = [entry.message for entry in result.logs() if entry.level in ("WARNING", "ERROR")]
    return Outcome(False, not _is_refusal(result), (errors[0] if errors else str(result.status))[:200])


def _is_refusal(result: AppriseResult) -> bool:
    """Whether it is certain that nobody has the message: each of its tries failed, and for certain."""
    said = list(_refusals(result))
    return bool(said) and all(said) and result.status is AppriseResultStatus.FAILURE


def _refusals(result: AppriseResult) -> Iterator[bool]:
    """Of each try, whether it was refused for certain, as the transport says; other lines hold the message itself."""
    for level, text in ((entry.level, entry.message) for entry in result.logs()):
        if level in ("WARNING", "ERROR") and (answer := _ANSWER.search(text)):
            yield int(answer[1]) not in _UNSURE
        elif level == "DEBUG" and text.startswith(_EXCEPTION):
            yield bool(_NOT_TAKEN.search(text.removeprefix(_EXCEPTION)))
        elif level == "INFO" and text.startswith("Sent "):  # one of several receivers took it
            yield False
