"""Through which portal a dossier came, read from the running number in its code where nobody said it.

The table's rows are a rule of those who work with the codes and stand in no decree, so an office may add its own, and
`none` for a number takes a row back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import resources
from typing import Annotated, Literal, get_args

from pydantic import Field

from schemas.text import files

Portal = Annotated[
    Literal[
        "national", "provincial", "own", "ministry", "ministry_agriculture", "ministry_construction",
        "ministry_culture", "ministry_education", "ministry_health", "ministry_home_affairs", "ministry_industry_trade",
        "ministry_justice",
    ],
    Field(
        description="through which portal it came: the national one, the province's, the office's own software, or a "
        "ministry's system; without it the code's form tells, where it does"
    ),
]  # fmt: skip
PORTALS: tuple[str, ...] = get_args(get_args(Portal)[0])
NONE = "none"
COLUMNS = ("number", "portal")
_NUMBER = re.compile(r"\d*#*")
_LENGTHS = range(4, 9)


def read_rules(lines: Iterable[str], table: str = "portals.csv") -> dict[str, str]:
    """Form of a running number (`02####`, where `#` is any digit) -> portal; ValueError names the row that is wrong."""
    rules: dict[str, str] = {}
    for row, cells in files.rows(lines, table, COLUMNS):
        number, portal = (cells[name] for name in COLUMNS)
        if number in rules or not (_NUMBER.fullmatch(number) and len(number) in _LENGTHS):
            raise ValueError(f"{table}, row {row}: a number is needed once, 4 to 8 digits or # for any, such as 02####")
        if portal not in (*PORTALS, NONE):
            raise ValueError(f"{table}, row {row}: a portal is one of {', '.join((*PORTALS, NONE))}")
        rules[number] = portal
    return rules


_rules = read_rules(files.lines(resources.files(__package__).joinpath("portals.csv").read_text(encoding="utf-8")))


def add(lines: Iterable[str], table: str = "added portals") -> None:
    """Let an office's own rows win in this process. Meant for its start, before anything is folded."""
    _rules.update(read_rules(lines, table))


def by_code(code: str) -> str:
    """The portal that a dossier's code tells of, by the row that names most digits; `none` where no row does."""
    number = code.rpartition("-")[2]
    forms = (number[:known] + "#" * (len(number) - known) for known in range(len(number), -1, -1))
    return next((_rules[form] for form in forms if form in _rules), NONE)


def spelled() -> bytes:
    """All rules in one form: what a fold rests on besides its code."""
    return repr(sorted(_rules.items())).encode()
