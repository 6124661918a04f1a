"""A stream's snapshot and its way back, by the broker's own protocol: sequences, times and headers are kept.

Consumers are left out unless asked for: they know what was acknowledged when the broker was asked, which is more than a
database saved before it holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, BinaryIO

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

API = "$JS.API.STREAM"
CHUNK = 256 * 1024
"""Well below the smallest limit of a message that brokers are run with (1 MB)."""
SMALL_CHUNK = 32 * 1024
"""On the way back the broker gives up after 5 s without a chunk, and a busy disk takes them slowly."""
TRIES = 3
PATIENCE = 60.0
"""Seconds for one chunk: the broker reads a whole block of its disk before it goes on."""
NO_SUCH_STREAM = 10059
Progress = Callable[[int], None]


class StreamFailed(Exception):
    """The broker could not give or take a stream; the message says which and why."""


async def snapshot(
    client: Client, stream: str, file: BinaryIO, progress: Progress, consumers: bool = False
) -> dict[str, Any]:
    """Write the stream as it is now to `file`; returns its `config` and `state`. `progress` is told the bytes written.

    The file is a tar compressed by S2, which only a broker reads. With `consumers` theirs is in it too.
    """
    inbox = client.new_inbox()
    chunks = await client.subscribe(inbox)
    try:
        wanted = {"deliver_subject": inbox, "no_consumers": not consumers, "chunk_size": CHUNK, "jsck": True}
        answer = await _call(client, f"SNAPSHOT.{stream}", wanted)
        last = await _receive(client, chunks, file, progress)
    except nats.errors.TimeoutError:
        raise StreamFailed(f"the broker stopped in the middle of {stream}; try again") from None
    finally:
        await chunks.unsubscribe()
    status = (last.headers or {}).get("Status", "204")
    if status != "204":
        raise StreamFailed(f"the broker could not read {stream} to its end: {status} {last.headers}")
    return {"config": answer["config"], "state": answer["state"]}


async def _receive(client: Client, chunks: Any, file: BinaryIO, progress: Progress) -> Msg:
    """Write chunks to the file, asking for more by an answer to each, until the empty one that ends them."""
    done = 0
    while True:
        message: Msg = await chunks.next_msg(timeout=PATIENCE)
        if not message.data:
            return message
        file.write(message.data)
        if message.reply:
            await client.publish(message.reply)
        done += len(message.data)
        progress(done)


async def restore(
    client: Client, stream: str, config: dict[str, Any], state: dict[str, Any], file: BinaryIO, progress: Progress
) -> None:
    """Make the stream, which must not exist, from what `snapshot` wrote. Cut short, it leaves no stream behind.

    A broker that syncs always takes as many messages a second as it takes from emitters: some thousand.
    """
    for left in reversed(range(TRIES)):
        try:
            file.seek(0)
            answer = await _call(client, f"RESTORE.{stream}", {"config": config, "state": state})
            return await _send(client, stream, answer["deliver_subject"], file, progress)
        except StreamFailed:
            if not left:  # a busy disk lets the broker give up; the next try may find it less so
                raise
        except nats.errors.Error as error:
            problem = str(error) or type(error).__name__
            if not left:
                raise StreamFailed(f"the broker stopped in the middle of {stream}: {problem}; run it again") from None


async def _send(client: Client, stream: str, target: str, file: BinaryIO, progress: Progress) -> None:
    done = 0
    while chunk := file.read(SMALL_CHUNK):
        _accepted(stream, await client.request(target, chunk, timeout=PATIENCE))
        progress(done := done + len(chunk))
    _checked(stream, await client.request(target, b"", timeout=PATIENCE))


def _accepted(stream: str, message: Msg) -> None:
    if message.data:
        raise StreamFailed(f"the broker refuses {stream}: {message.data.decode(errors='replace')}")


async def remove(client: Client, stream: str) -> None:
    """Delete the stream with all its messages; harmless where there is none."""
    message = await client.request(f"{API}.DELETE.{stream}", b"", timeout=PATIENCE)
    if json.loads(message.data).get("error", {}).get("err_code") != NO_SUCH_STREAM:
        _checked(stream, message)


async def time_of(client: Client, stream: str, seq: int) -> str | None:
    """When the broker had the message `seq` on disk, as it writes times; None where there is no such message."""
    message = await client.request(f"{API}.MSG.GET.{stream}", json.dumps({"seq": seq}).encode(), timeout=PATIENCE)
    found = json.loads(message.data).get("message")
    return str(found["time"]) if found else None


async def _call(client: Client, call: str, request: dict[str, Any]) -> dict[str, Any]:
    return _checked(call, await client.request(f"{API}.{call}", json.dumps(request).encode(), timeout=PATIENCE))


def _checked(what: str, message: Msg) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(message.data)
    if error := answer.get("error"):
        raise StreamFailed(f"the broker refuses {what}: {error.get('description', error)}")
    return answer
