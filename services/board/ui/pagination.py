"""A long list as a reader asks for it: filtered, in an order, a page of it. What was asked stands in the address."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from schemas import units
from schemas.text import collation
from services.board.ui.live_page import PageContext
from services.board.ui.markup import Html, link, tag
from services.board.ui.words import count, unit_name

T = TypeVar("T")
PAGE = 50
Values = tuple[str, ...] | frozenset[str]


@dataclass(frozen=True)
class ListQuery:
    """What a reader asked of the list at `path`; `sort` is a column, with `-` before it for the other direction."""

    path: str
    filters: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    sort: str = ""
    page: int = 1

    def query(self, **other: str) -> str:
        """All that was asked, with something else asked; without the page the first is meant."""
        query = {**self.filters, "text": self.text, "sort": self.sort, **other}
        return urlencode({name: value for name, value in query.items() if value})

    def address(self, path: str = "", **other: str) -> str:
        """Where that is shown."""
        query = self.query(**other)
        return f"{path or self.path}?{query}" if query else path or self.path


@dataclass(frozen=True)
class Listing(Generic[T]):
    """How a kind of list is searched: `facets` are what one filters by, each with the values under which a row is
    found, `orders` by what one sorts, `text` of a row."""

    facets: Mapping[str, Callable[[T], Values]]
    orders: Mapping[str, Callable[[T], Any]]
    text: Callable[[T], str]

    def parse(self, path: str, params: Mapping[str, str]) -> ListQuery:
        """What the parameters of an address ask for; what is not understood is passed by."""
        sort = params.get("sort", "")
        return ListQuery(
            path,
            {name: value for name in self.facets if (value := params.get(name, "")[:80])},
            params.get("text", "").strip()[:80],
            sort if sort.removeprefix("-") in self.orders else "",
            page_number(params),
        )

    def select(self, rows: Iterable[T], query: ListQuery) -> list[T]:
        """The rows asked for, in order; without one asked for they stay in theirs."""
        wanted = [(self.facets[name], value) for name, value in query.filters.items()]
        text = _plain(query.text)
        found = [
            row
            for row in rows
            if all(value in facet(row) for facet, value in wanted) and (not text or text in _plain(self.text(row)))
        ]
        if query.sort:
            found.sort(key=self.orders[query.sort.removeprefix("-")], reverse=query.sort.startswith("-"))
        return found


def _plain(text: str) -> str:
    """Keyboards and systems write an accented letter in two ways."""
    return unicodedata.normalize("NFC", text).casefold()


@cache
def units_over(code: str) -> frozenset[str]:
    """The units under which something of a unit is found, as with figures: those whose scope it is in, and itself."""
    return frozenset({code, *(unit.code for unit in units.every() if code in units.scope(unit.code))})


def page_number(params: Mapping[str, str]) -> int:
    """The page that an address asks for; the first where it names none."""
    page = params.get("page", "")
    return max(int(page), 1) if page.isascii() and page.isdigit() and len(page) < 7 else 1


def page_of(rows: Sequence[T], query: ListQuery) -> Sequence[T]:
    """The page asked for; the last one where there are not so many."""
    last = max((len(rows) - 1) // PAGE, 0)
    start = min(query.page - 1, last) * PAGE
    return rows[start : start + PAGE]


Choices = Mapping[str, tuple[str, Sequence[tuple[str, str]]]]
"""name of a facet -> (what it is called, [(value, how it is called)])."""


def filters(context: PageContext, query: ListQuery, choices: Choices, search: str) -> Html:
    """The form above a list. `search`: what the free text is looked for in."""
    selects = (
        tag("label", title, tag("select", *_options(context, values, query.filters.get(name, "")), name=name))
        for name, (title, values) in choices.items()
    )
    text = tag("label", search, tag("input", type="search", name="text", value=query.text, maxlength=80))
    sort = tag("input", type="hidden", name="sort", value=query.sort) if query.sort else ""
    button = tag("button", context.word("show"), class_="plain")
    clear = link(query.path, context.word("show_all")) if query.filters or query.text else ""
    return tag(
        "form", *selects, text, sort, button, clear, method="get", action=query.path, class_="filters", role="search"
    )


def unit_choices(context: PageContext, query: ListQuery, codes: Iterable[str]) -> list[tuple[str, str]]:
    """The units to choose from: those of the rows, and the one asked for; `all` is the whole locality."""
    known = {unit.code for unit in units.every()} | {"all"}
    shown = {*codes, query.filters.get("unit", "")} & known
    names = {code: unit_name(None if code == "all" else code, context.language) for code in shown}
    return sorted(names.items(), key=lambda pair: collation.key(pair[1]))


def _options(context: PageContext, values: Sequence[tuple[str, str]], chosen: str) -> list[Html]:
    known = [("", context.word("any")), *values]
    if chosen not in (value for value, _ in known):
        known.append((chosen, chosen))
    return [tag("option", name, value=v, selected="" if v == chosen else None) for v, name in known]


def heads(
    context: PageContext, query: ListQuery, columns: Iterable[tuple[str, str]], orders: Iterable[str]
) -> list[Html]:
    """Heads of columns, each (name, word); those in `orders` sort the list."""
    return [
        _head(context, query, name, context.word(word)) if name in orders else Html(context.word(word))
        for name, word in columns
    ]


def _head(context: PageContext, query: ListQuery, name: str, word: str) -> Html:
    up = query.sort == name
    sign = " ▲" if up else " ▼" if query.sort == f"-{name}" else ""
    return link(query.address(sort=f"-{name}" if up else name), word + sign, title=context.word("sort"))


def pager(context: PageContext, query: ListQuery, number: int) -> Html:
    """How many there are, and the ways to the other pages."""
    last = max((number - 1) // PAGE, 0) + 1
    here = min(query.page, last)
    steps = [
        link(query.address(page=str(page)), context.word(word), class_="plain", rel=word)
        for word, page in (("prev", here - 1), ("next", here + 1))
        if 1 <= page <= last
    ]
    text = context.word("rows").format(count(number, context.language), here, last)
    return tag("nav", tag("span", text), *steps, class_="pager", aria_label=context.word("pages_of_list"))
