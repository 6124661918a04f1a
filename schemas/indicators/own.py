"""Indicators of an office's own: statistics that it reports, as rows of a table instead of a release."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Literal, cast

from schemas.indicators.formula import Statement
from schemas.indicators.indicator import Indicator
from schemas.registry import SYSTEMS
from schemas.text import files, numbers

COLUMNS = ("code", "vi", "en", "unit")
BETTER, OVER = ("higher", "lower", ""), ("sum", "mean", "")
MOST_DECIMALS = 6


def read(lines: Iterable[str], table: str, known: Iterable[str]) -> list[Indicator]:
    """The indicators of a table with the columns code, vi, en, unit, and perhaps system (else `economy`), better
    (`higher`, `lower`), target, decimals, over_units (`sum`, `mean`) and statistic (else the code).

    ValueError names the row and column that is wrong; `known` are the codes that are taken.
    """
    taken, found = set(known), list[Indicator]()
    for number, row in files.rows(lines, table, COLUMNS):
        try:
            found.append(_indicator(row, taken))
        except ValueError as wrong:
            raise ValueError(f"{table}, row {number} ({row['code']}): {wrong}") from None
        taken.add(row["code"])
    return found


def _indicator(row: Mapping[str, str], taken: set[str]) -> Indicator:
    code, statistic = row["code"], row.get("statistic") or row["code"]
    for column, text in (("code", code), ("statistic", statistic)):
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,59}", text):
            raise ValueError(f"{text!r} is no code: a-z, 0-9 and _, a letter first (column {column})")
    if code in taken:
        raise ValueError(f"the code {code!r} is taken by another indicator (column code)")
    if missing := [column for column in COLUMNS if not row[column]]:
        raise ValueError(f"nothing stands in the column {', '.join(missing)}")
    over = _one_of(row, "over_units", OVER) or None
    return Indicator(
        code,
        row["vi"],
        row["en"],
        Statement(statistic, over_units=cast(Literal["sum", "mean"] | None, over)),
        row["unit"],
        _decimals(row.get("decimals", "")),
        _target(row.get("target", "")),
        cast(Literal["higher", "lower"] | None, _one_of(row, "better", BETTER) or None),
        system=_one_of(row, "system", ("", *SYSTEMS)) or "economy",
    )


def _one_of(row: Mapping[str, str], column: str, values: Iterable[str]) -> str:
    if (text := row.get(column, "")) not in values:
        raise ValueError(f"{text!r} is none of {', '.join(filter(None, values))} (column {column})")
    return text


def _decimals(text: str) -> int:
    if not re.fullmatch(r"[0-6]?", text):
        raise ValueError(f"{text!r} is no number of decimals, 0 to {MOST_DECIMALS} (column decimals)")
    return int(text or 0)


def _target(text: str) -> Decimal | None:
    try:
        return numbers.read(text) if text else None
    except numbers.NoNumber as wrong:
        raise ValueError(f"{wrong} (column target)") from None
