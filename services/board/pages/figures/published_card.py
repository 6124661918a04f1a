"""The first card of a system's page: what was published, beside what the centre counts of the same days; and what does
not fit together, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from psycopg import Connection

from schemas import units
from schemas.text.dates import days
from services.board.access import is_sensitive
from services.board.pages.figures.said_findings import sentences
from services.board.pages.figures.system_data import Choice, indicators
from services.board.ui.live_page import PageContext
from services.board.ui.markup import Html, link, table, tag
from services.board.ui.page_layout import unreal
from services.board.ui.periods import PeriodChoice
from services.board.ui.redaction import findings_for
from services.board.ui.words import SIGNS, count, name_of, number, unit_name
from services.readings import findings
from services.readings.finding import Finding
from services.readings.published import Cell, Published, published

UNLIKE = 5
"""So many units that do not agree are named."""


@dataclass(frozen=True)
class Beside:
    """What was published of a system, and which of its figures do not fit together."""

    figures: Sequence[Published]
    findings: Sequence[Finding]


def read_beside(conn: Connection, choice: Choice, now: datetime) -> Beside:
    """What the card shows as of the chosen moment."""
    own, as_of = indicators(choice.system), choice.period.as_of or now
    codes = {indicator.code for indicator in own}
    found = published(conn, own, choice.unit, as_of)
    apart = [f for f in findings(conn, as_of) if f.events is None and codes & f.figures] if found else []
    return Beside(found, apart)


def card(context: PageContext, choice: Choice, shown: Beside | None) -> Html:
    """The card; empty where nothing was published. Who has not logged in gets no exact count of people, nor findings,
    which hold some."""
    if shown is None:
        return Html("")
    inside = context.account.may("cases")
    figures = [one for one in shown.figures if inside or not is_sensitive(one.indicator)]
    if not figures:
        return Html("")
    heads = [context.word(w) for w in ("figure", "period", "published", "counted", "published_units")]
    listed = table(heads, (_row(context, choice, one) for one in figures), (2, 3))
    said = findings_for(context.account, shown.findings) if inside else []
    return tag("section", tag("h2", _title(context, figures)), _verdict(context, figures), listed,
               sentences(context, said), class_="panel wide published")  # fmt: skip


def _title(context: PageContext, figures: Sequence[Published]) -> str:
    """`Số liệu tháng 11/2024 …` where it was moved in time; else as it is."""
    origin = unreal(context, frozenset().union(*(one.origins for one in figures)))
    return " · ".join(filter(None, [context.word("published_title"), origin]))


def _verdict(context: PageContext, figures: Sequence[Published]) -> Html:
    cells = [cell for one in figures for cell in one.cells]
    known = [cell for cell in cells if cell.counted is not None]
    alike, language = sum(cell.agrees for cell in known), context.language
    state = "good" if alike == len(known) else "bad"
    if not known:
        return tag("p", context.word("published_uncounted"), class_="none")
    said = context.word("published_all" if state == "good" else "published_some")
    text = said.format(count(alike, language), count(len(known), language))
    return tag("p", tag("strong", f"{SIGNS[state]} {text}", class_=f"state-{state}"))


def _row(context: PageContext, choice: Choice, one: Published) -> list[object]:
    of_days = PeriodChoice(days=(one.first, one.last), as_of=choice.period.as_of)
    only = one.cells[0].unit if len(one.cells) == 1 else choice.unit
    opened = of_days.address(f"/figure/{one.indicator.code}", unit=only)
    return [
        link(opened, name_of(one.indicator, context.language)),
        link(of_days.address(f"/system/{choice.system}", unit=_over(one.cells)), days(one.first, one.last)),
        _value(context, one, one.stated),
        "–" if one.counted is None else _value(context, one, one.counted),
        _agreement(context, one),
    ]


def _over(cells: Sequence[Cell]) -> str | None:
    """The nearest unit that all these are or belong to, of whom the same days have all other figures."""
    nearest, *others = ([cell.unit, *(unit.code for unit in units.ancestors(cell.unit))] for cell in cells)
    return next((code for code in nearest if all(code in each for each in others)), None)


def _value(context: PageContext, one: Published, value: Decimal) -> str:
    """In full: what is compared is not shortened."""
    sign = {"%": " %", "VND": " đ"}.get(one.indicator.unit, "")
    return number(value, 2 if sign == " %" else one.indicator.decimals, context.language) + sign


def _agreement(context: PageContext, one: Published) -> Html:
    alike = len(one.cells) - len(one.unlike)
    known = sum(cell.counted is not None for cell in one.cells)
    if not known:
        return tag("span", context.word("published_no_events"), class_="none")
    state = "bad" if one.unlike else "good"
    said = context.word("published_alike").format(alike, len(one.cells))
    named = "; ".join(_unlike(context, one, cell) for cell in one.unlike[:UNLIKE])
    others = tag("span", f": {named}", class_="named") if named else ""
    return tag("span", f"{SIGNS[state]} {said}", others, class_=f"state-{state}")


def _unlike(context: PageContext, one: Published, cell: Cell) -> str:
    counted = "–" if cell.counted is None else _value(context, one, cell.counted)
    return f"{unit_name(cell.unit, context.language, one.last)} {_value(context, one, cell.stated)} / {counted}"
