"""Events of those who have a key, as CloudEvents 1.0 over HTTP: one (structured or binary), a batch, or lines.

What is answered with 2xx is on disk. An event of a batch or a line is answered alone, and is known by its source and
id: whoever is not sure sends all of it again.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from functools import partial, reduce
from itertools import chain, islice
from operator import or_
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from schemas.attributes import JSON_MEDIA
from schemas.envelope import MAX_EVENT_BYTES, Event, Invalid
from schemas.registry import parse
from schemas.sources import KEYS
from services.ingest import signed
from services.ingest.event_files import Splitter
from services.ingest.fast_path import Endpoint
from services.ingest.keyring import Keyring
from services.ingest.limits import Limits
from services.ingest.router import (
    PROBLEMS,
    RETRY_SECONDS,
    Accepted,
    Bearer,
    Problem,
    Publish,
    Refused,
    Stored,
    accepted,
    answers,
    check_unpacked,
    hand_over,
    has_room,
    in_utf8,
    read_body,
    unavailable,
    within,
)
from services.kit import clock, metrics
from services.kit.errors import Unavailable
from services.kit.keys import Key

PublishBy = Callable[[Event, str], Awaitable[Stored]]
Item = TypeVar("Item")
Said = TypeVar("Said", bound="Answer")
PATH = "/events"
ONE, BATCH, LINES = "application/cloudevents+json", "application/cloudevents-batch+json", "application/x-ndjson"
_SAME_AS_LINES = (LINES, "application/jsonl", "application/jsonlines", "application/ndjson")
MOST_IN_BATCH, LARGEST_BATCH = 1000, 4 * 2**20
MOST_REFUSED = 1000
"""So many refused lines are told one by one."""
ABREAST = 200
"""Events of one request that are on their way to the broker at a time."""
SILENT_SECONDS = 30.0
"""How long a stream of lines may bring nothing."""


class Answer(BaseModel):
    """What became of one event: `status` as over HTTP; where it was accepted, its number in the stream, and `known`
    where it was there already; else a code and reasons. `at`: its place in the batch from 0, its line from 1."""

    at: int
    status: int
    id: str | None = None
    stream_sequence: int | None = None
    known: bool | None = None
    code: str | None = None
    reasons: list[str] = []


class Answers(BaseModel):
    """What became of a batch: as many answers as events, in their order."""

    accepted: int
    refused: int
    items: list[Answer]


class LinesRead(BaseModel):
    """What became of lines: of those that were refused the first thousand are told. `through`: the last line that was
    read; all up to it have been answered, what follows was not looked at."""

    accepted: int
    refused: int
    through: int
    items: list[Answer]


@dataclass(frozen=True)
class Door:
    """What a request of a key's holder needs: the key, what is left of its limits, and the way to the broker."""

    key: Key
    limits: Limits
    publish: Publish

    async def take(self, raw: bytes) -> Accepted:
        """Validate one event, hold it against the key's bounds, and publish it. `Refused` with why."""
        try:
            event = parse(raw, clock.now())
        except Invalid as invalid:
            raise Refused(422, invalid.code, invalid.reason) from None
        self.check(event)
        return await self.put(event)

    def check(self, event: Event) -> None:
        """`Refused` where a valid event is not this key's to say."""
        if why := self.key.bounds.refusal(event):
            raise Refused(403, "not_yours", why)

    async def put(self, event: Event) -> Accepted:
        """Publish an event that was checked."""
        return await hand_over(KEYS, event, self.publish)


def opened_by_key(
    keyring: Keyring, publish: PublishBy, work: Callable[[Door, Request], Awaitable[Response]]
) -> Endpoint:
    """An endpoint of those who have a key: what `work` answers, or refuses."""

    async def by_key(request: Request, bearer: Bearer) -> Response:
        try:
            if signed.is_signed(request):
                key, request = await signed.verified(keyring, request)
                return await work(door_with(keyring, key, publish), request)
            return await work(door_of(keyring, bearer.credentials if bearer else "", publish), request)
        except Refused as refused:
            metrics.REFUSED.labels(KEYS, refused.problem.code).inc()
            return refused.answer()

    return by_key


def endpoint(keyring: Keyring, publish: PublishBy) -> Endpoint:
    """What answers at the one path, opened by a key's secret. `publish` as for an emitter, in the name of a key."""
    return opened_by_key(keyring, publish, _events)


def router(events: Endpoint) -> APIRouter:
    """The one path, as OpenAPI tells of it."""
    routes = APIRouter(tags=["cloudevents"])
    routes.add_api_route(
        PATH,
        events,
        name="events",
        methods=["POST"],
        status_code=202,
        response_model=Accepted | Answers | LinesRead,
        responses=described(Answers, LinesRead, example=accepted(parse(json.dumps(EXAMPLE).encode(), clock.now()))),
        description=__doc__,
        openapi_extra=_documented(),
    )
    return routes


def described(*several: Any, example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """What else may be answered, for OpenAPI; of several events the gravest of theirs, in one of the models given.
    `example`: of an answer where all was taken."""
    texts = PROBLEMS | {
        403: "The event is not this key's to say: its source, system or unit is another's",
        413: "The body is larger than 256 KiB, or a batch than 4 MiB or 1,000 events",
        415: "The content type is none of those above",
        422: "The event is wrong; each reason names its field",
    }
    wrong = reduce(or_, several, Problem)
    models = {status: Problem if status in (401, 413, 415) else wrong for status in texts}
    return answers(texts, {202: example}, models)


def _documented() -> dict[str, Any]:
    """What OpenAPI can't see, as bodies are read here."""
    event = {
        "type": "object",
        "description": "An event of the contracts in `schemas/contracts`",
        "required": ["specversion", "id", "source", "type", "time", "unit", "data"],
        "properties": {name: {"type": "string"} for name in ("specversion", "id", "source", "type", "unit")}
        | {"time": {"type": "string", "format": "date-time"}, "data": {"type": "object"}},
        "example": EXAMPLE,
    }
    forms: dict[str, Any] = {
        ONE: event,
        BATCH: {"type": "array", "maxItems": MOST_IN_BATCH, "items": event, "example": [EXAMPLE]},
        LINES: {"type": "string", "example": json.dumps(EXAMPLE) + "\n"},
        "application/json": {"type": "object", "example": EXAMPLE["data"]},
    }
    content = {kind: {"schema": schema} for kind, schema in forms.items()}
    binary = [
        {"name": f"ce-{name}", "in": "header", "description": "In binary form", "schema": {"type": "string"}}
        | {"example": quote(value, safe="")}
        for name, value in EXAMPLE.items()
        if name != "data"
    ]
    return {"requestBody": {"required": True, "content": content}, "parameters": binary}


EXAMPLE: dict[str, Any] = {
    "specversion": "1.0",
    "id": "2026-11-25",
    "source": "/benh-vien",
    "type": "vn.ioc.visits.reported.v1",
    "time": "2026-11-25T17:00:00+07:00",
    "unit": "phuong_chon_thanh",
    "data": {"facility": "tram_y_te", "day": "2026-11-25", "visits": 41, "insured": 38},
}
"""An event as a key of the system health may send it."""


def door_of(keyring: Keyring, secret: str, publish: PublishBy) -> Door:
    """What the holder of a secret may use; `Refused` where it opens nothing."""
    try:
        found = keyring.holder(secret)
    except Unavailable as error:
        raise unavailable(error, "send it again") from None
    if found is None:
        how = "send 'Authorization: Bearer <secret>' with a key that lives, or sign the request with one that signs "
        how += "(RFC 9421); `ioc keys` makes and lists them"
        raise Refused(401, "unauthorised", how, headers={"WWW-Authenticate": "Bearer", **signed.WANTED})
    return door_with(keyring, found[0], publish)


def door_with(keyring: Keyring, key: Key, publish: PublishBy) -> Door:
    """What the holder of a key may use."""
    return Door(key, keyring.limits(key), lambda event: publish(event, key.bounds.name))


def _form(request: Request) -> str:
    kind, _, rest = request.headers.get("content-type", "").partition(";")
    kind = kind.strip().lower()
    charset = re.search(r"charset\s*=\s*\"?([\w-]+)", rest, re.IGNORECASE)
    if charset and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise Refused(415, "not_utf8", f"charset {charset[1]}: send UTF-8")
    if kind in (ONE, BATCH):
        return kind
    if kind in _SAME_AS_LINES:
        return LINES
    if "ce-specversion" in request.headers and (not kind or JSON_MEDIA.fullmatch(kind)):
        return "binary"  # data is JSON here, so who does not say what it is means that
    raise Refused(
        415, "unknown_form",
        f"Content-Type: {kind or 'none'}; send one event as {ONE}, several as {BATCH} or {LINES}, or JSON with "
        "ce- headers",
    )  # fmt: skip


async def _events(door: Door, request: Request) -> Response:
    return await _FORMS[_form(request)](door, request)


async def _one(door: Door, request: Request) -> Response:
    return await _single(door, await body_of(door, request, MAX_EVENT_BYTES))


async def _binary(door: Door, request: Request) -> Response:
    data = await body_of(door, request, MAX_EVENT_BYTES)
    try:
        json.loads(data)
    except (ValueError, RecursionError) as wrong:
        raise Refused(400, "not_json", f"data: {wrong}") from None
    return await _single(door, _structured(request, data))


def _structured(request: Request, data: bytes) -> bytes:
    """An event in binary form as one in structured form; attributes are as the headers spell them."""
    said: dict[str, Any] = {}
    for name, value in request.headers.items():
        if name.startswith("ce-"):
            if name[3:] in (*said, "data"):
                raise Refused(422, "bad_value", f"{name}: is given twice, or is no attribute")
            said[name[3:]] = unquote(value.strip('"'))
    if re.fullmatch(r"-?\d{1,6}", days := str(said.get("shiftdays", ""))):
        said["shiftdays"] = int(days)
    said["datacontenttype"] = "application/json"
    return json.dumps(said, ensure_ascii=False).encode()[:-1] + b', "data": ' + data + b"}"


async def _single(door: Door, raw: bytes) -> Response:
    within("events", door.limits.events, 1)
    taken = await door.take(raw)
    return Response(taken.model_dump_json(), 202, media_type="application/json")


async def body_of(door: Door, request: Request, most: int) -> bytes:
    """The body of a request, within what the key may send; `Refused` where it is more, or no UTF-8."""
    body = await read_body(request, most)
    within("bytes", door.limits.bytes, len(body))
    return in_utf8(body)


async def _batch(door: Door, request: Request) -> JSONResponse:
    body = await body_of(door, request, LARGEST_BATCH)
    # To tell how many there are takes long, and hardly less than to tell that they are too many.
    has_room("events", door.limits.events, min(body.count(b'"specversion"'), MOST_IN_BATCH))
    async with door.limits.turns:
        events = elements(body)
        within("events", door.limits.events, len(events))
        items = [answer async for answer in answered(enumerate(events), partial(_answer, door))]
    accepted = sum(answer.status == 202 for answer in items)
    return answer_of(Answers(accepted=accepted, refused=len(items) - accepted, items=items))


def elements(body: bytes) -> list[bytes]:
    """The elements of an array, each as it is written: nothing is read here that may be no event."""
    text = body.strip()
    if not (text.startswith(b"[") and text.endswith(b"]")):
        raise Refused(400, "not_json", "a batch is a JSON array, from [ to ]")
    splitter = Splitter(MAX_EVENT_BYTES)
    records = list(islice(chain(splitter.feed(text), splitter.close()), MOST_IN_BATCH + 1))
    if len(records) > MOST_IN_BATCH:
        raise Refused(413, "too_large", f"a batch may have {MOST_IN_BATCH:,} elements")
    return [raw for _, raw in records]


async def _lines(door: Door, request: Request) -> JSONResponse:
    """Lines for as long as they come: no faster than the key may send, and never more of them in memory than a few."""
    check_unpacked(request)
    said = LinesRead(accepted=0, refused=0, through=0, items=[])
    splitter, begun = Splitter(MAX_EVENT_BYTES), False
    try:
        async for chunk in _chunks(request):
            begun = begun or bool(in_utf8(chunk))
            await _pause(door.limits.bytes.wait(len(chunk)))
            async with door.limits.turns:
                if not await _taken(door, splitter.feed(chunk), said):
                    return answer_of(said)
        await _taken(door, splitter.close(), said)
    except TimeoutError:
        _note(said, Answer(at=said.through + 1, status=408, code="too_slow", reasons=["no line came for a while"]))
    except ClientDisconnect:
        _note(said, Answer(at=said.through + 1, status=400, code="not_json", reasons=["the body ended too early"]))
    return answer_of(said)


async def _taken(door: Door, records: Iterable[tuple[int, bytes]], said: LinesRead) -> bool:
    """Whether one may go on: not where the broker takes nothing."""
    taken = True
    async for answer in answered(records, partial(_answer, door), door.limits):
        said.through = max(said.through, answer.at)
        _note(said, answer)
        taken &= answer.status != 503
    return taken


def _note(said: LinesRead, answer: Answer) -> None:
    if answer.status == 202:
        said.accepted += 1
        return
    said.refused += 1
    if len(said.items) < MOST_REFUSED or answer.status == 503:  # which ends the reading, and is the answer to all
        said.items.append(answer)


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(SILENT_SECONDS):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        yield chunk


async def _pause(seconds: float) -> None:
    if seconds:
        await asyncio.sleep(seconds)


async def answered(
    numbered: Iterable[tuple[int, Item]],
    answer: Callable[[int, Item], Coroutine[Any, Any, Said]],
    paced_by: Limits | None = None,
) -> AsyncIterator[Said]:
    """An answer for each of several, in their order, some on their way at a time; `paced_by`: no faster than that."""
    flight: list[asyncio.Task[Said]] = []
    try:
        for at, one in numbered:
            if paced_by:
                await _pause(paced_by.events.wait(1))
            flight.append(asyncio.create_task(answer(at, one)))
            if len(flight) >= ABREAST:
                yield await flight.pop(0)
        while flight:
            yield await flight.pop(0)
    finally:
        for task in flight:
            task.cancel()


async def _answer(door: Door, at: int, raw: bytes) -> Answer:
    try:
        taken = await door.take(raw)
    except Refused as refused:
        return Answer(at=at, **noted(refused))
    return Answer(at=at, status=202, id=taken.id, stream_sequence=taken.stream_sequence, known=taken.known)


def noted(refused: Refused) -> dict[str, Any]:
    """What an answer says of one that was refused, which is counted."""
    metrics.REFUSED.labels(KEYS, refused.problem.code).inc()
    return {"status": refused.status, "code": refused.problem.code, "reasons": refused.problem.reasons}


def answer_of(said: Answers | LinesRead) -> JSONResponse:
    """202 where every event was accepted; else the gravest that was answered: to be sent again, before wrong."""
    wrong = [answer.status for answer in said.items if answer.status != 202]
    status = max(wrong, default=202 if not said.refused else 422)
    headers = {"Retry-After": str(RETRY_SECONDS)} if status == 503 else None
    return JSONResponse(said.model_dump(exclude_none=True), status, headers)


_FORMS: dict[str, Callable[[Door, Request], Awaitable[Response]]] = {
    ONE: _one,
    "binary": _binary,
    BATCH: _batch,
    LINES: _lines,
}
