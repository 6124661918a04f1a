"""The door that all emitters share: who may post, how much, what is answered. A system's own words live in its module.

A new system is a module with an `EMITTER`, and a row of the same name in `schemas.sources.EMITTERS`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from math import ceil
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import ClientDisconnect

from schemas.envelope import (
    LONGEST_REASON,
    MAX_EVENT_BYTES,
    Event,
    EventData,
    Invalid,
    check_bytes,
    check_event,
    check_written_moments,
)
from schemas.json_members import repeated
from schemas.personal import mask
from schemas.registry import make
from schemas.text import files
from schemas.text.letters import visible
from services.ingest.examples import Example, example, parameter_names
from services.ingest.limits import Bucket, Limits
from services.kit import clock, metrics
from services.kit.errors import Unavailable

BODY_SECONDS = 10.0
RETRY_SECONDS = 5

Publish = Callable[[Event], Awaitable["Stored"]]
BEARER = HTTPBearer(auto_error=False)
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]


class Stored(NamedTuple):
    """An event is on disk: its number in the stream, and whether it was there already."""

    sequence: int
    known: bool


class Words(BaseModel):
    """A request in the words of a source system: allow-listed fields, strictly typed."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


@dataclass(frozen=True)
class Post:
    """One path: the words it takes and the pure function that makes the event of them and of the path's parameters."""

    path: str
    words: type[Words]
    event: Callable[..., Event]


@dataclass(frozen=True)
class Emitter:
    """The door of one source system. `name` is also its credential, `emitter_<name>`."""

    name: str
    posts: tuple[Post, ...]


class Accepted(BaseModel):
    """The event is on disk, as number `stream_sequence` of the stream of events. `known`: this door had it acknowledged
    under that number minutes ago, and did not send it again; what is older is recognised when it is stored."""

    id: str
    type: str
    subject: str
    stream_sequence: int
    known: bool


class Problem(BaseModel):
    """Why nothing was taken: a code, and every reason with the field it is about."""

    code: str
    reasons: list[str]


class Refused(Exception):
    """A request that is answered with a `Problem`."""

    def __init__(self, status: int, code: str, *reasons: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(code)
        self.status, self.headers = status, headers
        self.problem = Problem(code=code, reasons=[visible(mask(r[:LONGEST_REASON])) for r in reasons])

    def answer(self) -> JSONResponse:
        """The response to the sender."""
        return JSONResponse(self.problem.model_dump(), self.status, self.headers)


def compose(emitter: str, id: str, time: datetime, unit: str, data: EventData) -> Event:
    """An event of a source system's unit; the id is made of the words, so the same words make the same event."""
    return make(data, source=f"/{emitter}/{unit}", id=id, time=time, unit=unit)


def router(emitter: Emitter, token: str, publish: Publish, limits: Limits) -> APIRouter:
    """The paths of an emitter, opened by `token`, within `limits`. `publish` returns once an event is on disk; else
    `Unavailable`."""
    routes = APIRouter(tags=[emitter.name])
    for post in emitter.posts:
        shown = example(post.path, post.words, post.event)
        routes.add_api_route(
            post.path,
            _endpoint(emitter, post, token, publish, limits),
            methods=["POST"],
            status_code=202,
            response_model=Accepted,
            responses=answers(PROBLEMS, {202: accepted(shown.event)} if shown else {}),
            name=post.event.__name__,
            description=post.event.__doc__,
            openapi_extra=_documented(post, shown),
        )
    return routes


PROBLEMS = {
    400: "The body is not JSON",
    401: "The token is missing or wrong",
    408: "The body did not arrive in time",
    413: "The body is larger than 256 KiB",
    429: "This credential sends more than it may; `Retry-After` says when to send it again",
    422: "The words are wrong; each reason names its field",
    503: "The broker cannot take it now; nothing was taken, send it again",
}
_RETRY_AFTER = {
    "Retry-After": {
        "description": "After so many seconds the same may be sent again",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    }
}


def answers(
    problems: Mapping[int, str],
    examples: Mapping[int, Any],
    models: Mapping[int, Any] | None = None,
) -> dict[int | str, dict[str, Any]]:
    """What may be answered, for OpenAPI: problems with their texts, and examples of answers. `models`: of the problems
    that are told otherwise than by a `Problem`."""
    told: dict[int | str, dict[str, Any]] = {
        status: {"model": (models or {}).get(status, Problem), "description": text}
        | ({"headers": _RETRY_AFTER} if status in (429, 503) else {})
        for status, text in sorted(problems.items())
    }
    for status, shown in examples.items():
        told.setdefault(status, {})["content"] = {"application/json": {"example": shown}}
    return told


def accepted(event: Event) -> dict[str, Any]:
    """An example of the answer to an event."""
    said = {"id": event.id, "type": event.type, "subject": event.subject, "stream_sequence": 4711, "known": False}
    return Accepted.model_validate(said).model_dump()


def _endpoint(
    emitter: Emitter, post: Post, token: str, publish: Publish, limits: Limits
) -> Callable[..., Awaitable[Any]]:
    async def endpoint(request: Request, bearer: Bearer) -> Any:
        try:
            _authorise(emitter.name, token, bearer)
            within("events", limits.events, 1)
            body = await read_body(request)
            within("bytes", limits.bytes, len(body))
            event = understand(post, body, request.path_params, clock.now())
            return await hand_over(emitter.name, event, publish)
        except Refused as refused:
            metrics.REFUSED.labels(emitter.name, refused.problem.code).inc()
            return refused.answer()

    return endpoint


def _authorise(name: str, token: str, bearer: HTTPAuthorizationCredentials | None) -> None:
    given = bearer.credentials if bearer else ""
    if not compare_digest(given.encode(), token.encode()):
        how = f"send 'Authorization: Bearer <token>'; the token is in the file emitter_{name} of the secrets folder"
        raise Refused(401, "unauthorised", how, headers={"WWW-Authenticate": "Bearer"})


def within(what: str, bucket: Bucket, amount: int) -> None:
    """Take so much of what a credential may send; `Refused` with the time to wait."""
    _refuse_for(what, bucket.take(amount))


def has_room(what: str, bucket: Bucket, amount: int) -> None:
    """`Refused` with the time to wait where so much is more than a credential may send now; nothing is taken."""
    _refuse_for(what, bucket.lacks(amount))


def _refuse_for(what: str, seconds: float) -> None:
    if wait := ceil(seconds):
        why = f"more {what} than this credential may send; nothing was taken, send the same again in {wait} s"
        raise Refused(429, "too_many", why, headers={"Retry-After": str(wait)})


async def read_body(request: Request, most: int = MAX_EVENT_BYTES) -> bytes:
    """The body of at most so many bytes, hardly more of it in memory; `Refused` if it is larger, slow or packed."""
    check_unpacked(request)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    break
    except TimeoutError:
        raise Refused(408, "too_slow", f"the body did not arrive within {BODY_SECONDS:.0f} s") from None
    except ClientDisconnect:
        raise Refused(400, "not_json", "the body ended too early") from None
    if len(body) > most:
        raise Refused(413, "too_large", f"a body may have {most:,} bytes", headers={"Connection": "close"})
    return bytes(body)


def check_unpacked(request: Request) -> None:
    """`Refused` where a body is packed: nothing is unpacked here, since a few bytes may hold any number of them."""
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Refused(400, "packed", "Content-Encoding: the body is packed; send it as it is")


def in_utf8(body: bytes, code: str = "not_json") -> bytes:
    """A body without the mark that some programs put before UTF-8; `Refused` with this code where it is UTF-16 or
    UTF-32."""
    if wide := files.wide_encoding(body):
        raise Refused(400, code, f"the body is {wide}: send UTF-8")
    return body.removeprefix(files.BOM)


def understand(post: Post, body: bytes, parameters: dict[str, Any], now: datetime) -> Event:
    """The event that a body tells, held to the same rules as every event. Raises `Refused` with all reasons."""
    body = in_utf8(body)
    try:
        words = post.words.model_validate_json(body)
        if twice := repeated(body, len(words.model_fields_set)):
            raise Refused(422, "bad_words", f"{twice}: is given twice in one object; send it once")
        check_written_moments(body, post.words)
        event = post.event(words, **parameters)
        # Its types were checked as it was made; what is left are the rules that no type can hold.
        check_bytes(event.to_json())
        check_event(event, now)
        return event
    except ValidationError as error:
        raise _refusal(error) from None
    except Invalid as invalid:
        raise Refused(422, invalid.code, invalid.reason) from None


def _refusal(error: ValidationError) -> Refused:
    """Every field that is wrong, with why; its value is not repeated."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    if found[0]["type"] == "json_invalid":
        return Refused(400, "not_json", found[0]["msg"])
    return Refused(422, "bad_words", *(f"{'.'.join(map(str, e['loc'])) or 'body'}: {_reason(e)}" for e in found[:20]))


def _reason(error: Any) -> str:
    plain = {"extra_forbidden": "is not expected here", "missing": "is missing"}
    return plain.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")


def unavailable(error: Unavailable, advice: str) -> Refused:
    """Nothing can be taken or told now; `advice` says what to do."""
    return Refused(503, "unavailable", f"{error}; {advice}", headers={"Retry-After": str(RETRY_SECONDS)})


async def hand_over(name: str, event: Event, publish: Publish) -> Accepted:
    """Publish an event; `Refused` where the broker cannot take it now."""
    try:
        stored = await publish(event)
    except Unavailable as error:
        raise unavailable(error, "send the same again in a few seconds") from None
    metrics.EMITTED.labels(name, "known" if stored.known else "stored").inc()
    return Accepted(
        id=event.id,
        type=event.type,
        subject=event.subject,
        stream_sequence=stored.sequence,
        known=stored.known,
    )


def _documented(post: Post, shown: Example | None) -> dict[str, Any]:
    """What OpenAPI can't see, as bodies are read here: the words, and the path's parameters."""
    content: dict[str, Any] = {"schema": post.words.model_json_schema()}
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in parameter_names(post.path)
    ]
    if shown:
        content["example"] = shown.body
        parameters = [one | {"example": shown.parameters[one["name"]]} for one in parameters]
    return {"requestBody": {"required": True, "content": {"application/json": content}}, "parameters": parameters}
