"""What is done with chosen rows of a list: the forms below it, and what the page's script is told of the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from fastapi.responses import JSONResponse, Response

from services.board.access import Action
from services.board.pages.actions.alarm_client import Outcome, summary
from services.board.ui.live_page import PageContext
from services.board.ui.markup import Html, tag
from services.board.ui.page_layout import form, kept_from

LETTERS = "/worklist/apology"


def answer(context: PageContext, outcomes: Sequence[Outcome]) -> Response:
    """What became of each row, for the page's script to show."""
    done, rest = summary(outcomes)
    letters = [o.key.partition(":")[2] for o in outcomes if o.done and o.said.startswith("done_extend")]
    rows = [{"key": o.key, "done": o.done, "said": context.word(o.said), "detail": o.detail} for o in outcomes]
    response: dict[str, Any] = {"said": context.word("outcome").format(done, rest), "rows": rows}
    if letters:
        response["print"] = f"{LETTERS}?" + "&".join(f"code={quote(code)}" for code in letters)
        response["print_word"] = context.word("print_letters")
    return JSONResponse(response, headers={"cache-control": "no-store"})


def toolbar(context: PageContext, actions: Sequence[Action], path: str, owner: str = "") -> Html:
    """What can be done with the rows that are chosen, and who may do the rest; the page's script sends each form, and
    shows what came of it. `owner`: to whom they had better be given."""
    may = [deed for deed in actions if context.account.may(deed)]
    others = kept_from(context, {f"do_{deed}": deed for deed in actions})
    if not may:
        return others
    panels = [
        tag("details", tag("summary", context.word(f"do_{deed}")), _deed_form(context, deed, path, owner), name="deed")
        for deed in may
    ]
    chosen = tag("span", context.word("chosen").format(0), data_chosen=context.word("chosen"), role="status")
    said = tag("div", data_said="", role="status", class_="outcome")
    return tag(
        "section",
        chosen,
        *panels,
        others,
        said,
        class_="tools",
        aria_label=context.word("deeds"),
        data_away=context.word("board_away"),
        data_refused=context.word("board_refused"),
    )


def _deed_form(context: PageContext, deed: str, path: str, owner: str) -> Html:
    button = tag("button", context.word(f"do_{deed}"), class_="strong")
    return form(context, f"{path}/do/{deed}", *_fields(context, deed, owner), button, data_deed="")


def _fields(context: PageContext, deed: str, owner: str) -> list[Html]:
    """What a deed needs to be told."""
    if deed == "join":
        return [tag("label", context.word("join_into"), tag("input", name="into", maxlength=80, required=""))]
    note = {"acknowledge": "note_optional", "assign": "note_optional", "extend": "reason_late"}.get(deed, "note")
    required = "" if deed in ("comment", "close", "extend") else None
    fields = [tag("label", context.word(note), tag("input", name="note", maxlength=400, required=required))]
    if deed == "assign":
        to = tag(
            "label",
            context.word("assignee"),
            tag("input", name="assignee", maxlength=80, required="", value=owner or None),
        )
        until = tag("label", context.word("deadline"), tag("input", name="deadline", type="datetime-local"))
        fields = [to, until, *fields]
    if deed == "extend":
        fields.insert(0, tag("label", context.word("new_day"), tag("input", name="day", type="date", required="")))
    return fields
