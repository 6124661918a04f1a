"""What users do on the broker by connections of their own: it knows no bounds of a user, so it is asked how much each
key sent, and how many connections each user has."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from services.ingest.keyring import Keyring
from services.ingest.limits import Limits

OPEN = {"auth": True, "acc": "$G", "limit": 2048}
CLOSED = OPEN | {"state": 1, "sort": "stop", "limit": 512}
"""What the broker is asked: its connections, and those that ended last, which were counted in part or not at all."""
MQTT = "mqtt"


def connections(answer: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    """(server, connection) of each that a node of the broker tells of."""
    told = json.loads(answer)
    for one in told["data"].get("connections") or ():
        yield told["server"]["id"], one


def surplus(answer: bytes, most: int) -> Iterator[tuple[str, int]]:
    """(server, connection) of what a user has beyond so many on a node, the newest; devices, by MQTT, are not told."""
    held = defaultdict[str, list[tuple[int, str]]](list)
    for server, one in connections(answer):
        if one.get("type") != MQTT:
            held[one.get("authorized_user", "")].append((one["cid"], server))
    for every in held.values():
        yield from ((server, number) for number, server in sorted(every)[most:])


class _Sent(NamedTuple):
    events: int
    size: int


class BrokerPace:
    """Takes what keys have sent to the broker from what they may send, as the doors do."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._seen: dict[tuple[str, int], _Sent] | None = None

    def over(self, answers: Iterable[bytes]) -> list[str]:
        """The keys that have sent more than they may by now, from what each node of the broker tells (`CONNZ`). Nobody
        pays for what was sent before the first question."""
        seen, events, size = dict[tuple[str, int], _Sent](), Counter[str](), Counter[str]()
        for server, one in (each for answer in answers for each in connections(answer)):
            place, name = (server, one["cid"]), one.get("authorized_user", "")
            seen[place] = sent = _Sent(one["in_msgs"], one["in_bytes"])
            before = (self._seen or {}).get(place, _Sent(0, 0))
            events[name] += sent.events - before.events
            size[name] += sent.size - before.size
        first, self._seen = self._seen is None, seen
        used = [] if first else [name for name, number in events.items() if number]
        for name in used:
            if limits := self._limits(name):
                limits.events.wait(events[name])
                limits.bytes.wait(size[name])
        return [name for name in used if self.wait(name)]

    def wait(self, name: str) -> float:
        """How many seconds until a key may send again; 0: it may."""
        limits = self._limits(name)
        return max(limits.events.lacks(0), limits.bytes.lacks(0)) if limits else 0.0

    def _limits(self, name: str) -> Limits | None:
        key = self._keyring.named(name)
        return self._keyring.limits(key) if key else None
