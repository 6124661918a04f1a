"""The panel of a system's page that shows what programmes and reports state: each part beside its whole and share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from schemas.indicators.label_texts import MEASURED
from schemas.indicators.programmes import PROGRAMMES, SHARE, WHOLE, Programme, stated
from services.board.pages.figures.system_data import Choice
from services.board.ui.live_page import PageContext
from services.board.ui.markup import Html, link, table, tag
from services.board.ui.words import figure, signed, state_of, why
from services.readings import Reading


def codes(system: str) -> frozenset[str]:
    """The indicators that the panel shows."""
    return frozenset(indicator.code for indicator in stated(system))


def panel(context: PageContext, choice: Choice, values: Iterable[Reading]) -> Html:
    """The table of all that is stated, and what nobody has stated yet; empty for a system with nothing of the kind."""
    found = {r.indicator.code: r for r in values}
    rows = [row for row in PROGRAMMES.get(choice.system, ()) if row.code in found]
    known = [_row(context, row, found, choice) for row in rows if found[row.code].value is not None]
    missing = ", ".join(_name(context, row) for row in rows if found[row.code].value is None)
    heads = [context.word(w) for w in ("figure", "value", "of_all", "share_of_all", "know")]
    shown = table(heads, known, (1, 2, 3)) if known else ""
    return Html(shown + (tag("p", f"{context.word('not_stated')}: {missing}", class_="small") if missing else ""))


def _row(context: PageContext, row: Programme, found: dict[str, Reading], choice: Choice) -> list[object]:
    part, whole, share = (found.get(row.code + end) for end in ("", WHOLE, SHARE))
    assert part is not None
    return [
        _name(context, row),
        Html("".join(_value(context, part))),
        figure(whole, context.language) if whole else "",
        figure(share, context.language) if share else "",
        link(choice.figure(row.code), context.word("how"), class_="how"),
    ]


def _name(context: PageContext, row: Programme) -> str:
    return row.vi if context.language == "vi" else row.en


def _value(context: PageContext, r: Reading) -> Iterator[Html]:
    reason = why(r.reason, context.language) or None
    yield tag("span", signed(r, context.language), class_=f"state-{state_of(r)}", title=reason)
    if measured := MEASURED.get(r.indicator.unit):
        yield tag("span", f" {measured.said(context.language)}", class_="small")
