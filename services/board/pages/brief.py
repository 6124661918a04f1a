"""The page of the morning brief, as it is sent."""

from __future__ import annotations

from fastapi import Depends
from starlette.requests import HTTPConnection

from schemas.calendar import local_day
from services.board.live.cache import SharedCache
from services.board.live.query_pool import QueryPool
from services.board.ui.found_pages import Page
from services.board.ui.live_page import Asked, LivePage, PageContext, Pages, context_of, unit_of
from services.board.ui.markup import Html, link, tag
from services.board.ui.page_layout import of_content, ordinary, require_known
from services.kit import clock
from services.reports.brief import Brief, brief, read_texts

PATH = "/brief"
FRESH_SECONDS = 60.0


def add(pages: Pages, reading: QueryPool) -> None:
    """/brief."""
    texts = read_texts(reading.settings.brief_texts)
    made: SharedCache[Brief] = SharedCache(FRESH_SECONDS)

    @pages.page(PATH, dependencies=[Depends(require_known)])
    async def of_brief(asked: HTTPConnection) -> LivePage:
        context = context_of(asked, pages.poller)
        chosen, language = unit_of(context, asked), context.language

        async def ask() -> Brief:
            key = (chosen, language, local_day(clock.now()))
            return await made.get(
                key, lambda: reading(lambda conn: brief(conn, texts, chosen or None, clock.now(), language))
            )

        content = Asked(
            "content", ask, lambda found: render(context, chosen, found), FRESH_SECONDS, title=context.word("brief")
        )
        return ordinary(context, f"{PATH}?unit={chosen}", of_content, [content])


def render(context: PageContext, unit: str, found: Brief) -> Html:
    """Line by line, and the way to the page of the index."""
    lines = (tag("p", line) for line in found.lines)
    more = tag("p", link(f"/index766?unit={unit}", context.word("brief_more")), class_="small")
    title = tag("h1", found.title)
    return tag("section", title, *lines, more, class_="panel wide brief", aria_label=context.word("brief"), tabindex=0)


PAGE = Page("brief", PATH, "cases", add)
