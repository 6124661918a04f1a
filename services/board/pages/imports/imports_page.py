"""/imports: workbooks are uploaded, read, questioned, compared with what the centre holds, sent, and taken back."""

from __future__ import annotations

import re
from collections.abc import Iterable

import nats.errors
from fastapi.responses import JSONResponse, RedirectResponse, Response
from psycopg import AsyncConnection, Connection
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool
from starlette.requests import HTTPConnection, Request

from schemas.indicators import CATALOGUE
from schemas.indicators.formula import Statement
from services.board.access import Account
from services.board.auth import audit
from services.board.auth.middleware import fields_of, forbidden
from services.board.live.query_pool import QueryPool
from services.board.pages.imports import import_view as view
from services.board.pages.imports.drafts import Columns, Draft, Drafts, TooLarge, Unreadable
from services.board.ui.flash import FlashMessages
from services.board.ui.live_page import Asked, LivePage, Pages, Places, context_of
from services.board.ui.markup import Html
from services.board.ui.page_layout import ordinary
from services.kit import clock, imports
from services.kit.errors import Unavailable
from services.kit.imports import File, Import, Line, Summary

PATH = "/imports"
SILENT = (nats.errors.Error, Unavailable, TimeoutError, OSError)
CHOICES = ("template", "period", "unit", "published")


def add(pages: Pages, reading: QueryPool, pool: AsyncConnectionPool, drafts: Drafts) -> None:
    """The pages, and the forms on them."""
    app, poller = pages.app, pages.poller
    done = FlashMessages[str]()

    @pages.page(PATH)
    async def of_all(asked: HTTPConnection) -> LivePage:
        context = context_of(asked, poller)

        async def body(at: Places) -> Html:
            async with pool.connection() as conn:
                found = [one for one in await imports.listed(conn) if covers(context.account, one)]
            return view.overview(context, found, done.take(asked.state.session) or "")

        return ordinary(context, PATH, body, scripts=("imports",))

    @pages.page(f"{PATH}/draft/{{id}}")
    async def of_draft(asked: HTTPConnection, id: str) -> LivePage:
        context = context_of(asked, poller)

        def body(at: Places) -> Html:
            draft = drafts.get(asked.state.session, id)
            said = done.take(asked.state.session) or ""
            return view.of_draft(context, draft, said) if draft else view.nothing(context)

        return ordinary(context, f"{PATH}/draft/{id}", body)

    @pages.page(f"{PATH}/{{number}}")
    async def of_one(asked: HTTPConnection, number: int) -> LivePage:
        context = context_of(asked, poller)

        async def ask() -> tuple[Import, int] | None:
            found = await _visible(pool, context.account, number)
            async with pool.connection() as conn:
                return (found, await _waiting(conn, number)) if found else None

        async def body(at: Places) -> Html:
            if (found := await _visible(pool, context.account, number)) is None:
                return view.nothing(context)
            codes = await reading(lambda conn: indicators_of(conn, number))
            return view.of_import(context, found, codes, at["state"], done.take(asked.state.session) or "")

        def draw(found: tuple[Import, int] | None) -> Html:
            return view.state(context, *found) if found else Html("")

        return ordinary(context, f"{PATH}/{number}", body, [Asked("state", ask, draw, seconds=2.0)])

    @app.post(f"{PATH}/file")
    async def upload(request: Request, name: str) -> Response:
        context = context_of(request, poller)
        try:
            draft = await drafts.put(request.state.session, plain(name), request.stream())
        except TooLarge:
            return JSONResponse({"said": context.word("import_too_large")}, 413)
        await read(draft, context.account)
        return JSONResponse({"next": f"{PATH}/draft/{draft.id}"})

    async def read(draft: Draft, account: Account, to_send: bool = False) -> None:
        try:
            async with pool.connection() as conn:
                columns = await remembered(conn, account)
            await drafts.read(draft, account, columns, to_send)
        except Unreadable:
            draft.said = {**draft.said, "problem": "the reader ended without an answer"}

    @app.post(f"{PATH}/draft/{{id}}/{{step}}")
    async def act(request: Request, id: str, step: str) -> Response:
        account: Account = request.state.account
        draft = drafts.get(request.state.session, id)
        if draft is None or step not in ("read", "send", "drop"):
            return RedirectResponse(PATH, 303)
        if step == "drop":
            drafts.drop(draft)
            return RedirectResponse(PATH, 303)
        if draft.busy:
            return RedirectResponse(f"{PATH}/draft/{id}", 303)
        if step == "read":
            answered(draft, fields_of(await request.body()))
            await read(draft, account)
            return RedirectResponse(f"{PATH}/draft/{id}", 303)
        await read(draft, account, to_send=True)
        if view.hinders(draft.said):
            done.put(request.state.session, "import_changed")
            return RedirectResponse(f"{PATH}/draft/{id}", 303)
        draft.busy = True
        try:
            made = await send(pool, account, draft)
        finally:
            draft.busy = False
        drafts.drop(draft)
        done.put(request.state.session, "import_sent")
        return RedirectResponse(f"{PATH}/{made.id}", 303)

    @app.post(f"{PATH}/{{number}}/take-back")
    async def take_back(request: Request, number: int) -> Response:
        account: Account = request.state.account
        found = await _visible(pool, account, number)
        if found is None:
            return forbidden()
        if fields_of(await request.body()).get("sure") != "yes":
            done.put(request.state.session, "import_not_sure")
            return RedirectResponse(f"{PATH}/{number}", 303)
        said = "import_taken_back"
        try:
            async with pool.connection() as conn:
                if await _waiting(conn):
                    raise Unavailable("events wait to be sent")
            if poller.broker is None:
                raise Unavailable("no connection to the broker")
            await imports.settled(poller.broker.jetstream())
            now = clock.now()
            undoing = await reading(lambda conn: imports.undoing(conn, found, now))
            async with pool.connection() as conn, conn.transaction():
                if await audit.import_taken_back(conn, account, number, now):
                    await _lay_down(conn, number, ((e.subject, e.to_json().decode()) for e in undoing.events))
        except SILENT:
            said = "import_not_settled"
        done.put(request.state.session, said)
        return RedirectResponse(f"{PATH}/{number}", 303)


def covers(account: Account, one: Import) -> bool:
    """Whether an import is an account's to see: it speaks of their units alone."""
    return account.covers(one.units)


def plain(name: str) -> str:
    """A file's name without what leads elsewhere, and not endless."""
    return re.sub(r"[\x00-\x1f/\\]", "_", name)[-120:] or "workbook"


def indicators_of(conn: Connection, number: int) -> list[str]:
    """The figures of the catalogue that an import states."""
    rows = conn.execute(_INDICATORS, [number]).fetchall()
    stated = {code for (code,) in rows}
    return [
        code
        for code, indicator in CATALOGUE.items()
        if isinstance(indicator.formula, Statement) and indicator.formula.indicator in stated
    ]


OF_HEADERS = frozenset({"read", "fraction", "percent"})
"""Answers to one of several questions that may be asked at the header of a column: another stands beside it."""


def answered(draft: Draft, fields: dict[str, str]) -> None:
    """Take what was chosen and answered on the page into a draft."""
    draft.choices = {name: text for name in CHOICES if (text := fields.get(name, "").strip())}
    for name in [name for name in fields if name.startswith("again_")]:
        sheet, _, cell = fields[name].rpartition("!")
        draft.answers.pop((sheet, cell), None)
    for number, question in enumerate(draft.said.get("questions", ())):
        text = fields.get(f"other_{number}", "").strip() or fields.get(f"answer_{number}", "").strip()
        if text and fields.get(f"at_{number}") == f"{question['sheet']}!{question['cell']}":
            place = question["sheet"], question["cell"]
            before = draft.answers.get(place, "")
            beside = before.rpartition(", ")[2] in {*OF_HEADERS, *draft.said.get("columns", ())}
            draft.answers[place] = f"{before}, {text}" if beside else text


async def send(pool: AsyncConnectionPool, account: Account, draft: Draft) -> Import:
    """Note the import and lay its events down to be sent, in one transaction."""
    file = File(draft.name, draft.digest, draft.said["template"])
    summary = Summary(**draft.said["summary"])
    async with pool.connection() as conn, conn.transaction():
        lines = (Line(*line[:4]) for line in draft.lines())
        made = await audit.import_made(conn, account, file, summary, lines, clock.now())
        await _remember(conn, account, draft.said["answered"])
        await _lay_down(conn, made.id, (tuple(line[4:6]) for line in draft.lines() if line[3]))
    return made


async def remembered(conn: AsyncConnection, account: Account) -> Columns:
    """What an account has answered of the columns of workbooks that it sent: what one means is one's own to say."""
    return dict(await (await conn.execute(_REMEMBERED, [account.name])).fetchall())


async def _remember(conn: AsyncConnection, account: Account, columns: Columns) -> None:
    for header, answers in columns.items():
        await conn.execute(_REMEMBER, [account.name, header, Jsonb(answers)])


async def _lay_down(conn: AsyncConnection, number: int, messages: Iterable[tuple[str, str]]) -> None:
    async with conn.cursor().copy("COPY outbox (subject, message_id, body) FROM STDIN WITH (FORMAT binary)") as copy:
        copy.set_types(["text", "text", "bytea"])
        for place, (subject, event) in enumerate(messages):
            await copy.write_row((subject, f"import-{number}-{place}", event.encode()))


async def _waiting(conn: AsyncConnection, number: int | None = None) -> int:
    """How many events wait to be sent, of an import or at all."""
    prefix = "" if number is None else f"import-{number}-"
    row = await (await conn.execute(_WAITING, [prefix])).fetchone()
    return int(row[0]) if row else 0


async def _visible(pool: AsyncConnectionPool, account: Account, number: int) -> Import | None:
    async with pool.connection() as conn:
        found = await imports.get(conn, number)
    return found if found and covers(account, found) else None


_REMEMBERED = "SELECT header, answers FROM import_columns WHERE account = %s"
_REMEMBER = """
INSERT INTO import_columns AS known (account, header, answers) VALUES (%s, %s, %s)
ON CONFLICT (account, header) DO UPDATE SET answers = known.answers || excluded.answers
"""
_WAITING = "SELECT count(*) FROM outbox WHERE starts_with(subject, 'ioc.events.') AND starts_with(message_id, %s)"
_INDICATORS = """
SELECT DISTINCT split_part(entity, '|', 1) FROM import_event WHERE import = %s AND kind IN ('statistic', 'target')
"""
