"""The read API over HTTP: one table of paths, of which its OpenAPI is made; JSON or CSV, with an ETag."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from decimal import Decimal
from hashlib import sha256
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.security import HTTPBearer
from psycopg import Connection
from starlette.exceptions import HTTPException

from services.board.access import Account
from services.board.api import answers
from services.board.api.answers import Answer
from services.board.api.questions import (
    ExplainQuery,
    FigureQuery,
    FindingsQuery,
    IndicatorsQuery,
    UnitsQuery,
    day_of,
    days_of,
    moment_of,
    question_of,
    system_of,
    unit_of,
)
from services.board.api.questions import Query as Parameters
from services.board.auth.problems import Problem, ProblemDetails, unanswered
from services.board.live.query_pool import QueryPool, TooMuch
from services.board.ui.exports import Cell, as_csv
from services.kit import clock, store
from services.kit.service import UNWATCHED
from services.readings.evaluate import NotBrokenDown

BASE = "/api"
WINDOW_SECONDS = 15
"""Time alone makes cases overdue: so long an answer as of now counts as fresh where nothing was stored."""
_STARTED = secrets.token_hex(4)
"""A board that is started anew may count otherwise."""
NUMBERS = ("value", "exact", "target", "left", "right", "missing")
Responses = dict[int | str, dict[str, Any]]
PROBLEMS: Responses = {
    status: {"content": {"application/problem+json": {"schema": ProblemDetails.model_json_schema()}}, "description": d}
    for status, d in {
        401: "No token, or none that is valid",
        403: "Not of this account's units, or beyond its role",
        404: "No such indicator: the nearest are named",
        422: "A parameter is wrong: it is named, with what it may be",
        429: "More than 10 questions a second; `Retry-After` says when to ask again",
        503: "The database does not answer, or there is too much to read",
    }.items()
}
TABLES = {"text/csv": {"schema": {"type": "string"}}}


class Rows(NamedTuple):
    """Which list of an answer is its table as CSV, and what stands before each of its rows."""

    name: str
    before: tuple[str, ...] = ()
    within: str = ""


ASKED = ("unit", "from", "to", "as_of")


def build(reading: QueryPool, home: str) -> FastAPI:
    """The application below `/api`; `home`: the board's address, for links to it."""
    app = FastAPI(
        title="IOC read API",
        version="1",
        description="Every figure of the centre, read only. Errors are problem+json (RFC 9457).",
        docs_url=None,
        redoc_url=None,
        telemetry=UNWATCHED,
        dependencies=[Depends(HTTPBearer(auto_error=False, description="a token of `ioc people token add`"))],
    )
    _add_errors(app)

    def get(path: str, model: type[Answer], summary: str) -> Callable[..., Any]:
        unchanged = {"description": "As `If-None-Match` says"}
        responses: Responses = {200: {"content": TABLES}, 304: unchanged, **PROBLEMS}
        return app.get(path, response_model=model, summary=summary, responses=responses)

    @get("/figures/{indicator}", answers.Figures, "A figure, or a sheet of them, as `ioc query` gives it")
    async def figures(request: Request, indicator: str, query: Annotated[FigureQuery, Query()]) -> Response:
        account = _account(request)
        question = question_of(account, indicator, query)
        return await _answer(
            request, reading, query, Rows("figures", ASKED), question.lasting,
            lambda conn: answers.figures(conn, account, question, home),
        )  # fmt: skip

    @get("/explain/{indicator}", answers.Explanations, "A figure opened, as `ioc explain` does")
    async def explain(request: Request, indicator: str, query: Annotated[ExplainQuery, Query()]) -> Response:
        account = _account(request)
        question = question_of(account, indicator, query)
        return await _answer(
            request, reading, query, Rows("explanations", ASKED, "parts"), question.lasting,
            lambda conn: answers.explanations(conn, account, question, home),
        )  # fmt: skip

    @get("/findings", answers.Disagreements, "Figures that should agree and do not, as `ioc findings` gives them")
    async def findings(request: Request, query: Annotated[FindingsQuery, Query()]) -> Response:
        account, now = _account(request), clock.now()
        if not account.may("cases"):
            raise Problem(403, "findings are told to who has an account", advice="show a token of a viewer's")
        unit = unit_of(account, query.unit) if query.unit else None
        as_of, days = moment_of(query.as_of, "as_of", now), days_of(query.first, query.last)
        return await _answer(
            request, reading, query, Rows("findings", ("as_of",)), bool(query.as_of) and as_of <= now,
            lambda conn: answers.disagreements(conn, account, unit, as_of, *days),
        )  # fmt: skip

    @get("/indicators", answers.Catalogue, "The catalogue of figures")
    async def indicators(request: Request, query: Annotated[IndicatorsQuery, Query()]) -> Response:
        found = answers.catalogue(system_of(query.system))
        return _shown(request, query, found, Rows("indicators"))

    @get("/units", answers.Places, "The administrative units of a day")
    async def units(request: Request, query: Annotated[UnitsQuery, Query()]) -> Response:
        found = answers.unit_rows(_account(request), day_of(query.date, "date"))
        return _shown(request, query, found, Rows("units"))

    @get("/freshness", answers.Sources, "Every source, and how long it has been silent")
    async def freshness(request: Request, query: Annotated[Parameters, Query()]) -> Response:
        account, now = _account(request), clock.now()
        return await _answer(
            request, reading, query, Rows("sources", ("as_of",)), False,
            lambda conn: answers.freshness(conn, account, now),
        )  # fmt: skip

    return app


def _account(request: Request) -> Account:
    account: Account = request.state.account
    return account


async def _answer(
    request: Request,
    reading: QueryPool,
    query: Parameters,
    rows: Rows,
    lasting: bool,
    ask: Callable[[Connection], Answer],
) -> Response:
    """What `ask` reads, unless who asks has it already: as long as no event was stored, and of a moment that is not
    named no more than `WINDOW_SECONDS` have passed, it is the same."""

    def read(conn: Connection) -> tuple[str, Answer | None]:
        window = 0 if lasting else int(clock.now().timestamp() // WINDOW_SECONDS)
        tag = _tag(request, query, conn.execute(_POSITION).fetchall(), window)
        return tag, None if tag in _client_tags(request) else ask(conn)

    tag, found = await reading(read)
    return _response(request, query, tag, found, rows)


def _shown(request: Request, query: Parameters, found: Answer, rows: Rows) -> Response:
    tag = _tag(request, query, found.model_dump_json())
    return _response(request, query, tag, None if tag in _client_tags(request) else found, rows)


def _tag(request: Request, query: Parameters, *position: object) -> str:
    account = _account(request)
    body = (_STARTED, account.role, account.units, request.url.path, request.url.query, _as_table(request, query))
    return f'W/"{sha256(repr((body, position)).encode()).hexdigest()[:32]}"'


def _client_tags(request: Request) -> set[str]:
    return {tag.strip() for tag in request.headers.get("if-none-match", "").split(",")}


def _as_table(request: Request, query: Parameters) -> bool:
    return (query.format or ("csv" if "text/csv" in request.headers.get("accept", "") else "json")) == "csv"


def _response(request: Request, query: Parameters, tag: str, found: Answer | None, rows: Rows) -> Response:
    headers = {"etag": tag, "cache-control": "private, no-cache", "vary": "Accept, Authorization, Cookie"}
    if found is None:
        return Response(None, 304, headers)
    if _as_table(request, query):
        return Response(table(found, rows), 200, headers, "text/csv; charset=utf-8")
    return Response(found.model_dump_json(), 200, headers, "application/json")


def table(found: Answer, rows: Rows) -> bytes:
    """An answer as CSV that office programs open; no cell is a formula."""
    body = found.model_dump(mode="json")
    lines: list[dict[str, Any]] = []
    for one in body[rows.name]:
        before = {name: one[name] if rows.within else body[name] for name in rows.before}
        if rows.within:
            before["indicator"] = one["figure"]["indicator"]
            lines += [{**before, **part} for part in one[rows.within]]
        else:
            lines.append({**before, **one})
    heads = list(lines[0]) if lines else list(rows.before)
    return as_csv(heads, ([_cell(name, line[name]) for name in heads] for line in lines))


def _cell(name: str, value: Any) -> Cell:
    if value is None:
        return ""
    if name in NUMBERS:
        return Decimal(value)
    return " ".join(map(str, value)) if isinstance(value, list) else value if isinstance(value, int) else str(value)


_POSITION = """
SELECT (SELECT sum(events) FROM source), (SELECT max(last_recorded) FROM source), (SELECT max(time)::text FROM horizon)
"""


def _add_errors(app: FastAPI) -> None:
    def problem(request: Request, error: Problem) -> Response:
        return error.answer(request.scope["path"])

    def wrong(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = str(first["loc"][-1])
        if first["type"] != "extra_forbidden":
            return problem(request, Problem(422, f"{where}: {first['msg']}", where))
        model = request.scope["route"].dependant.query_params[0].field_info.annotation
        names = sorted(field.alias or name for name, field in model.model_fields.items())
        return problem(request, Problem(422, f"no parameter {where!r}", where, f"there are {', '.join(names)}"))

    def plain(request: Request, error: HTTPException) -> Response:
        return problem(request, Problem(error.status_code, str(error.detail), advice="/api/openapi.json lists all"))

    def undivided(request: Request, error: NotBrokenDown) -> Response:
        return problem(request, Problem(422, str(error), "by"))

    app.add_exception_handler(NotBrokenDown, undivided)  # type: ignore[arg-type]
    app.add_exception_handler(Problem, problem)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, wrong)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, plain)  # type: ignore[arg-type]
    much = Problem(503, "there is too much to read now", "from", "ask for a shorter period, or later", retry=5)
    app.add_exception_handler(TooMuch, lambda request, error: problem(request, much))
    for outage in (*store.OUTAGE[:3], TimeoutError, ConnectionError):
        app.add_exception_handler(outage, lambda request, error: problem(request, unanswered()))
