"""What the pages of workbooks show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from schemas import units
from schemas.indicators import CATALOGUE
from schemas.indicators.formula import Statement
from schemas.text.dates import day_and_time, days
from services.board.pages.imports.drafts import LARGEST, Draft
from services.board.pages.imports.phrases import said as phrase
from services.board.ui.live_page import PageContext
from services.board.ui.markup import Html, link, table, tag
from services.board.ui.page_layout import form
from services.board.ui.words import Language, system_name, unit_name
from services.kit.imports import Import

LINKS = 12
"""Figures of an import that are named one by one."""
_INDICATOR = {i.formula.indicator: i for i in reversed(CATALOGUE.values()) if isinstance(i.formula, Statement)}


def hinders(said: dict[str, Any]) -> bool:
    """Whether a draft cannot be sent as its reader found it."""
    return bool(said.get("problem") or said.get("open") or said.get("outside") or "summary" not in said)


def number(text: str | int | None, language: Language) -> str:
    """A figure as it is read; what is no number is left as it is."""
    if text is None:
        return "–"
    try:
        written = f"{Decimal(text):,f}"
    except InvalidOperation:
        return str(text)
    return written.translate(str.maketrans(",.", ".,")) if language == "vi" else written


def _notice(context: PageContext, said: str) -> Html:
    if not said:
        return Html("")
    bad = said in ("import_changed", "import_not_sure", "import_not_settled")
    role, kind = ("alert", "said problem") if bad else ("status", "said")
    return tag("p", context.word(said), role=role, class_=kind)


def nothing(context: PageContext) -> Html:
    """The page of what is not there, or is not one's own to see."""
    text = tag("p", context.word("import_gone"), role="alert", class_="said problem")
    return tag("main", tag("h1", context.word("imports")), text, link("/imports", context.word("imports_all")),
               class_="page people")  # fmt: skip


# --- all imports ---


def overview(context: PageContext, found: Sequence[Import], said: str) -> Html:
    """The field for a file, and who imported what."""
    file = tag("input", type="file", id="import-file", accept=".xlsx,.xls,.ods,.csv,.txt,.tsv")
    status = tag("p", id="import-told", role="status")
    words = {"away": "board_away", "working": "import_working", "large": "import_too_large"}
    put = tag(
        "section",
        tag("h2", context.word("import_new")),
        tag("p", context.word("import_means"), class_="small"),
        tag("label", context.word("import_file"), file),
        status,
        class_="panel wide",
        id="import-upload",
        data_csrf=context.csrf,
        data_largest=LARGEST,
        **{f"data_{name}": context.word(key) for name, key in words.items()},
    )
    rows = tag("section", tag("h2", context.word("imports_made")), _list(context, found), class_="panel wide")
    title = tag("div", tag("h1", context.word("imports_title")), _notice(context, said), class_="title")
    return tag("main", title, put, rows, class_="page people imports")


def _list(context: PageContext, found: Sequence[Import]) -> Html:
    if not found:
        return tag("p", context.word("imports_none"))
    words = ("import_what", "import_form", "import_at", "who", "right_units", "import_new_n", "import_changed_n",
             "import_same_n", "account_state")  # fmt: skip
    return table([context.word(name) for name in words], (_row(context, one) for one in found), numeric=(5, 6, 7))


def _row(context: PageContext, one: Import) -> list[object]:
    counts = [number(n, context.language) for n in (one.new, one.revised, one.known)]
    what = link(f"/imports/{one.id}", one.file)
    return [
        what,
        context.word(f"form_{one.template}"),
        day_and_time(one.at),
        one.by,
        _units(context, one),
        *counts,
        _state(context, one),
    ]


def _units(context: PageContext, one: Import) -> str:
    first = unit_name(one.units[0], context.language, one.at.date()) if one.units else "–"
    return first if len(one.units) < 2 else context.word("import_units").format(len(one.units))


def _state(context: PageContext, one: Import) -> str:
    if one.taken_back_at is None:
        return context.word("import_stands")
    return context.word("import_taken").format(one.taken_back_by, day_and_time(one.taken_back_at))


# --- one import ---


def of_import(context: PageContext, one: Import, codes: Sequence[str], state: Html, said: str) -> Html:
    """What an import was, how far it is, where its figures are, and the way to take it back."""
    facts = [
        (context.word("import_form"), context.word(f"form_{one.template}")),
        (context.word("import_at"), f"{day_and_time(one.at)} – {one.by}"),
        (context.word("right_units"), _units(context, one)),
        (context.word("import_new_n"), number(one.new, context.language)),
        (context.word("import_changed_n"), number(one.revised, context.language)),
        (context.word("import_same_n"), number(one.known, context.language)),
        (context.word("import_digest"), one.digest),
    ]
    listed = tag("dl", *(Html(tag("dt", name) + tag("dd", value)) for name, value in facts), class_="pairs")
    return tag(
        "main",
        tag("div", tag("h1", one.file), _notice(context, said), class_="title"),
        tag("section", listed, state, class_="panel wide"),
        tag("section", tag("h2", context.word("import_figures")), _figures(context, one, codes), class_="panel wide"),
        _taking_back(context, one) if one.taken_back_at is None else "",
        tag("p", link("/imports", context.word("imports_all"))),
        class_="page people imports",
    )


def state(context: PageContext, one: Import, waiting: int) -> Html:
    """Whether an import is in force, and how much of it is still to be sent."""
    standing = tag("p", f"{context.word('account_state')}: {_state(context, one)}")
    if not waiting:
        return Html(standing + tag("p", context.word("import_arrived"), role="status"))
    most = max(one.new + one.revised, waiting)
    bar = tag("progress", value=most - waiting, max=most, aria_label=context.word("import_progress"))
    told = context.word("import_waits").format(number(waiting, context.language))
    return Html(standing + tag("p", told, role="status") + bar)


def _figures(context: PageContext, one: Import, codes: Sequence[str]) -> Html:
    vi = context.language == "vi"
    systems = [link(f"/system/{slug}", system_name(slug, context.language)) for slug in one.systems]
    figures = [link(f"/figure/{code}", CATALOGUE[code].vi if vi else CATALOGUE[code].en) for code in codes[:LINKS]]
    return tag("ul", *(tag("li", way) for way in (*systems, *figures)))


def _taking_back(context: PageContext, one: Import) -> Html:
    sure = tag("label", tag("input", type="checkbox", name="sure", value="yes", required=""), " ",
               context.word("import_sure"), class_="check")  # fmt: skip
    button = tag("button", context.word("import_take_back"), class_="plain")
    means = tag("p", context.word("import_back_means"), class_="small")
    inside = form(context, f"/imports/{one.id}/take-back", means, sure, button)
    return tag("section", tag("h2", context.word("import_take_back")), inside, class_="panel wide")


# --- a draft ---


def of_draft(context: PageContext, draft: Draft, said: str) -> Html:
    """The dry run: what was read, what is asked, what would change; and the way to send it."""
    found = draft.said
    parts = [_problem(context, draft), _choices(context, draft)]
    if "template" in found:
        parts = [_problem(context, draft), _questions(context, draft), _changes(context, draft),
                 _sending(context, draft), _read(context, draft), _choices(context, draft)]  # fmt: skip
    steps = tag("p", context.word("import_steps"), class_="small")
    return tag(
        "main",
        tag("div", tag("h1", draft.name), steps, _notice(context, said), class_="title"),
        *parts,
        _drop(context, draft),
        class_="page people imports",
    )


def _problem(context: PageContext, draft: Draft) -> Html:
    texts = [phrase(draft.said["problem"], context.language)] if draft.said.get("problem") else []
    if outside := draft.said.get("outside"):
        names = "; ".join(unit_name(code, context.language) for code in outside[:20])
        texts.append(context.word("import_outside").format(names))
    return Html("".join(tag("p", text, role="alert", class_="said problem") for text in texts))


def _questions(context: PageContext, draft: Draft) -> Html:
    asked = draft.said.get("questions", [])
    if not asked and not draft.answers:
        return tag("section", tag("h2", context.word("import_no_questions")), class_="panel wide")
    columns = draft.said.get("columns", {})
    blocks = [_question(context, n, one, columns) for n, one in enumerate(asked)]
    again = [
        tag("label", tag("input", type="checkbox", name=f"again_{n}", value=f"{sheet}!{cell}"), " ",
            context.word("import_again").format(f"{sheet}!{cell}", text), class_="check")
        for n, ((sheet, cell), text) in enumerate(draft.answers.items())
    ]  # fmt: skip
    left = draft.said.get("open", 0)
    title = context.word("import_questions").format(left) if left else context.word("import_no_questions")
    answered = tag("fieldset", tag("legend", context.word("import_answered")), *again) if again else ""
    hidden = [tag("input", type="hidden", name=name, value=text) for name, text in draft.choices.items()]
    button = tag("button", context.word("import_answer"), class_="plain")
    inside = form(context, f"/imports/draft/{draft.id}/read", *hidden, *blocks, answered, button)
    return tag("section", tag("h2", title), inside, class_="panel wide questions")


def _question(context: PageContext, n: int, one: dict[str, Any], columns: Mapping[str, str]) -> Html:
    place = f"{one['sheet']}!{one['cell']}"
    says = context.word("import_cell_says").format(one["says"]) if one["says"] else ""
    choices = (
        (tag("input", type="radio", name=f"answer_{n}", value=choice), " ", _choice(context, choice, columns))
        for choice in one["choices"]
    )
    labels = (tag("label", *choice, class_="check") for choice in choices)
    other = tag("label", context.word("import_other"), tag("input", name=f"other_{n}", autocomplete="off"))
    at = tag("input", type="hidden", name=f"at_{n}", value=place)
    text = tag("p", phrase(one["question"], context.language))
    return tag("fieldset", tag("legend", place, " ", says), at, text, *labels, other)


def _choice(context: PageContext, choice: str, columns: Mapping[str, str]) -> str:
    words = {"ignore": "import_ignore", "read": "import_read", "skip": "import_skip", "percent": "import_percent",
             "fraction": "import_fraction"}  # fmt: skip
    if choice in words:
        return context.word(words[choice])
    if choice in _INDICATOR:
        found = _INDICATOR[choice]
        return found.vi if context.language == "vi" else found.en
    return columns.get(choice) or _unit(choice, context.language) or number(choice, context.language)


def _unit(code: str, language: Language) -> str | None:
    try:
        return unit_name(code, language)
    except units.UnknownUnit:
        return None


def _changes(context: PageContext, draft: Draft) -> Html:
    summary = draft.said.get("summary")
    if summary is None:
        return Html("")
    counts = [number(summary[name], context.language) for name in ("new", "revised", "known")]
    text = tag("p", context.word("import_difference").format(*counts))
    outdated = draft.said["outdated"]
    stays = tag("p", context.word("import_outdated").format(number(outdated, context.language))) if outdated else ""
    changes = draft.said.get("changes", [])
    more = draft.said.get("more_changes", 0)
    rest = tag("p", context.word("import_more").format(number(more, context.language))) if more > 0 else ""
    words = ("unit", "import_figure", "import_period", "import_before", "import_now")
    rows = table([context.word(name) for name in words], (_change(context, one) for one in changes), numeric=(3, 4))
    return tag("section", tag("h2", context.word("import_changes")), text, stays, rows if changes else "", rest,
               class_="panel wide")  # fmt: skip


def _change(context: PageContext, one: dict[str, Any]) -> list[object]:
    first, last = (date.fromisoformat(day) for day in one["days"])
    found = _INDICATOR.get(one["indicator"])
    name = (found.vi if context.language == "vi" else found.en) if found else one["column"].replace(" > ", " – ")
    before = number(one["before"], context.language) if one["before"] is not None else context.word("import_none_yet")
    where = unit_name(one["unit"], context.language, last) + (f" · {one['of']}" if one["of"] else "")
    return [where, name, days(first, last), before, number(one["now"], context.language)]


def _sending(context: PageContext, draft: Draft) -> Html:
    if hinders(draft.said):
        return tag("p", context.word("import_first_answer"), class_="said wide") if draft.said.get("open") else Html("")
    count = draft.said["summary"]["new"] + draft.said["summary"]["revised"]
    means = context.word("import_confirm_means").format(number(count, context.language))
    text = means if count else context.word("import_all_known")
    button = tag("button", context.word("import_confirm"), class_="plain")
    return tag("section", tag("p", text), form(context, f"/imports/draft/{draft.id}/send", button), class_="panel wide")


def _read(context: PageContext, draft: Draft) -> Html:
    return tag("section", tag("h2", context.word("import_was_read")), tag("ul", *_lines(context, draft)),
               class_="panel wide")  # fmt: skip


def _lines(context: PageContext, draft: Draft) -> Iterator[Html]:
    found, language = draft.said, context.language
    for tab in found["sheets"]:
        span = f", {days(*map(date.fromisoformat, tab['days']))}" if tab["days"] else ""
        yield tag("li", context.word("import_rows").format(tab["name"], number(tab["rows"], language)), span)
    for one in found["skipped"]:
        rows = ", ".join(map(str, one["rows"])) + (" …" if one["number"] > len(one["rows"]) else "")
        yield tag("li", context.word("import_skipped").format(one["sheet"], rows, phrase(one["why"], language)))
    for one in found["dropped"]:
        why = phrase(one["why"], language)
        yield tag("li", context.word("import_dropped").format(one["sheet"], one["column"], why, one["cells"]))
    for text in found["warnings"]:
        yield tag("li", context.word("import_odd"), ": ", phrase(text, language))


def _choices(context: PageContext, draft: Draft) -> Html:
    chosen = draft.choices.get("template")
    options = [tag("option", context.word("import_recognised"), value="")]
    for name in draft.said.get("forms", ()):
        picked = "" if name == chosen else None
        options.append(tag("option", context.word(f"form_{name}"), value=name, selected=picked))
    inside = form(
        context,
        f"/imports/draft/{draft.id}/read",
        tag("label", context.word("import_form"), tag("select", *options, name="template")),
        _field(context, draft, "period", "import_period_hint"),
        _field(context, draft, "unit", "import_unit_hint"),
        tag("label", context.word("import_published"),
            tag("input", name="published", type="date", value=draft.choices.get("published", ""))),
        tag("button", context.word("import_read_again"), class_="plain"),
        class_="forms",
    )  # fmt: skip
    found = draft.said.get("template")
    title = tag("h2", context.word("import_form_is").format(context.word(f"form_{found}") if found else "–"))
    return tag("section", title, inside, class_="panel wide")


def _field(context: PageContext, draft: Draft, name: str, hint: str) -> Html:
    field = tag("input", name=name, value=draft.choices.get(name, ""), autocomplete="off")
    return tag("label", context.word(f"import_{name}"), field, tag("span", context.word(hint), class_="small"))


def _drop(context: PageContext, draft: Draft) -> Html:
    button = tag("button", context.word("import_drop"), class_="plain")
    return form(context, f"/imports/draft/{draft.id}/drop", button)
