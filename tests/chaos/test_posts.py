"""The broker is killed and filled while eight clients post: what was answered with 2xx is in the log exactly once, all
else is absent or there once, and there once after it was sent again."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
from chaos.faults import limit
from chaos.proof import Row
from chaos.stage import PATIENCE, SERVERS, Stage
from holders import ONE, Holder
from support import output_of

from services.kit import bus

CLIENTS, WARD, DAY = 8, "phuong_chon_thanh", "2026-11-20"
PAUSE = 0.02
"""Seconds between a client's posts: the faults come while it posts."""


@dataclass
class Posts:
    """What was posted, and the number in the stream that each answer of 2xx named; `refused`: with how often."""

    holder: Holder
    least: int
    accepted: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    tries: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def client(self, name: int) -> None:
        """Post one event after the other, none twice, until the faults are over and there were enough."""
        with httpx.Client(base_url=self.holder.door.base_url, headers=self.holder.door.headers, timeout=30) as client:
            for number in count():
                if self.over.is_set() and number >= self.least // CLIENTS:
                    return
                self.post(client, f"{name}-{number}")
                time.sleep(PAUSE)

    def post(self, client: httpx.Client, id: str) -> None:
        self.tries.append(id)
        event = {
            "specversion": "1.0", "id": id, "source": self.holder.source, "type": "vn.ioc.visits.reported.v1",
            "time": f"{DAY}T17:00:00+07:00", "unit": WARD,
            "data": {"facility": f"tram_{id.replace('-', '_')}", "day": DAY, "visits": 41, "insured": 38},
        }  # fmt: skip
        answer = client.post("/events", content=json.dumps(event).encode(), headers={"Content-Type": ONE})
        if answer.status_code == 202:
            self.accepted[id] = answer.json()["stream_sequence"]
            self.refused.pop(id, None)
        else:
            assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0, answer.text
            self.refused[id] = self.refused.get(id, 0) + 1

    def send_again(self, seconds: float = 60) -> None:
        """Until all were accepted."""
        end = time.monotonic() + seconds
        while self.refused:
            for id in list(self.refused):
                self.post(self.holder.door, id)
            assert time.monotonic() < end, f"{len(self.refused)} are refused for ever"


def faults(stage: Stage, posts: Posts) -> Iterator[str]:
    """Strike, one after the other."""
    for _ in range(int(stage.seconds(1, 8))):
        is_felt, end = _more_refused(posts, 0), time.monotonic() + 60
        while not is_felt():  # on a busy machine it may be there again before anybody asks
            assert time.monotonic() < end, "nobody misses the broker"
            time.sleep(0.3)
            stage.instance.kill("nats")
            time.sleep(0.2)  # until the supervisor has noticed
            stage.instance.wait_ready("nats", 60)
        yield "killed"
        before = asyncio.run(limit(stage, {"EVENTS": 1}))
        stage.wait_for(_more_refused(posts, CLIENTS), PATIENCE, "the full stream takes more")
        asyncio.run(limit(stage, before))
        yield "filled"


def _more_refused(posts: Posts, most: int) -> Callable[[], bool]:
    """Whether more than so many are refused from now on."""
    before = len(posts.refused)
    return lambda: len(posts.refused) > before + most


def told(stage: Stage, posts: Posts) -> dict[str, int]:
    """The ids of the source that the log has, each with how often, once all that the broker took is stored."""
    stage.wait_until_idle()
    statement = "SELECT id, count(*) FROM event WHERE source = %s GROUP BY id"
    return {str(id): int(number) for id, number in stage.sql(statement, posts.holder.source)}


async def streamed(stage: Stage) -> dict[int, str]:
    """Number in the stream -> the event's id."""
    async with bus.connected(stage.settings("admin"), "chaos") as client:
        js = client.jetstream()
        state = (await js.stream_info("EVENTS")).state
        numbers = range(state.first_seq, state.last_seq + 1)
        return {seq: json.loads((await js.get_msg("EVENTS", seq)).data or b"{}")["id"] for seq in numbers}


def test_what_was_accepted_is_in_the_log_once(
    new_stage: Callable[[str, int], Stage], report: Callable[[Row], None], minutes: float
) -> None:
    began = time.monotonic()
    stage = new_stage("posts", 0)
    with stage.ending:
        stage.start(*SERVERS, "aggregator", "emitters")
        posts = Posts(Holder(stage.instance, "--system", "health", "--rate", "5000"), 10_000 if minutes else 400)
        with ThreadPoolExecutor(CLIENTS) as threads:
            clients = [threads.submit(posts.client, name) for name in range(CLIENTS)]
            try:
                felt = Counter(faults(stage, posts))
            finally:
                posts.over.set()
            for client in clients:
                client.result()
        assert felt["killed"] == felt["filled"] > 0 and posts.refused
        first, refused = told(stage, posts), set(posts.refused)
        assert posts.accepted.keys() <= first.keys() and set(first.values()) == {1}
        assert first.keys() - posts.accepted.keys() <= refused
        posts.send_again()
        after, stream = told(stage, posts), asyncio.run(streamed(stage))
        assert after == dict.fromkeys(posts.accepted, 1) and refused <= after.keys()
        assert {id: stream[seq] for id, seq in posts.accepted.items()} == {id: id for id in posts.accepted}
        period = ("--from", DAY, "--to", DAY, "--format", "json")
        readings: list[dict[str, Any]] = json.loads(output_of(stage.instance, "query", "visits", *period))["readings"]
        assert int(readings[0]["value"]) == 41 * len(after)
    twice, copies, seconds = sum(after.values()) - len(after), len(stream) - len(after), time.monotonic() - began
    report(Row("broker killed and filled, posts", len(posts.tries), len(after), copies, 0, 0, twice, seconds))
