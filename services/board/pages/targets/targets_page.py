"""/targets: which targets were set, for whom and when; setting one, taking one back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from fastapi.responses import RedirectResponse, Response
from psycopg import Connection
from psycopg_pool import AsyncConnectionPool
from starlette.requests import HTTPConnection, Request

from schemas import units
from schemas.calendar import local_day
from schemas.indicators import CATALOGUE
from schemas.text import numbers
from schemas.text.dates import days
from schemas.text.numbers import exact
from services.board.auth.middleware import fields_of, forbidden
from services.board.live.query_pool import QueryPool
from services.board.pages.targets.setting import Refused, Wish, put, take_back
from services.board.ui.flash import FlashMessages
from services.board.ui.live_page import LivePage, PageContext, Pages, Places, context_of
from services.board.ui.markup import Html, table, tag
from services.board.ui.page_layout import form, kept_from, ordinary
from services.board.ui.words import WORDS, name_of, unit_name
from services.kit import clock
from services.readings.period import Period
from services.readings.targets import Target, settable, targets

PATH = "/targets"


def add(pages: Pages, reading: QueryPool, pool: AsyncConnectionPool) -> None:
    """The page, and the forms on it."""
    app, poller, done = pages.app, pages.poller, FlashMessages[str]()

    @pages.page(PATH)
    async def of_targets(asked: HTTPConnection) -> LivePage:
        context = context_of(asked, poller)

        async def body(at: Places) -> Html:
            found = [t for t in await reading(standing) if context.account.sees(t.unit)]
            return render(context, found, done.take(asked.state.session) or "")

        return ordinary(context, PATH, body)

    @app.post(f"{PATH}/set")
    async def set_one(request: Request) -> Response:
        said = "target_was_set"
        try:
            wish = read_wish(fields_of(await request.body()))
            found = await reading(standing)
            async with pool.connection() as conn:
                await put(conn, request.state.account, wish, found, clock.now())
        except Refused as refused:
            if str(refused) == "forbidden":
                return forbidden()
            said = str(refused)
        done.put(request.state.session, said)
        return RedirectResponse(PATH, 303)

    @app.post(f"{PATH}/back/{{key}}")
    async def back(request: Request, key: str) -> Response:
        found = next((t for t in await reading(standing) if t.key == key), None)
        if found is not None:
            try:
                async with pool.connection() as conn:
                    await take_back(conn, request.state.account, found, clock.now())
            except Refused:
                return forbidden()
        done.put(request.state.session, "target_was_back")
        return RedirectResponse(PATH, 303)


def standing(conn: Connection) -> list[Target]:
    """The targets that stand now."""
    return targets(conn, Period.of(clock.now()))


def read_wish(fields: dict[str, str]) -> Wish:
    """What a form says; raises `Refused`."""
    try:
        first, last = (date.fromisoformat(fields.get(name, "")) for name in ("first", "last"))
    except ValueError:
        raise Refused("target_bad_days") from None
    try:
        value: Decimal = numbers.read(fields.get("value", ""))
    except numbers.NoNumber:
        raise Refused("target_bad_value") from None
    try:
        unit = units.get(fields.get("unit", "")).code
    except units.UnknownUnit:
        raise Refused("target_no_unit") from None
    return Wish(fields.get("indicator", ""), unit, first, last, value)


# --- how it looks ---


def render(context: PageContext, found: list[Target], said: str) -> Html:
    """What was set, and the form."""
    bad = said not in ("", "target_was_set", "target_was_back")
    text = context.word(said) if said in WORDS else said
    notice = tag("p", text, role="alert" if bad else "status", class_="said problem" if bad else "said") if said else ""
    title = tag("div", tag("h1", context.word("targets")), notice, class_="title")
    listed = _list(context, found) if found else tag("p", context.word("targets_none"))
    kept = tag("section", tag("h2", context.word("targets_set")), listed, class_="panel wide")
    own = _form(context) if context.account.may("target") else kept_from(context, {"target_set": "target"})
    return tag("main", title, own, kept, class_="page people")


def _form(context: PageContext) -> Html:
    today = local_day(clock.now())
    own = (u for u in units.at(today) if context.account.sees(u.code))
    places = (tag("option", unit_name(u.code, context.language), value=u.code) for u in own)
    fields = form(
        context, f"{PATH}/set",
        tag("label", context.word("target_figure"), tag("select", *_figures(context), name="indicator")),
        tag("label", context.word("unit"), tag("select", *places, name="unit")),
        tag("label", context.word("target_value"), tag("input", name="value", required="", inputmode="decimal")),
        tag("label", context.word("target_first"),
            tag("input", type="date", name="first", required="", value=f"{today:%Y}-01-01")),
        tag("label", context.word("target_last"),
            tag("input", type="date", name="last", required="", value=f"{today:%Y}-12-31")),
        tag("button", context.word("target_set"), class_="plain"), class_="forms",
    )  # fmt: skip
    means = tag("p", context.word("target_means"), class_="small")
    return tag("section", tag("h2", context.word("target_new")), means, fields, class_="panel wide")


def _figures(context: PageContext) -> Iterator[Html]:
    for code in settable():
        indicator = CATALOGUE[code]
        yield tag("option", f"{name_of(indicator, context.language)} {indicator.bound}", value=code)


def _list(context: PageContext, found: list[Target]) -> Html:
    heads = [context.word(word) for word in ("target_figure", "unit", "target_value", "target_days", "target_act")]
    order = sorted(found, key=lambda t: (CATALOGUE[t.indicator].system, t.indicator, units.order(t.unit), t.first))
    return table(heads, (_row(context, one) for one in order), (2,))


def _row(context: PageContext, one: Target) -> list[object]:
    indicator = CATALOGUE[one.indicator]
    value = f"{indicator.bound} {exact(one.value, context.language)}"
    back = form(context, f"{PATH}/back/{one.key}", tag("button", context.word("target_back"), class_="plain"))
    return [
        name_of(indicator, context.language), unit_name(one.unit, context.language), value, days(one.first, one.last),
        back if context.account.may("target") else "",
    ]  # fmt: skip
