"""Erasing a person's data on request, in database and broker of a centre that goes on working; and once more in one
that an older backup brought back."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, RawStreamMsg
from nats.js.errors import NotFoundError
from psycopg import AsyncConnection

from schemas.envelope import Invalid, event_key, refuse_personal
from schemas.erasing import pattern_of
from schemas.keys import parted
from schemas.registry import DATA_TYPES, event_models, parse
from schemas.streams import AGGREGATOR, ALERTS, EVENTS, QUARANTINE, Stream
from services.aggregator import erasure, staging
from services.aggregator.erasure import Concerned, Erasure, NotErasable, Target
from services.aggregator.event_store import ERASED, EventStore, Incoming
from services.aggregator.validate import digest, erase_message
from services.board.access import Account
from services.board.auth import audit
from services.kit import bus, clock, store, streams
from services.kit.settings import Settings

PAGE = 1000
PATIENCE = 30.0
"""Seconds within which the aggregator has to have read what lies in the stream."""


class Carried(NamedTuple):
    """An erasure and the events as it left them, as JSON: nothing of a person, to be kept wherever one likes."""

    erasure: dict[str, Any]
    keys: list[str]
    events: list[dict[str, Any]]

    def row(self) -> tuple[str, ...]:
        """When, by whom, what stands for it, how many events, why, and whether it has to be finished."""
        e = self.erasure
        what = e["kind"] or "event", e["alias"] or "", str(len(self.keys))
        return e["at"][:16], e["by"], *what, e["reason"], "" if e["done_at"] else "not finished: `ioc erase again`"


@dataclass
class Sought:
    """What is looked for in the streams: events by their keys, and the numbers of whole cases."""

    keys: set[UUID] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._number = re.compile("|".join(map(pattern_of, sorted(self.numbers))) or "(?!)")

    def by_key(self, body: Any) -> UUID | None:
        """The key of a message that is one of these events."""
        key = _key(body)
        return key if key in self.keys else None

    def names(self, message: Msg) -> bool:
        """Whether one of the numbers stands in a message."""
        texts = [message.data.decode(errors="replace"), *(message.headers or {}).values()]
        return any(self._number.search(text) or self._number.search(_unescaped(text)) for text in texts)


async def look(settings: Settings, target: Target) -> Concerned:
    """What an erasure would be about; nothing is changed. `NotErasable` where it cannot be."""
    async with _database(settings) as conn, conn.transaction(force_rollback=True):
        found = await erasure.concerned(conn, target)
        await erasure.erase(conn, found, erasure.begun(found, clock.now(), "", ""))
        return found


async def erase(settings: Settings, target: Target, account: Account, reason: str) -> Erasure:
    """Erase it and note who did so and why. What was cut short before is finished too."""
    refuse_personal("--reason", reason)
    if re.search(pattern_of(target.number), reason):
        raise NotErasable("the reason names what is to be erased, and it is kept")
    await resume(settings)
    async with _database(settings) as conn:
        async with conn.transaction():
            found = await erasure.concerned(conn, target)
            begun = erasure.begun(found, clock.now(), account.name, reason)
            await erasure.erase(conn, found, begun)
            await audit.note(conn, account, "data.erased", begun.alias or "", _detail(begun, found))
        await _finish(conn, settings, [begun])
    return begun


async def resume(settings: Settings) -> int:
    """Finish what was cut short before the broker had erased it; how many."""
    async with bus.connected(settings, "erase") as client:
        await _caught_up(client.jetstream())
    async with _database(settings) as conn:
        unfinished = [one for one in await erasure.all_erasures(conn) if one.done_at is None]
        await _finish(conn, settings, unfinished)
    return len(unfinished)


async def erase_refused(settings: Settings, stream: str, seq: int, account: Account, reason: str, do: bool) -> str:
    """Erase a message that is no stored event, with its copy: what was refused lies in the stream of events and in the
    quarantine. Returns the digest of what it is, or was (`do`). `NotErasable` where it is not there, or is stored."""
    refuse_personal("--reason", reason)
    async with bus.connected(settings, "erase") as client, _database(settings) as conn:
        js = client.jetstream()
        await _caught_up(js)
        lying = await _lying(js, stream, seq)
        if lying is None:
            raise NotErasable(f"nothing lies in {stream} under {seq}")
        if stream == EVENTS.name and (key := _key(_json(lying.data or b""))) and await _stored(conn, [key]):
            raise NotErasable(f"{seq} is stored: erase its case, or the event by its source and id")
        copies = await _copies(js, stream, seq, lying)
        what = digest(lying.data or b"")
        if do:
            detail = {"stream": stream, "message": seq, "digest": what, "reason": reason}
            await audit.note(conn, account, "data.erased", "", detail)
            for where, number in copies:
                await erase_message(js, where, number)
        return what


async def carried(settings: Settings) -> list[Carried]:
    """All erasures of this centre, to be applied to a database that does not know of them."""
    async with await _connected(settings) as conn:
        row = await (await conn.execute("SELECT to_regclass('erasure') IS NOT NULL")).fetchone()
        if not row or not row[0]:
            return []
        found = await (await conn.execute(_CARRIED)).fetchall()
    return [Carried({**of, "wanted": None}, keys, events) for of, keys, events in found]


async def apply(settings: Settings, erasures: Sequence[Carried]) -> int:
    """Erase once more what an older database or broker brought back, and store what is left of what it lacks; services
    may be stopped. How many erasures the database had not known."""
    new = 0
    async with _database(settings) as conn:
        for one in erasures:
            new += await _again(conn, settings, one)
        ids = {UUID(one.erasure["id"]) for one in erasures}
        await _finish(conn, settings, [known for known in await erasure.all_erasures(conn) if known.id in ids])
    return new


async def _again(conn: AsyncConnection, settings: Settings, one: Carried) -> bool:
    keys = [UUID(key) for key in one.keys]
    values = one.erasure | {"id": UUID(one.erasure["id"]), "at": datetime.fromisoformat(one.erasure["at"])}
    unknown = values["id"] not in {known.id for known in await erasure.all_erasures(conn)}
    async with conn.transaction():
        if unknown:
            target = await erasure.known(conn, keys, values["kind"])
            named = Erasure(**values | {"wanted": target.number if target else None, "done_at": None})
            found = await erasure.concerned(conn, target, over=False) if target else None
            await erasure.erase(conn, found, named) if found else await erasure.note(conn, named, ())
        await erasure.note_events(conn, values["id"], keys)
    lacking = set(keys) - set(await _stored(conn, keys))
    if events := [_left(row) for row in one.events if UUID(row["key"]) in lacking]:
        async with store.pool(settings, "owner", configure=staging.make) as pool:
            await EventStore(pool).store(events)
    return unknown


def _left(row: dict[str, Any]) -> Incoming:
    """The event as an erasure left it, under the key that it always had."""
    names = ("id", "source", "type", "time", "unit", "origin", "shiftdays", "data")
    event = event_models()[row["type"]].model_validate_json(
        json.dumps({"specversion": "1.0", **{n: row[n] for n in names}})
    )
    vars(event).update(key=UUID(row["key"]), digest=ERASED)
    return Incoming(event, datetime.fromisoformat(row["recorded"]))


async def _finish(conn: AsyncConnection, settings: Settings, unfinished: Sequence[Erasure]) -> None:
    """Erase in the broker's streams what the database does not hold any more."""
    if not unfinished:
        return
    keys = {one.id: await erasure.keys_of(conn, one.id) for one in unfinished}
    sought = Sought(
        {key for of in keys.values() for key in of}, {one.wanted for one in unfinished if one.kind and one.wanted}
    )
    async with bus.connected(settings, "erase") as client:
        js = client.jetstream()
        if kinds := {one.kind for one in unfinished if one.kind and not one.wanted}:
            sought = Sought(sought.keys, sought.numbers | await _numbers(js, sought, kinds))
        for stream in (EVENTS, QUARANTINE, ALERTS):
            for message in await _found(conn, js, stream, sought):
                await erase_message(js, stream.name, message)
    for one in unfinished:
        await erasure.done(conn, one.id, clock.now())


async def _found(conn: AsyncConnection, js: JetStreamContext, stream: Stream, sought: Sought) -> list[int]:
    """The messages that are these events, or name one of the numbers and are no other event, stored or still to be."""
    certain: list[int] = []
    naming: dict[int, UUID | None] = {}
    async for message in _messages(js, stream):
        seq, body = message.metadata.sequence.stream, _json(message.data)
        if sought.by_key(body):
            certain.append(seq)
        elif sought.names(message):
            naming[seq] = _key(body) if stream is EVENTS and _is_event(message) else None
    others = set(await _stored(conn, [key for key in naming.values() if key]))
    read = await streams.done_through(js, AGGREGATOR)
    return certain + [seq for seq, key in naming.items() if key is None or (key not in others and seq <= read)]


def _is_event(message: Msg) -> bool:
    try:
        parse(message.data, clock.now(), parted(message.subject)[0])
    except Invalid:
        return False
    return True


async def _numbers(js: JetStreamContext, sought: Sought, kinds: Collection[str]) -> set[str]:
    """The numbers of cases of which only the keys of events are known, as the stream still says them."""
    found = set()
    async for message in _messages(js, EVENTS):
        body = _json(message.data)
        if sought.by_key(body) and body.get("type") in DATA_TYPES and isinstance(body.get("data"), dict):
            touched = DATA_TYPES[body["type"]].touched(body.get("unit", ""), body["data"])
            found |= {ref.id for ref in touched if ref.kind in kinds}
    return found


async def _messages(js: JetStreamContext, stream: Stream) -> AsyncIterator[Msg]:
    """All that lies in a stream."""
    left = (await js.stream_info(stream.name)).state.messages
    config = ConsumerConfig(ack_policy=AckPolicy.NONE, inactive_threshold=30)
    reader = await js.pull_subscribe(stream.subjects[0], stream=stream.name, config=config) if left else None
    try:
        while reader and left:
            for message in await reader.fetch(PAGE, timeout=5):
                left = message.metadata.num_pending
                yield message
    finally:
        if reader:
            await reader.unsubscribe()


async def _lying(js: JetStreamContext, stream: str, seq: int) -> RawStreamMsg | None:
    try:
        return await js.get_msg(stream, seq, direct=False)
    except NotFoundError:
        return None


async def _copies(js: JetStreamContext, stream: str, seq: int, lying: RawStreamMsg) -> list[tuple[str, int]]:
    """A refused message as it came, and as it lies in the quarantine, which may be its beginning alone."""
    data = lying.data or b""
    if stream == EVENTS.name:
        laid = [m async for m in _messages(js, QUARANTINE) if (m.headers or {}).get("Ioc-Sequence") == str(seq)]
        return [
            *((QUARANTINE.name, m.metadata.sequence.stream) for m in laid if data.startswith(m.data)),
            (stream, seq),
        ]
    original = int((lying.headers or {}).get("Ioc-Sequence", 0))
    came = await _lying(js, EVENTS.name, original) if original else None
    return [*([(EVENTS.name, original)] if came and (came.data or b"").startswith(data) else []), (stream, seq)]


async def _caught_up(js: JetStreamContext) -> None:
    """Wait until all that came by now is stored or refused: before that it could come back."""
    if left := await streams.caught_up(js, AGGREGATOR, PATIENCE):
        raise NotErasable(f"the aggregator has {left:,} messages to read first; `ioc status` shows whether it runs")


async def _stored(conn: AsyncConnection, keys: Sequence[UUID]) -> list[UUID]:
    rows = await (await conn.execute("SELECT key FROM event_key WHERE key = ANY(%s)", [list(keys)])).fetchall()
    return [key for (key,) in rows]


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[AsyncConnection]:
    async with await _connected(settings) as conn:
        await staging.make(conn)
        yield conn


async def _connected(settings: Settings) -> AsyncConnection:
    """Also to a database that has no tables of ours yet."""
    return await AsyncConnection.connect(
        store.conninfo(settings, "owner"), autocommit=True, application_name="ioc erase", options=store.SESSION
    )


def _detail(begun: Erasure, found: Concerned) -> dict[str, Any]:
    unit = {"unit": found.events[0]["unit"]} if found.events else {}
    what = {"kind": begun.kind, "events": len(found.keys), "digest": begun.digest}
    return {"erasure": str(begun.id), "reason": begun.reason, **what, **unit}


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _key(body: Any) -> UUID | None:
    if not isinstance(body, dict):
        return None
    source, id = body.get("source"), body.get("id")
    return event_key(source, id) if isinstance(source, str) and isinstance(id, str) else None


def _unescaped(text: str) -> str:
    """As JSON may spell what needs no escape."""
    return re.sub(r"\\u00([0-9a-fA-F]{2})", lambda code: chr(int(code[1], 16)), text)


_CARRIED = """
SELECT to_jsonb(e), (SELECT coalesce(jsonb_agg(x.key), '[]') FROM erasure_event x WHERE x.erasure = e.id),
    (SELECT coalesce(jsonb_agg(to_jsonb(l)), '[]') FROM erasure_event x JOIN event_key k ON k.key = x.key
        JOIN event l ON l.key = k.key AND l.time = k.time WHERE x.erasure = e.id)
FROM erasure e ORDER BY e.at, e.id
"""
