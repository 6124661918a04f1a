"""The paths of GeoReport v2: what may be reported, a report, and what became of reports; answers are JSON or XML."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from schemas.indicators.label_texts import Language, Text
from schemas.keys import Bounds
from services.ingest.cloudevents import PublishBy, door_with
from services.ingest.keyring import Keyring
from services.ingest.limits import Limits
from services.ingest.open311 import catalogue, queries, submissions
from services.ingest.open311.documents import (
    KINDS,
    Definition,
    Discovery,
    Document,
    Endpoint,
    Given,
    GivenAlike,
    Problem,
    Service,
    ServiceRequest,
    Token,
    render,
)
from services.ingest.open311.intake import Intake
from services.ingest.open311.reports import Reports, told
from services.ingest.router import Refused, answers, read_body, unavailable, within
from services.kit import clock, metrics
from services.kit.errors import Unavailable
from services.kit.keys import Key

NAME = "open311"
HOME = f"/{NAME}"
V2 = f"{HOME}/v2"
SYSTEM = "field"
SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
CHANGESET = "2026-11-30T00:00:00+07:00"
"""When what is answered here was changed last."""
ASK_AGAIN = "ask again in a few seconds"
ANONYMOUS_RATE = 20.0
"""Questions per second of all who need no key, where the operator lets them ask."""


@dataclass
class Answered:
    """A document, and what the outermost element of its XML is called."""

    document: Document
    root: str


Handler = Callable[[Request, Language], Awaitable[Answered]]


def language_of(request: Request, said: Mapping[str, str]) -> Language:
    """English where `locale` or else Accept-Language says so; Vietnamese otherwise."""
    wanted = said.get("locale") or request.headers.get("accept-language", "")
    return "en" if wanted.strip().lower().startswith("en") else "vi"


@dataclass
class Doorkeeper:
    """Who may ask. `public`: everybody may read."""

    keyring: Keyring
    public: bool

    def __post_init__(self) -> None:
        self._anonymous = Limits(ANONYMOUS_RATE, ANONYMOUS_RATE)

    def reader(self, request: Request) -> Bounds | None:
        """The bounds of the key of who reads; None for who needs none."""
        secret = secret_of(request, request.query_params)
        if not secret and self.public:
            within("questions", self._anonymous.events, 1)
            return None
        key = self.holder(secret)
        within("questions", self.keyring.limits(key).events, 1)
        return key.bounds

    def holder(self, secret: str) -> Key:
        """Whose secret it is; `Refused` where that key does not live, or is of other systems."""
        try:
            found = self.keyring.holder(secret)
        except Unavailable as error:
            raise unavailable(error, ASK_AGAIN) from None
        if found is None:
            raise Refused(403, "unauthorised", "api_key: missing or wrong; send the secret of a key, see `ioc keys`")
        if SYSTEM not in found[0].bounds.systems:
            raise Refused(403, "not_yours", f"api_key: the key is not one of the system {SYSTEM}")
        return found[0]


def secret_of(request: Request, said: Mapping[str, str]) -> str:
    """The secret that a request bears: as `api_key`, or as a bearer's token."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return said.get("api_key") or (token.strip() if scheme.lower() == "bearer" else "")


def router(keyring: Keyring, reports: Reports, publish: PublishBy, public: bool) -> APIRouter:
    """All paths; `public`: reports may be read without a key. `publish` as for CloudEvents."""
    door = Doorkeeper(keyring, public)
    intake = Intake(reports)

    async def discovery(request: Request, language: Language) -> Answered:
        """Where the standard is spoken, and how to get a key."""
        return Answered(_discovery(f"{request.base_url}".rstrip("/") + V2), "discovery")

    async def services(request: Request, language: Language) -> Answered:
        """What may be reported."""
        _jurisdiction(request)
        return Answered(list(catalogue.services(language)), "services")

    async def definition(request: Request, language: Language) -> Answered:
        """What may be said of a report besides."""
        _jurisdiction(request)
        code = queries.service(request.path_params["service_code"])
        return Answered(catalogue.definition(code, language), "service_definition")

    async def requests(request: Request, language: Language) -> Answered:
        """Reports, the latest first: at most 90 days and 1,000 of them."""
        said, scope = request.query_params, _scope(door, request)
        if ids := queries.ids(said.get("service_request_id", "")):
            rows = await reports.named(ids, scope)
        else:
            rows = await reports.listed(queries.query(said, clock.now()), scope)
        extended = said.get("extensions", "").lower() == "true"
        return Answered([told(row, language, extended) for row in rows], "service_requests")

    async def report(request: Request, language: Language) -> Answered:
        """A report comes in: answered with its id once it is on disk. A form; nothing of a person is kept, nor the
        description, and of a photo its address alone."""
        body = await read_body(request, submissions.LARGEST)
        said = dict(request.query_params) | submissions.fields(body, request.headers.get("content-type", ""))
        key = door.holder(secret_of(request, said))
        own = door_with(keyring, key, publish)
        within("bytes", own.limits.bytes, len(body))
        read = submissions.read(said, key.bounds, request.headers.get(submissions.MARK, ""))
        for name in read.dropped:
            metrics.DROPPED.labels(NAME, name).inc()
        id = await intake.take(read, own)
        language = language_of(request, said)
        notices = [text.said(language) for text in (*read.notices, *await _photo_kept(reports, id, read.photo))]
        if alike := await reports.alike(id, read, queries.scope("", key.bounds)):
            notices.append(submissions.MAYBE_KNOWN.said(language).format(", ".join(alike)))
        given = Given(service_request_id=id, service_notice=" ".join(notices) or None)
        if alike:
            given = GivenAlike(**given.model_dump(), extended_attributes={"possible_duplicates": alike})
        return Answered([given], "service_requests")

    async def request_by_id(request: Request, language: Language) -> Answered:
        """One report."""
        rows = await reports.named([_id(request, "service_request_id")], _scope(door, request))
        if not rows:
            raise Refused(404, "unknown", "service_request_id: no such report, or it is not to be seen by this key")
        extended = request.query_params.get("extensions", "").lower() == "true"
        return Answered([told(rows[0], language, extended)], "service_requests")

    async def token(request: Request, language: Language) -> Answered:
        """The report of a token: reports have an id at once here, which is its own token."""
        rows = await reports.named([_id(request, "token_id")], _scope(door, request))
        if not rows:
            raise Refused(404, "unknown", "token_id: no such token; an id is answered to each report at once")
        return Answered([Token(service_request_id=rows[0].id, token=rows[0].id)], "service_requests")

    routes = APIRouter(tags=[NAME])
    _add(routes, f"{HOME}/discovery", discovery, Discovery)
    _add(routes, f"{V2}/services", services, list[Service])
    _add(routes, f"{V2}/services/{{service_code}}", definition, Definition)
    _add(routes, f"{V2}/requests", requests, list[ServiceRequest])
    _add(routes, f"{V2}/requests", report, list[GivenAlike | Given])
    _add(routes, f"{V2}/requests/{{service_request_id}}", request_by_id, list[ServiceRequest])
    _add(routes, f"{V2}/tokens/{{token_id}}", token, list[Token])
    return routes


def _add(routes: APIRouter, path: str, handler: Handler, model: Any) -> None:
    posts = handler.__name__ == "report"
    names = [*_PARAMETERS.get(handler.__name__, ()), "locale"]
    asked = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in names]
    form = {"requestBody": {"required": True, "content": {submissions.KIND: {"schema": _FORM}}}} if posts else {}
    mark = [{"name": submissions.MARK, "in": "header", "schema": {"type": "string"}}] if posts else []
    routes.add_api_route(
        f"{path}.{{form}}",
        _endpoint(handler),
        methods=["POST" if posts else "GET"],
        response_model=model,
        responses=_answers(posts),
        name=handler.__name__,
        description=f"{handler.__doc__} `form` is json or xml.",
        openapi_extra={"parameters": [*_in_path(path), *asked, *mark], **form},
    )


_PARAMETERS = {
    "services": ("jurisdiction_id",),
    "definition": ("jurisdiction_id",),
    "requests": (
        "jurisdiction_id", "api_key", "service_request_id", "service_code", "start_date", "end_date", "status",
        "extensions",
    ),
    "request_by_id": ("jurisdiction_id", "api_key", "extensions"),
    "token": ("jurisdiction_id", "api_key"),
}  # fmt: skip
PROBLEMS = {
    400: "A parameter cannot be meant",
    403: "The key is missing or wrong, or the unit is not the key's",
    404: "There is no such unit, service, report or form",
    408: "The body did not arrive in time",
    413: "The body is larger than 64 KiB",
    429: "More than the key may ask or send; again after `Retry-After` seconds",
    503: "The database, or for a report the broker, is away; again after `Retry-After` seconds",
}
_FORM = {
    "type": "object",
    "required": ["service_code"],
    "properties": {
        name: {"type": "string"}
        for name in (*submissions.KEPT, *(f"attribute[{a.code}]" for a in catalogue.ATTRIBUTES))
    },
    "example": {
        "service_code": "lighting",
        "lat": "11.4123",
        "long": "106.6543",
        "jurisdiction_id": "phuong_chon_thanh",
    },
}


def _answers(posts: bool) -> dict[int | str, dict[str, Any]]:
    xml = {"text/xml": {"schema": {"type": "string"}}}
    wrong = {status: text for status, text in PROBLEMS.items() if posts or status not in (408, 413)}
    id, notice = submissions.number(date(2026, 11, 25), bytes(range(16))), submissions.NOT_KEPT.said("vi")
    given = Given(service_request_id=id, service_notice=notice)
    told = answers(wrong, {200: [given.model_dump()]} if posts else {}, dict.fromkeys(wrong, list[Problem]))
    told.setdefault(200, {})["description"] = "As JSON or XML"
    return {status: answer | {"content": answer.get("content", {}) | xml} for status, answer in told.items()}


def _in_path(path: str) -> list[dict[str, Any]]:
    names = [part.strip("{}") for part in f"{path}/{{form}}".split("/") if part.startswith("{")]
    chosen = {"form": list(KINDS), "service_code": list(catalogue.CODES)}
    schemas = {name: {"enum": chosen[name]} if name in chosen else {} for name in names}
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"} | schema}
        for name, schema in schemas.items()
    ]


def _endpoint(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        form = request.path_params["form"]
        try:
            if form not in KINDS:
                raise Refused(404, "unknown", "there is .json and .xml")
            answered = await handler(request, language_of(request, request.query_params))
        except Unavailable as error:
            return refused(unavailable(error, ASK_AGAIN), form)
        except Refused as problem:
            return refused(problem, form)
        return Response(render(answered.document, answered.root, form), 200, media_type=KINDS[form])

    return endpoint


def refused(problem: Refused, form: str) -> Response:
    """The answer to a request that cannot be met, as the standard writes it."""
    metrics.REFUSED.labels(NAME, problem.problem.code).inc()
    form = form if form in KINDS else "json"
    status = 400 if problem.status == 422 else problem.status
    said = [Problem(code=status, description=reason) for reason in problem.problem.reasons]
    return Response(render(said, "errors", form), status, problem.headers, KINDS[form])


async def _photo_kept(reports: Reports, id: str, address: str | None) -> list[Text]:
    """What the sender is told of a photo that could not be kept: the report is on disk, and stands without."""
    if address:
        try:
            await reports.keep_photo(id, address)
        except Unavailable:
            return [submissions.PHOTO_AWAY]
    return []


def _jurisdiction(request: Request) -> None:
    """A jurisdiction that is named must be there; all have the same services."""
    if code := request.query_params.get("jurisdiction_id", ""):
        queries.known(code)


def _scope(door: Doorkeeper, request: Request) -> list[str] | None:
    return queries.scope(request.query_params.get("jurisdiction_id", ""), door.reader(request))


def _id(request: Request, name: str) -> str:
    return str(request.path_params[name])


def _discovery(url: str) -> Discovery:
    return Discovery(
        changeset=CHANGESET,
        contact="The operator of this centre",
        key_service="The operator of this centre gives keys of the system field: ioc keys create NAME --system field",
        endpoints=[
            Endpoint(
                specification=SPECIFICATION,
                url=url,
                changeset=CHANGESET,
                type="production",
                formats=[kind.partition(";")[0] for kind in KINDS.values()],
            )
        ],
    )
