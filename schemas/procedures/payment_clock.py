"""For which procedures the clock stands while the citizen's payment is awaited: a table that an office may extend."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import resources

from schemas.text import files

COLUMNS = ("procedure", "stops_clock")
ALL = "*"
"""The row for every procedure that has none of its own."""
_PROCEDURE = re.compile(r"\d\.\d{6}(\.\d{3}\.\d{2}\.\d{2}\.[A-Z]\d{2})?")


def read_rules(lines: Iterable[str], table: str = "payment_clock.csv") -> dict[str, bool]:
    """procedure -> whether a payment awaited stops its clock; ValueError names the row that is wrong."""
    rules: dict[str, bool] = {}
    for number, row in files.rows(lines, table, COLUMNS):
        procedure, stops = (row[name] for name in COLUMNS)
        if procedure in rules or not (procedure == ALL or _PROCEDURE.fullmatch(procedure)) or stops not in ("0", "1"):
            raise ValueError(f"{table}, row {number}: a procedure's code or {ALL}, once, and 0 or 1 are needed")
        rules[procedure] = stops == "1"
    return rules


_TABLE = resources.files(__package__).joinpath("payment_clock.csv").read_text(encoding="utf-8")
_rules = read_rules(files.lines(_TABLE))


def add(lines: Iterable[str], table: str = "added rules") -> None:
    """Let an office's own rows win in this process. Meant for its start, before anything is folded."""
    _rules.update(read_rules(lines, table))


def stops_clock(procedure: str | None) -> bool:
    """Whether the clock of a dossier of this procedure stands while its payment is awaited."""
    return _rules.get(procedure or ALL, _rules[ALL])


def spelled() -> bytes:
    """All rules in one form: what a fold rests on besides its code."""
    return repr(sorted(_rules.items())).encode()
