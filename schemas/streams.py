"""The one declaration of what lives in the broker: streams and the durable consumers that services share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Stream:
    """A JetStream stream: file storage, limits retention; `max_share` of the broker's disk; full means refuse, not
    drop. `dedupe`: how long the broker drops what comes under a `Nats-Msg-Id` that it has heard; none: it never does.
    """

    name: str
    subjects: tuple[str, ...]
    max_age: timedelta
    max_share: float
    dedupe: timedelta | None
    purpose: str


@dataclass(frozen=True)
class Consumer:
    """A durable pull consumer with explicit acknowledgement and endless redelivery; no `subjects`: all there are."""

    name: str
    stream: str
    batch: int
    ack_wait: timedelta
    subjects: tuple[str, ...] = ()

    @property
    def max_ack_pending(self) -> int:
        """Room for several instances with a batch in hand and one under way; less stalls them silently."""
        return 8 * self.batch


QUARANTINE = Stream(
    "QUARANTINE", ("ioc.quarantine.>",), timedelta(days=400), 0.1, timedelta(hours=24), "what could not be understood"
)
EVENTS = Stream("EVENTS", ("ioc.events.>",), timedelta(days=400), 0.7, None, "everything that happened")
"""Whoever may emit chooses ids as they like, and the broker would ask nobody whose they are: what comes twice is known
again by the key table, and by nothing before it."""
ALERTS = Stream(
    "ALERTS", ("ioc.alerts.>",), timedelta(days=400), 0.1, timedelta(minutes=10), "alarms and what was done about them"
)
STREAMS = (QUARANTINE, EVENTS, ALERTS)
"""In the order in which they are made."""
MOST_BYTES = 512 * 1024
"""Of a message with its headers. An event may have half of that; the broker's `max_payload` is the same."""
RETAINED = "$MQTT_rmsgs"
"""Where the broker itself keeps what devices ask it to retain; it makes that stream with the first of them."""
SESSIONS, SESSION = "$MQTT_sess", "$MQTT.sess.>"
"""Where it keeps the sessions of devices that do not ask for a clean one, a record for each client's id for ever, and
the subjects of these records; devices hear nothing, so none is of use to them."""
NEVER = "ioc.quarantine.never.published"
"""A subject that nobody may publish."""

AGGREGATOR = Consumer("aggregator", "EVENTS", 5_000, timedelta(seconds=15))
# 15 s is how long a batch waits for another aggregator when the one that held it was killed.
NOTIFIER = Consumer(
    "notifier",
    "EVENTS",
    500,
    timedelta(seconds=5),
    (
        "ioc.events.*.procedures.dossier.overdue",
        "ioc.events.*.field.report.overdue",
        "ioc.events.*.security.incident.opened",
        "ioc.events.*.social.crisis.opened",
        # The same where a key published it, see `schemas.keys`.
        "ioc.events.*.security.incident.opened.*",
        "ioc.events.*.social.crisis.opened.*",
    ),
)
CONSUMERS = (AGGREGATOR, NOTIFIER)
