"""Search over all that an account may see: cases by their code, ended ones too, units, figures, alarms and pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import quote

from fastapi.responses import RedirectResponse, Response
from psycopg import Connection
from starlette.requests import HTTPConnection

from schemas import units
from schemas.indicators import CATALOGUE
from schemas.offices import number_of
from schemas.registry import SYSTEMS
from schemas.text.letters import bare
from services.board.access import Account
from services.board.live.query_pool import QueryPool
from services.board.ui.found_pages import Page
from services.board.ui.live_page import LivePage, PageContext, Pages, Places, context_of, own_address
from services.board.ui.markup import Html, link, tag
from services.board.ui.page_layout import SEARCH, navigation_entries, ordinary
from services.board.ui.words import name_of, system_name, unit_name

LONGEST, MOST = 80, 20
"""So many letters are looked for, and so many of a kind are shown."""
SHORTEST_CODE = 4
"""Of fewer letters no code is looked for: half of all would begin with them."""


class Hit(NamedTuple):
    """Something found: of which kind (a word), what it is called, where it is, and what else there is to say."""

    kind: str
    name: str
    path: str
    more: str = ""


class FoundCase(NamedTuple):
    """A dossier or report whose code begins so."""

    kind: str
    id: str
    unit: str
    ended: bool


def cases_called(conn: Connection, text: str, account: Account) -> list[FoundCase]:
    """Those of the account's units, the open ones first; a code is found however its letters are typed."""
    seen = sorted(account.scope()) if account.units else None
    values = {"spellings": sorted({text, text.upper(), text.lower()}), "seen": seen, "most": MOST}
    return [FoundCase(*row) for row in conn.execute(_CASES, values).fetchall()]


def fits(text: str, name: str) -> bool:
    """Whether each word of `text` begins a word of the name, marks or none."""
    words = bare(name).replace("(", " ").split()
    return all(any(word.startswith(part) for word in words) for part in bare(text).split())


def add(pages: Pages, reading: QueryPool) -> None:
    """/search."""

    @pages.page(SEARCH)
    async def of_search(asked: HTTPConnection) -> LivePage | Response:
        context = context_of(asked, pages.poller)
        text = " ".join(asked.query_params.get("text", "").split())[:LONGEST]
        found: Sequence[FoundCase] = ()
        if context.account.may("cases") and len(text) >= SHORTEST_CODE:
            found = await reading(lambda conn: cases_called(conn, text, context.account))
        if len(found) == 1 and number_of(found[0].id).casefold() == text.casefold():
            return RedirectResponse(_case(found[0]), 303)

        def body(at: Places) -> Html:
            shown = [*_cases(context, found), *hits(context, text)] if text else [*pages_called(context, "")]
            return tag("main", render(context, text, shown), class_="page")

        return ordinary(context, own_address(SEARCH, asked), body)


def _case(found: FoundCase) -> str:
    return f"/worklist/{found.kind}/{quote(found.id)}"


def _cases(context: PageContext, found: Iterable[FoundCase]) -> Iterator[Hit]:
    for one in found:
        stands = context.word("search_ended" if one.ended else "still_open")
        yield Hit(one.kind, number_of(one.id), _case(one), f"{unit_name(one.unit, context.language)} · {stands}")


def pages_called(context: PageContext, text: str) -> Iterator[Hit]:
    """The pages and systems that are called so: where nothing is looked for, all of them."""
    for word, path, action in navigation_entries():
        if path != SEARCH and (action is None or context.account.may(action)) and fits(text, context.word(word)):
            yield Hit("search_page", context.word(word), path)
    for slug in SYSTEMS:
        if fits(text, name := system_name(slug, context.language)):
            yield Hit("system", name, context.chosen.address(f"/system/{slug}"))


def hits(context: PageContext, text: str) -> Iterator[Hit]:
    """What is called so among pages, systems, units, figures and alarms."""
    if not text:
        return
    yield from pages_called(context, text)
    language, account = context.language, context.account
    for unit in units.every():
        if fits(text, f"{unit.name_vi} {unit.name_en} {unit.code}"):
            path = context.chosen.address("/system/procedures", unit=unit.code)
            within = unit_name(unit.parent, language) if unit.parent else ""
            yield Hit("unit", unit_name(unit.code, language), path, within)
    for code, indicator in CATALOGUE.items():
        if fits(text, f"{indicator.vi} {indicator.en} {code}"):
            yield Hit("figure", name_of(indicator, language), context.chosen.address(f"/figure/{code}"),
                      system_name(indicator.system, language))  # fmt: skip
    if account.may("cases"):
        for alarm in context.poller.view.alarms.seen_by(account):
            name = alarm.vi if language == "vi" else alarm.en
            if fits(text, f"{name} {alarm.about}"):
                unit_of = unit_name(None if alarm.unit == "all" else alarm.unit, language)
                yield Hit("search_alarm_kind", name, f"/alarms/{alarm.id}", unit_of)


def render(context: PageContext, text: str, found: Sequence[Hit]) -> Html:
    """What was found, by kind, some of each."""
    title = tag("div", tag("h1", context.word("search_title").format(text) if text else context.word("search")),
                class_="title")  # fmt: skip
    kinds = dict.fromkeys(hit.kind for hit in found)
    sections = (_section(context, kind, [hit for hit in found if hit.kind == kind]) for kind in kinds)
    none = tag("p", context.word("search_none"), class_="none wide") if text and not found else ""
    return Html("".join([title, none, *sections]))


def _section(context: PageContext, kind: str, found: Sequence[Hit]) -> Html:
    rows = (
        tag("li", link(hit.path, hit.name), tag("span", f" {hit.more}", class_="small") if hit.more else "")
        for hit in found[:MOST]
    )
    rest = len(found) - MOST
    more = tag("p", context.word("and_more").format(rest), class_="small") if rest > 0 else ""
    return tag("section", tag("h2", context.word(kind)), tag("ul", *rows, class_="hits"), more, class_="panel")


PAGE = Page("search", SEARCH, None, add)
_CASES = """
SELECT kind, id, unit, ended_at IS NOT NULL FROM (
    SELECT DISTINCT e.kind, e.id, e.unit, e.ended_at
    FROM unnest(%(spellings)s::text[]) s(text) JOIN entity e ON e.kind IN ('dossier', 'report')
        AND e.id >= s.text AND e.id < s.text || chr(1114111) AND e.id ^@ s.text
    WHERE e.opened_at IS NOT NULL AND (%(seen)s::text[] IS NULL OR e.unit = ANY (%(seen)s))
) found ORDER BY ended_at IS NOT NULL, id LIMIT %(most)s
"""
