"""How far the broker's readers are behind, as its monitoring port tells without a credential."""

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

from infra.loopback import DIRECT


@dataclass(frozen=True)
class Lag:
    """Messages that a durable consumer has not been given yet (`pending`), or has not acknowledged (`in_hand`)."""

    stream: str
    consumer: str
    pending: int
    in_hand: int


def consumers(port: int) -> list[Lag]:
    """The lag of each durable consumer of the broker whose monitoring port is given. Raises `OSError` when it is
    down."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/jsz?consumers=true&config=true")
    with DIRECT.open(request, timeout=2) as response:
        return lags(json.load(response))


def lags(told: dict[str, Any]) -> list[Lag]:
    """The lags in what the broker tells; whoever looks into a stream for a moment (a list of the quarantine) leaves a
    consumer without a name for half a minute, which is nobody's reader."""
    streams = [stream for account in told.get("account_details") or [] for stream in account.get("stream_detail") or []]
    return [
        Lag(stream["name"], reader["name"], reader["num_pending"], reader["num_ack_pending"])
        for stream in streams
        for reader in stream.get("consumer_detail") or []
        if reader["config"].get("durable_name")
    ]
