"""The read API as tools of the Model Context Protocol: read only, no case, no free text, and each call is noted."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, TypeVar

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import ToolAnnotations
from psycopg import Connection
from psycopg_pool import AsyncConnectionPool
from pydantic import Field
from starlette.applications import Starlette

from schemas import questions, units
from schemas.calendar import local_day
from schemas.text import dates, moments
from services.board.access import Account
from services.board.api import answers
from services.board.api.answers import Answer, Disagreements, Explanations, Figures, Sources
from services.board.api.questions import (
    ExplainQuery,
    FigureQuery,
    Question,
    days_of,
    moment_of,
    question_of,
    unit_of,
)
from services.board.auth import audit
from services.board.auth.problems import Problem, unanswered
from services.board.live.query_pool import QueryPool, TooMuch
from services.kit import clock, store
from services.readings.evaluate import NotBrokenDown

A = TypeVar("A", bound=Answer)
INSTRUCTIONS = (
    "Figures of a locality's operations centre. Give find_indicator the question as it was put, in Vietnamese or "
    "English; then ask figure with the indicator, unit and days that it found. Say a figure with its unit of "
    "measurement, its period and its status: `incomplete` is not final, `no_data` is not 0. Give its link."
)
READ_ONLY = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
Called = Annotated[str, Field(max_length=200, description="an indicator's code, or a sheet such as `ii06`")]
Named = Annotated[str | None, Field(max_length=200, description="a unit by code or name; none: the whole locality")]
Start = Annotated[str | None, Field(max_length=40, description="first day or month: `2024-11-01`, `01/11/2024`")]
End = Annotated[str | None, Field(max_length=40, description="last day or month, included")]
Month = Annotated[str | None, Field(max_length=40, description="a whole month, `2024-11`, instead of both days")]
AsOf = Annotated[str | None, Field(max_length=40, description="what was so at that moment; none: now")]
By = Annotated[str | None, Field(max_length=40, description="one row for each `unit`, `day`, `month`, or class")]


TOKENS = TransportSecuritySettings(enable_dns_rebinding_protection=False)
"""The way in asks for a token before any of it, which no page of another site has; names are the proxies' matter."""


class Candidate(Answer):
    """An indicator that a question may mean; `fit` is 1 where its name says the same."""

    indicator: str
    vi: str
    en: str
    measured_in: str
    fit: float


class Candidates(Answer):
    """How a question is read: what to give to `figure`."""

    reading: str = Field(description="the reading in words, to be shown to who asked")
    indicator: str | None = Field(description="null: no figure is known for it")
    unit: str | None = Field(description="null: the whole locality, or see `units`")
    from_day: date | None = Field(description="null: this month so far")
    to_day: date | None
    as_of: datetime | None
    by: str | None
    others: list[Candidate] = Field(description="the nearest indicators, the one that is meant first")
    units: list[str] = Field(description="the units that bear the name, where it is not clear which one is meant")


@dataclass
class Call:
    """One call: who makes it, and what is noted of it."""

    account: Account
    about: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


def build(reading: QueryPool, pool: AsyncConnectionPool, home: str, local: Account | None = None) -> MCPServer[Any]:
    """The server; `local`: who calls where no request says so, `home`: the board's address, for links to it."""
    logging.getLogger("mcp").setLevel(logging.WARNING)
    server = MCPServer[Any]("ioc", title="IOC", instructions=INSTRUCTIONS, version="1")

    @asynccontextmanager
    async def call(tool: str, context: Context[Any, Any]) -> AsyncIterator[Call]:
        """A call, noted before it is answered; what is wrong is told to who calls."""
        request = context.request_context.request
        if request is not None and request.client:
            audit.ADDRESS.set(request.client.host)
        account = local if request is None else request.state.account
        if account is None:
            raise ToolError("nobody is known to ask")
        one = Call(account)
        try:
            try:
                yield one
            except (NotBrokenDown, TooMuch) as error:
                raise Problem(422, str(error) or "there is too much to read: ask for a shorter period") from None
            except Problem as refused:
                one.detail["refused"] = refused.status
                raise
            finally:
                await _note(pool, tool, one)
        except Problem as problem:
            raise ToolError(". ".join(part for part in (problem.detail, problem.advice) if part)) from None
        except (*store.OUTAGE, TimeoutError):
            raise ToolError(unanswered().detail) from None

    async def ask(one: Call, question: Question, read: Callable[[Connection], A]) -> A:
        one.about = ",".join(i.code for i in question.indicators[:3])
        period = question.period
        one.detail |= {"unit": question.unit or "", "first": str(period.first), "last": str(period.last)}
        return await reading(read)

    @server.tool(annotations=READ_ONLY)
    async def find_indicator(
        question: Annotated[str, Field(max_length=400, description="the question as it was put")],
        context: Context[Any, Any],
    ) -> Candidates:
        """Which indicator, unit and period a question means, with the nearest other indicators. Vietnamese with or
        without accents, or English."""
        async with call("find_indicator", context) as one:
            found = read_question(question, local_day(clock.now()))
            one.about, one.detail = found.indicator or "", {"unit": found.unit or ""}
            return found

    @server.tool(annotations=READ_ONLY)
    async def figure(
        indicator: Called,
        context: Context[Any, Any],
        unit: Named = None,
        from_day: Start = None,
        to_day: End = None,
        month: Month = None,
        as_of: AsOf = None,
        by: By = None,
    ) -> Figures:
        """A figure, or a sheet of them, of a unit over a period: value, unit of measurement, status, reason, link."""
        async with call("figure", context) as one:
            query = FigureQuery(**_days(unit, from_day, to_day, month, as_of), by=by)
            question = question_of(one.account, indicator, query)
            return await ask(one, question, lambda conn: answers.figures(conn, one.account, question, home))

    @server.tool(annotations=READ_ONLY)
    async def explain(
        indicator: Called,
        context: Context[Any, Any],
        unit: Named = None,
        from_day: Start = None,
        to_day: End = None,
        month: Month = None,
        as_of: AsOf = None,
    ) -> Explanations:
        """How a figure is made: its formula with the value of each part, its sources, how many events are behind it."""
        async with call("explain", context) as one:
            query = ExplainQuery(**_days(unit, from_day, to_day, month, as_of))
            question = question_of(one.account, indicator, query)
            found = await ask(one, question, lambda conn: answers.explanations(conn, one.account, question, home))
            return answers.without_events(found)

    @server.tool(annotations=READ_ONLY)
    async def findings(
        context: Context[Any, Any], unit: Named = None, from_day: Start = None, to_day: End = None, as_of: AsOf = None
    ) -> Disagreements:
        """Figures that should agree and do not, and how many events are odd."""
        async with call("findings", context) as one:
            if not one.account.may("cases"):
                raise Problem(403, "findings are told to who has an account")
            code = unit_of(one.account, unit) if unit else None
            moment, days = moment_of(as_of, "as_of", clock.now()), days_of(from_day, to_day)
            one.detail = {"unit": code or ""}
            return answers.without_cases(
                await reading(lambda conn: answers.disagreements(conn, one.account, code, moment, *days))
            )

    @server.tool(annotations=READ_ONLY)
    async def freshness(context: Context[Any, Any]) -> Sources:
        """Every source of data, when it last sent, and whether it has been silent for longer than it should."""
        async with call("freshness", context) as one:
            return await reading(lambda conn: answers.freshness(conn, one.account, clock.now()))

    return server


def over_http(server: MCPServer[Any]) -> Starlette:
    """The server's application; its session manager must run meanwhile."""
    return server.streamable_http_app(stateless_http=True, json_response=True, transport_security=TOKENS)


def _days(unit: str | None, start: str | None, end: str | None, month: str | None, as_of: str | None) -> dict[str, Any]:
    return {"unit": unit, "from": start, "to": end, "month": month, "as_of": as_of}


async def _note(pool: AsyncConnectionPool, tool: str, one: Call) -> None:
    async with pool.connection() as conn:
        await audit.note(conn, one.account, "mcp.called", tool, {"about": one.about, **one.detail})


def read_question(question: str, today: date) -> Candidates:
    """How a question is read, in words and as what `figure` takes."""
    try:
        found = questions.read(question, today)
    except moments.NoMoment as wrong:
        raise Problem(422, str(wrong), "question") from None
    others = [Candidate(indicator=i.code, vi=i.vi, en=i.en, measured_in=i.unit, fit=fit) for i, fit in found.indicators]
    unit = found.units[0] if len(found.units) == 1 else None
    days = found.days
    last = days.last if days else today
    what = others[0].vi if others else "không rõ chỉ số nào"
    where = " hoặc ".join(units.on(one.code, last).name_vi for one in found.units) or "toàn địa bàn"
    when = dates.days(days.first, days.last) if days else "từ đầu tháng đến nay"
    return Candidates(
        reading=f"{what} · {where} · {when}",
        indicator=others[0].indicator if others else None,
        unit=unit.code if unit else None,
        from_day=days.first if days else None,
        to_day=days.last if days else None,
        as_of=moment_of(days.last.isoformat(), "as_of", clock.now()) if days and days.until else None,
        by=found.by,
        others=others,
        units=[one.code for one in found.units] if unit is None else [],
    )
