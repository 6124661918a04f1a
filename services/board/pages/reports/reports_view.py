"""What the pages of reports show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from schemas import units
from schemas.text.dates import day_and_time, days
from services.board.ui.labels import event_cell, source_cell
from services.board.ui.live_page import PageContext
from services.board.ui.markup import Html, link, table, tag
from services.board.ui.page_layout import form, kept_from
from services.board.ui.words import count, unit_name
from services.reports.formats import FORMATS
from services.reports.issues import Issue

PATH = "/reports"
SPANS = {"month": 1, "quarter": 3, "half": 6, "year": 12}
"""Of how many months a report may be asked for, each the one that a month is in."""
BAD = ("report_not_made", "report_bad_month")


def overview(context: PageContext, found: Sequence[Issue], forms: Mapping[str, str], month: date, said: Html) -> Html:
    """What makes one, and the issues that there are. `forms`: the names of the forms besides the whole report; `month`:
    the one that is chosen at first."""
    title = tag("div", tag("h1", context.word("reports_title")), said, class_="title")
    listed = _list(context, found, forms) if found else tag("p", context.word("reports_none"))
    kept = tag("section", tag("h2", context.word("reports_kept")), listed, class_="panel wide")
    make = (
        _make(context, forms, month) if context.account.may("report") else kept_from(context, {"report_make": "report"})
    )
    return tag("main", title, make, kept, class_="page people reports")


def _make(context: PageContext, forms: Mapping[str, str], month: date) -> Html:
    chosen = tag("input", type="month", name="month", value=f"{month:%Y-%m}", required="")
    spans = (tag("option", context.word(f"report_{span}"), value=span) for span in SPANS)
    where = tag("select", *_units(context, month), name="unit")
    kinds = (tag("option", _form(context, code, forms), value=code) for code in ("", *forms))
    number = tag("input", name="number", maxlength="20", autocomplete="off")
    fields = form(
        context, f"{PATH}/make",
        tag("label", context.word("report_form"), tag("select", *kinds, name="form")),
        tag("label", context.word("report_span"), tag("select", *spans, name="span")),
        tag("label", context.word("report_in_month"), chosen), tag("label", context.word("unit"), where),
        tag("label", context.word("report_number"), number), tag("button", context.word("report_make"), class_="plain"),
        class_="forms",
    )  # fmt: skip
    means = tag("p", context.word("report_means"), class_="small")
    return tag("section", tag("h2", context.word("report_new")), means, fields, class_="panel wide")


def _units(context: PageContext, day: date) -> Iterator[Html]:
    """Whose report may be asked for: the whole locality, and every unit of that month that the account sees."""
    if not context.account.units:
        yield tag("option", context.word("whole"), value="")
    for unit in units.at(day):
        if context.account.sees(unit.code):
            yield tag("option", unit_name(unit.code, context.language, day), value=unit.code)


def _form(context: PageContext, code: str, forms: Mapping[str, str]) -> str:
    return forms.get(code, code) or context.word("report_whole")


def _list(context: PageContext, found: Sequence[Issue], forms: Mapping[str, str]) -> Html:
    words = ("report_issue", "report_form", "report_days", "unit", "report_made", "who", "report_corrects")
    return table([context.word(word) for word in words], (_row(context, one, forms) for one in found))


def _row(context: PageContext, one: Issue, forms: Mapping[str, str]) -> list[object]:
    number = link(f"{PATH}/{one.id}", one.id)
    corrects = link(f"{PATH}/{one.corrects}", one.corrects) if one.corrects else ""
    of = _form(context, one.form, forms), days(one.first, one.last), _of(context, one)
    return [number, *of, day_and_time(one.made_at), one.made_by, corrects]


def _of(context: PageContext, one: Issue) -> str:
    return unit_name(one.unit, context.language, one.last)


def of_issue(context: PageContext, one: Issue, forms: Mapping[str, str], said: Html) -> Html:
    """One issue: what it is (`forms`: the names of them), its documents, whether it still holds, and a preview."""
    facts = [
        ("report_form", _form(context, one.form, forms)), ("report_days", days(one.first, one.last)),
        ("unit", _of(context, one)),
        ("as_of", day_and_time(one.as_of)), ("report_made", f"{day_and_time(one.made_at)} – {one.made_by}"),
        ("report_hash", one.hash),
    ]  # fmt: skip
    if one.corrects:
        facts.append(("report_corrects", str(one.corrects)))
    pairs = (Html(tag("dt", context.word(name)) + tag("dd", value)) for name, value in facts)
    files = (link(f"{PATH}/{one.id}/file/{kind}", kind.upper(), download="") for kind in FORMATS if kind != "html")
    verify = form(
        context, f"{PATH}/{one.id}/verify", tag("button", context.word("report_verify"), class_="plain"), class_="forms"
    )
    name = context.word("report_preview")
    seen = tag("iframe", src=f"{PATH}/{one.id}/preview", title=name, sandbox="", class_="preview")
    return tag(
        "main",
        tag("div", tag("h1", f"{context.word('report_issue')} {one.id}"), said, class_="title"),
        tag("section", tag("dl", *pairs, class_="pairs"), tag("p", *files, class_="choices"), verify,
            class_="panel wide"),
        tag("section", tag("h2", name), seen, class_="panel wide"),
        tag("p", link(PATH, context.word("reports_all"))),
        class_="page people reports",
    )  # fmt: skip


def notice(context: PageContext, word: str, reason: str = "") -> Html:
    """What came of the last thing that was asked for."""
    bad = word in BAD
    text = f"{context.word(word)} {reason}".strip()
    return tag("p", text, role="alert" if bad else "status", class_="said problem" if bad else "said")


def verdict(context: PageContext, found: dict[str, Any]) -> Html:
    """Whether an issue holds; what differs, and what became known since."""
    if found["holds"]:
        return notice(context, "report_holds" if found["same_inputs"] else "report_holds_still")
    heads = [context.word(word) for word in ("report_place", "report_then", "report_now")]
    rows = ([c["place"], c["before"] or "–", c["after"] or "–"] for c in found["changes"])
    text = context.word("report_differs").format(count(found["changed"], context.language))
    return Html(
        tag("p", text, role="alert", class_="said problem")
        + table(heads, rows)
        + _late(context, found["late"], found["others"])
    )


def _late(context: PageContext, late: Sequence[dict[str, Any]], others: int) -> Html:
    """The events that were recorded since."""
    lines = [
        tag("li", Html(context.word("report_since").format(
            count(one["number"], context.language), event_cell(one["type"], context.language),
            source_cell(one["source"], context.language))))
        for one in late
    ]  # fmt: skip
    if others:
        lines.append(tag("li", context.word("report_since_others").format(count(others, context.language))))
    return tag("ul", *lines) if lines else Html("")


def nothing(context: PageContext) -> Html:
    """The page of what is not there, or is not one's own to see."""
    text = tag("p", context.word("report_gone"), role="alert", class_="said problem")
    return tag("main", tag("h1", context.word("reports")), text, link(PATH, context.word("reports_all")),
               class_="page people reports")  # fmt: skip
