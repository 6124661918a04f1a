"""Findings as sentences: what disagrees with both its sides, and what is odd about single events once for all units."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from schemas.text.numbers import exact
from services.board.ui.live_page import PageContext
from services.board.ui.markup import Html, link, tag
from services.board.ui.words import count, unit_name
from services.readings.finding import Finding

NAMED = 3
"""So many units are named, those with the most first."""
_EXAMPLE = re.compile(r" \((?:ví dụ:|for example) .*\)$")


def sentences(context: PageContext, found: Sequence[Finding]) -> Html:
    """The findings, those that compare first."""
    if not found:
        return tag("p", context.word("no_findings"), class_="small")
    apart = [_named(context, f) for f in found if f.events is None]
    return tag(
        "ul", *(tag("li", said) for said in (*apart, *(said for said, _ in alike(context, found)))), class_="findings"
    )


def sentence(context: PageContext, f: Finding) -> str:
    """A finding in a sentence, with both sides that are compared."""
    left, right, apart = (exact(v, context.language) for v in (f.left, f.right, abs(f.missing)))
    return f"{finding_text(context, f)}. {context.word('finding_sides').format(left, right, apart)}"


def to_quality(context: PageContext) -> Html:
    """The way to where findings are taken and resolved."""
    return tag("p", link("/quality", context.word("findings_all")))


def finding_text(context: PageContext, f: Finding) -> str:
    """What a finding says, in the reader's language."""
    return f.vi if context.language == "vi" else f.en


def _named(context: PageContext, f: Finding) -> str:
    return f"{unit_name(f.unit, context.language, f.last)}: {sentence(context, f)}"


def alike(context: PageContext, found: Iterable[Finding]) -> Iterator[tuple[str, list[Finding]]]:
    """What is said of single events in the same words is said once, with how many there are in all and where; beside
    it the findings, those of the units with the most first."""
    groups = defaultdict[str, list[Finding]](list)
    for f in found:
        if f.events is not None:
            before, _, after = _EXAMPLE.sub("", finding_text(context, f)).partition(str(f.events))
            groups[f"{before}\0{after}"].append(f)
    for text, group in sorted(groups.items(), key=lambda pair: -sum(f.events or 0 for f in pair[1])):
        total, most = sum(f.events or 0 for f in group), sorted(group, key=lambda f: -(f.events or 0))
        said = text.replace(chr(0), count(total, context.language))
        everywhere = len(group) == 1 and most[0].unit is None
        yield f"{said}." if everywhere else f"{said}: {_places(context, most)}.", most


def _places(context: PageContext, most: Sequence[Finding]) -> str:
    named = [f"{unit_name(f.unit, context.language)} {count(f.events or 0, context.language)}" for f in most[:NAMED]]
    others = len(most) - NAMED
    return "; ".join([*named, *([context.word("findings_others").format(others)] if others > 0 else [])])
