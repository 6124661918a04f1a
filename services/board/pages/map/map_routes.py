"""The map's routes: the page, what feeds its drawing, and the shapes that readers lay under it: administrators for
everybody, everybody for themselves."""

from __future__ import annotations

import asyncio
from datetime import datetime

from fastapi import HTTPException
from fastapi.responses import JSONResponse, RedirectResponse, Response
from psycopg import Connection, Rollback
from psycopg_pool import AsyncConnectionPool
from starlette.requests import HTTPConnection, Request

from schemas.text.dates import day_and_time
from services.board.access import Account
from services.board.auth import audit
from services.board.auth.middleware import fields_of, forbidden
from services.board.live.cache import SharedCache
from services.board.live.patience import PATIENCE, Patience
from services.board.live.poller import LiveState
from services.board.live.query_pool import QueryPool
from services.board.pages.map import choropleth, geojson, map_query, map_view
from services.board.pages.map.geojson import LARGEST, Overlay, Unfit
from services.board.pages.map.map_query import MapContent, MapFilter
from services.board.pages.map.overlays import Folder, plain
from services.board.ui.live_page import Live, LivePage, PageContext, Pages, Places, context_of, own_address
from services.board.ui.markup import Html, tag
from services.board.ui.page_layout import ordinary
from services.board.ui.redaction import of_when, shown_to
from services.kit import clock
from services.kit.settings import Settings
from services.readings import Reading, read

KEPT_SECONDS = 15.0


def add(pages: Pages, settings: Settings, reading: QueryPool, pool: AsyncConnectionPool) -> None:
    """/map and what belongs to it."""
    app, poller = pages.app, pages.poller
    folder = Folder(settings.data)
    kept: SharedCache[MapContent] = SharedCache(KEPT_SECONDS)
    coloured: SharedCache[list[Reading]] = SharedCache(KEPT_SECONDS)

    async def content_of(map_filter: MapFilter) -> MapContent:
        if at := map_filter.at:
            return await kept.get(at, lambda: reading(lambda conn: map_query.past(conn, at)))
        return await kept.get("present", lambda: reading(map_query.present), news_of(poller.view))

    @pages.page("/map")
    async def of_map(asked: HTTPConnection) -> LivePage:
        context = context_of(asked, poller)

        def body(at: Places) -> Html:
            figure = choropleth.figure_of(asked.query_params)
            return Html(map_view.page(context, _filter_of(asked, context), figure, folder) + at["map-news"])

        return ordinary(context, own_address("/map", asked), body, live=[map_news()], scripts=["map"])

    @app.get("/map/data")
    async def data(request: Request) -> Response:
        context = context_of(request, poller)
        map_filter, now, patience = _filter_of(request, context), clock.now(), Patience.begins()
        PATIENCE.set(patience)
        found = await content_of(map_filter)
        unread = found.more(map_filter, context.account)
        response = await asyncio.to_thread(
            map_view.answer, context, found.items, map_filter, request.query_params, now, unread
        )
        moment = map_filter.at or patience.of
        response["moment"] = day_and_time(moment) if moment else context.word("map_now")
        return JSONResponse(response, headers={"cache-control": "no-store"})

    @app.get("/map/figures")
    async def figures(request: Request) -> Response:
        """By which the units are coloured."""
        context, now = context_of(request, poller), clock.now()
        if (figure := choropleth.figure_of(request.query_params)) is None:
            raise HTTPException(404)
        shown = of_when(context, [figure])

        def of_units(conn: Connection) -> list[Reading]:
            return read(conn, figure, None, shown.chosen.period(now), "unit")

        key = figure.code, shown.chosen
        readings = await coloured.get(key, lambda: reading(of_units), poller.mark(figure.system))
        seen = shown_to(context.account, readings, whole=False)
        return JSONResponse(choropleth.shades(context, seen), headers={"cache-control": "no-store"})

    @app.get("/map/outlines")
    async def shapes() -> Response:
        packed = await asyncio.to_thread(folder.packed)
        return Response(packed, media_type="application/json", headers={"cache-control": "no-store"})

    @app.post("/map/outlines")
    async def put(request: Request, name: str) -> Response:
        context = context_of(request, poller)
        if not context.account.may("outlines"):
            return forbidden()
        body = await _body(request)
        try:
            kept_as = plain(name)
            overlay = await asyncio.to_thread(geojson.read, body)
            async with pool.connection() as conn, conn.transaction():
                await audit.note(conn, context.account, "map.outline_put", kept_as)
                await asyncio.to_thread(folder.keep, name, overlay)
        except Unfit as unfit:
            return _refused(context, unfit)
        return JSONResponse({"said": _summary(context, kept_as, overlay)})

    @app.post("/map/outlines/check")
    async def check(request: Request, name: str) -> Response:
        """The shapes of a file that its reader's browser alone will keep: nothing of it stays here."""
        context = context_of(request, poller)
        body = await _body(request)
        try:
            kept_as = plain(name)
            overlay = await asyncio.to_thread(geojson.read, body)
        except Unfit as unfit:
            return _refused(context, unfit)
        response = {"name": kept_as, "said": _summary(context, kept_as, overlay), **overlay.collection}
        return JSONResponse(response, headers={"cache-control": "no-store"})

    @app.post("/map/outlines/remove")
    async def remove(request: Request) -> Response:
        account: Account = request.state.account
        if not account.may("outlines"):
            return forbidden()
        name = fields_of(await request.body()).get("name", "")
        async with pool.connection() as conn, conn.transaction():
            await audit.note(conn, account, "map.outline_removed", name)
            if not await asyncio.to_thread(folder.remove, name):
                raise Rollback
        return RedirectResponse("/map", 303)


def _filter_of(request: HTTPConnection, context: PageContext) -> MapFilter:
    params = request.query_params
    return map_view.filter_of(params, params.getlist("layer"), context.account, clock.now(), context.chosen.as_of)


def _summary(context: PageContext, name: str, overlay: Overlay) -> str:
    """That a file was taken, and what of it was not."""
    said = context.word("outline_kept").format(name)
    return f"{said} {context.word('outline_skipped').format(overlay.left_out)}" if overlay.skipped else said


def _refused(context: PageContext, unfit: Unfit) -> Response:
    return JSONResponse({"said": context.word(unfit.key).format(unfit.where)}, 422)


async def _body(request: Request) -> bytes:
    """The body, or enough of it to see that it is too large."""
    received = bytearray()
    async for part in request.stream():
        received += part
        if len(received) > LARGEST:
            break
    return bytes(received)


def news_of(view: LiveState) -> tuple[datetime | None, ...]:
    """What changes as soon as something new can stand on the map."""
    return tuple(tile.recorded if (tile := view.tiles.get(slug)) else None for slug in ("field", "gis"))


def map_news() -> Live:
    """What differs when the page's script had better ask again: for news, and after an outage."""

    def draw(view: LiveState, now: datetime) -> Html:
        return tag("i", hidden="", data_news=f"{news_of(view)} {sorted(view.problems)}")

    return Live("map-news", draw)
