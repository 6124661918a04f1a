"""The one control by which a reader chooses the period of a page of figures, and of when the figures are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from schemas.calendar import VN
from schemas.indicators import CATALOGUE
from schemas.text.dates import day_and_time
from services.board.ui.live_page import PageContext
from services.board.ui.markup import Html, link, tag
from services.board.ui.periods import SPANS, PeriodChoice, Span, months_from, today
from services.board.ui.words import name_of
from services.kit import clock

WORDS: dict[Span, str] = {"day": "span_day", "week": "span_week", "month": "period_this_month", "year": "span_year"}
MONTHS = 24
"""So many months are offered by name; any other is written as days."""


def period_control(context: PageContext, path: str, **others: str | None) -> Html:
    """Spans, months, days and the moment, for the page at `path`; `others` are what else its address says."""
    chosen, presets = context.chosen, _presets(context)
    seen = chosen.as_of or clock.now()
    links = (
        link(each.address(path, **others), context.word(word), aria_current="true" if each == chosen else None)
        for word, each in presets
    )
    named = preset(context) == "" or chosen.as_of
    own = tag("summary", context.word("period_other"), aria_current="true" if named else None)
    return tag(
        "div",
        tag("span", *links, class_="choice"),
        tag("details", own, _form(context, path, seen, others), class_="period"),
        *_past(context, path, others),
        class_="choices periods",
    )


def _presets(context: PageContext) -> list[tuple[str, PeriodChoice]]:
    """The periods that have a name of their own."""
    as_of = context.chosen.as_of
    presets: list[tuple[str, PeriodChoice]] = [(WORDS[span], PeriodChoice(span, as_of=as_of)) for span in SPANS]
    last_month = months_from(today(as_of or clock.now()), -1)
    presets.insert(3, ("period_last_month", PeriodChoice(month=last_month, as_of=as_of)))
    return presets


def preset(context: PageContext) -> str:
    """What the chosen period is called among those with a name of their own; empty for another."""
    return next((context.word(word) for word, each in _presets(context) if each == context.chosen), "")


def moment_control(context: PageContext, path: str) -> Html:
    """The same for a page that is of a moment alone."""
    name = tag("summary", context.word("period_moment"), aria_current="true" if context.chosen.as_of else None)
    show = tag("button", context.word("period_show"), class_="plain")
    fields = tag("form", _moment(context), show, method="get", action=path, class_="filters")
    own = tag("details", name, fields, class_="period")
    return tag("div", own, *_past(context, path, {}), class_="choices periods")


def of_now(context: PageContext, unit: str | None, figures: Sequence[str] = ()) -> Html:
    """For a list of what is open now, opened for another moment: that it is of now, and the figures whose cases of then
    can be seen."""
    if context.chosen.as_of is None:
        return Html("")
    ways = (
        link(context.chosen.address(f"/figure/{code}/cases", unit=unit), name_of(CATALOGUE[code], context.language))
        for code in figures
    )
    said = context.word("list_is_of_now").format(day_and_time(context.chosen.as_of))
    return tag("p", said, *(part for way in ways for part in (" · ", way)), class_="of-now", role="status")


def _past(context: PageContext, path: str, others: dict[str, str | None]) -> Iterator[Html]:
    """That figures of a moment before now are shown, and the way back."""
    if at := context.chosen.as_of:
        back = link(replace(context.chosen, as_of=None).address(path, **others), context.word("period_now"))
        yield tag("span", tag("strong", context.word("period_as_of").format(day_and_time(at))), " · ", back)


def _form(context: PageContext, path: str, seen: datetime, others: dict[str, str | None]) -> Html:
    hidden = (
        tag("input", type="hidden", name=name, value=value) for name, value in others.items() if value is not None
    )
    span = context.chosen.span
    return tag(
        "form", *hidden, tag("input", type="hidden", name="span", value=span) if span != "month" else "",
        *period_fields(context, seen), tag("button", context.word("period_show"), class_="plain"),
        tag("p", context.word("period_means"), class_="small"),
        method="get", action=path, class_="filters",
    )  # fmt: skip


def period_fields(context: PageContext, seen: datetime) -> Iterator[Html]:
    """Month, days and moment as fields of a form, with what is chosen in them; months are offered back from `seen`."""
    chosen = context.chosen
    first, last = chosen.days or ("", "")
    months = [months_from(today(seen), -back) for back in range(MONTHS)]
    if chosen.month and chosen.month not in months:
        months.append(chosen.month)
    options = [
        tag("option", f"{m:%m/%Y}", value=f"{m:%Y-%m}", selected="" if m == chosen.month else None) for m in months
    ]
    yield _field(context, "period_month", tag("select", tag("option", "–", value=""), *options, name="month"))
    yield _field(context, "period_first", tag("input", type="date", name="first", value=first))
    yield _field(context, "period_last", tag("input", type="date", name="last", value=last))
    yield _moment(context)


def _moment(context: PageContext) -> Html:
    chosen = context.chosen.as_of
    at = chosen.astimezone(VN).replace(tzinfo=None).isoformat(timespec="seconds") if chosen else ""
    return _field(context, "period_moment", tag("input", type="datetime-local", name="as_of", value=at, step="1"))


def _field(context: PageContext, word: str, control: Html) -> Html:
    return tag("label", context.word(word), control)
