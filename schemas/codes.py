"""How a case's number is shown to whoever may not open the case: one rule for every register and every way out.

Of a dossier the unit and the year are left, of another number its register: nothing that finds the file again.
"""

from __future__ import annotations

import re

from schemas.types import DOSSIER, REGISTER

HIDDEN = "••••"
_DOSSIER = re.compile(f"(?:{DOSSIER})")
_YEAR = re.compile(r"(.+-\d\d)\d{4}-\d+")
_REGISTER = re.compile(REGISTER)
_IN_TEXT = re.compile(
    rf"(?<![A-Za-z0-9])(?:{DOSSIER}(?![0-9])"
    rf"|(?:[A-Z]\d{{2}}|\d{{3}}(?:\.\d{{2}})+|[A-Z]{{2,8}})[A-Z0-9.]*-(?=[A-Z0-9_.\-]*\d)[A-Z0-9_.\-]++(?!•))"
)
"""What dossiers, reports, payments and other numbers in registers look like, wherever they stand in a text."""
_STANDARDS = re.compile(r"(?:UTF|ISO|SHA|RFC|CVE|ICD|TCVN|QCVN|COVID)-")
OPEN311 = re.compile("^PA-[0-9]{6}-[BCDFGHJKLMNPQRSTVWXZ]{16}$")
"""The number that a report is given by the door of Open311: its local day and chance, so nobody else's to guess."""
_LONG = re.compile(r"\d{3,}")


def names_office(code: str) -> bool:
    """Whether a dossier's code says which office gave it (`H19.12-…`), and not the province or ministry alone."""
    return any(part.isdigit() and part.strip("0") for part in code.partition("-")[0].split("."))


def masked(code: str) -> str:
    """The number of a case as it may be read outside: `H57.25-24••••-••••`, `PA-••••`; of another form nothing is left.

    `code` is the number, or `NUMBER@office`.
    """
    number = code.partition("@")[0]
    if _DOSSIER.fullmatch(number):
        return _YEAR.sub(rf"\1{HIDDEN}-{HIDDEN}", number)
    register = _REGISTER.match(number)
    return f"{register[0] if register else ''}{HIDDEN}"


def masked_text(text: str) -> str:
    """A text with each number in it masked that looks like a case's; names of standards (`UTF-8`) stay."""
    return _IN_TEXT.sub(_hidden, text)


def masked_id(id: str) -> str:
    """An event's id, which may hold any number: as `masked_text`, and of each longer run of digits two are left."""
    return _LONG.sub(lambda run: run[0][:2] + "•" * (len(run[0]) - 2), masked_text(id))


def masked_case(id: str) -> str:
    """Of an event's id what a person may look for: the case, masked, without moments and stages."""
    return _STAGE.sub("", masked_id(id).partition("/")[0])


_STAGE = re.compile(r"([-.][a-z_]+)+$")


def _hidden(found: re.Match[str]) -> str:
    code = found[0].rstrip(".-")
    return found[0] if _STANDARDS.match(code) else masked(code) + found[0][len(code) :]
