"""The catalogue of the services' own metrics: every one that exists, with its meaning."""

from __future__ import annotations

from typing import NamedTuple

from prometheus_client import Counter, Gauge, Histogram

EVENTS_STORED = Counter(
    "ioc_aggregator_events_stored_total", "Events stored and counted for the first time", ["system"]
)
EVENTS_DUPLICATE = Counter("ioc_aggregator_events_duplicate_total", "Events met again and ignored")
EVENTS_QUARANTINED = Counter("ioc_aggregator_events_quarantined_total", "Events that could not be accepted", ["code"])
BATCH_SECONDS = Histogram(
    "ioc_aggregator_batch_seconds",
    "From a batch in hand to committed and acknowledged",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
BATCH_RETRIES = Counter(
    "ioc_aggregator_batch_retries_total", "Batches kept and tried again because broker or database could not answer"
)
CONSUMER_RECREATED = Counter(
    "ioc_aggregator_consumer_recreated_total", "Times the durable consumer had vanished and was made anew"
)


class Reading(NamedTuple):
    """What a durable consumer counts, where its service has the counters."""

    retries: Counter
    recreated: Counter


NOTICES_PUBLISHED = Counter("ioc_deadlines_notices_published_total", "Deadline notices published", ["event", "stage"])
EMITTED = Counter("ioc_emitter_events_total", "Events acknowledged by the broker for an emitter", ["emitter", "result"])
REFUSED = Counter("ioc_emitter_refused_total", "Requests refused by an emitter", ["emitter", "code"])
DROPPED = Counter(
    "ioc_emitter_dropped_total", "Fields of a person that came in with a request and were dropped", ["emitter", "field"]
)
TABLE_BYTES = Gauge("ioc_upkeep_table_bytes", "Size of a table with its indexes", ["table"])
TABLE_CHUNKS = Gauge("ioc_upkeep_table_chunks", "Chunks of a hypertable", ["table"])
TABLE_OLDEST = Gauge("ioc_upkeep_table_oldest_timestamp_seconds", "Start of a hypertable's oldest chunk", ["table"])
TABLE_NEWEST = Gauge("ioc_upkeep_table_newest_timestamp_seconds", "End of a hypertable's newest chunk", ["table"])
HORIZON = Gauge("ioc_upkeep_horizon_timestamp_seconds", "Before this only days and open state are kept; 0: all is kept")
FORGOTTEN_EVENTS = Counter("ioc_upkeep_forgotten_events_total", "Events that passed behind the horizon")
REPLICA_BEHIND = Gauge(
    "ioc_upkeep_replica_behind_bytes",
    "Log that a replica has not got yet; infinite: it cannot follow any more",
    ["slot"],
)
SIMULATED = Counter(
    "ioc_simulator_messages_total", "Messages of the simulated district that the broker has acknowledged", ["kind"]
)
SIMULATOR_LAG = Gauge("ioc_simulator_lag_seconds", "How far the simulator is behind what it should have sent by now")
ALARMS_ACTIVE = Gauge("ioc_notifier_alarms_active", "Alarms that are not cleared", ["system", "severity"])
ALARMS_RAISED = Counter("ioc_notifier_alarms_raised_total", "Alarms raised, refreshed ones not counted", ["system"])
NOTIFICATIONS = Counter(
    "ioc_notifier_notifications_total", "Messages to people by kind of channel: sent or failed", ["channel", "result"]
)
OLDEST_UNSENT = Gauge("ioc_notifier_oldest_unsent_seconds", "How long the oldest message that is due waits to be sent")
WATCHDOG = Gauge("ioc_notifier_watchdog_timestamp_seconds", "When Alertmanager last passed on the Watchdog; 0: never")
LAST_PROGRESS = Gauge(
    "ioc_last_progress_timestamp_seconds", "When the service last did its work, or found none to do", ["service"]
)
