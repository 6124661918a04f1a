"""The catalogue: every figure of the centre, defined once. Boards, metrics, alerts, reports and docs read it from here."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from schemas import economy as economy_events
from schemas.indicators import economy, education, field, gis, health, own, procedures, security, social
from schemas.indicators.checks import CHECKS
from schemas.indicators.formula import Score
from schemas.indicators.indicator import Indicator
from schemas.text.letters import bare

__all__ = ["CATALOGUE", "CHECKS", "SHEETS", "Indicator", "UnknownIndicator", "add", "find"]

CATALOGUE: dict[str, Indicator] = {
    indicator.code: indicator
    for module in (procedures, economy, education, health, gis, security, field, social)
    for indicator in module.INDICATORS
}

SHEETS: dict[str, tuple[str, ...]] = {
    "ii06": tuple(code for code in CATALOGUE if code.startswith("ii06_")),
    "index766": tuple(code for code, indicator in CATALOGUE.items() if isinstance(indicator.formula, Score)),
    **{module.SYSTEM: tuple(i.code for i in module.INDICATORS)
       for module in (procedures, economy, education, health, gis, security, field, social)},
}  # fmt: skip
"""Groups of indicators that are read together: the report II.06, index 766, and each system."""


def add(lines: Iterable[str], table: str = "added indicators") -> list[Indicator]:
    """Let more indicators be known in this process, from a table as `own.read` takes it. ValueError, with nothing
    added, names the row that is wrong. Meant for the start of a process."""
    more = own.read(lines, table, {*CATALOGUE, *SHEETS, *economy_events.RENAMED})
    for indicator in more:
        CATALOGUE[indicator.code] = indicator
        SHEETS[indicator.system] = (*SHEETS[indicator.system], indicator.code)
    return more


class UnknownIndicator(KeyError):
    """No indicator has this code or name; the message names the nearest ones."""

    def __str__(self) -> str:
        return str(self.args[0])


def _renamed(name: str) -> str:
    """The code of today: a statistic's whole, share and target go with it."""
    for old, new in economy_events.RENAMED.items():
        if name == old or name.startswith(f"{old}_"):
            return new + name.removeprefix(old)
    return name


def find(name: str) -> list[Indicator]:
    """The indicator of that code or of that name in either language, marks or none, or all of a sheet."""
    name = _renamed(name)
    if name in CATALOGUE:
        return [CATALOGUE[name]]
    if name in SHEETS:
        return [CATALOGUE[code] for code in SHEETS[name]]
    names = {bare(text): code for code, one in CATALOGUE.items() for text in (one.vi, one.en)}
    if code := names.get(words := " ".join(bare(name).split())):
        return [CATALOGUE[code]]
    near = difflib.get_close_matches(name, [*CATALOGUE, *SHEETS], n=3, cutoff=0.5)
    near = near or [names[text] for text in difflib.get_close_matches(words, names, n=3)]
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    raise UnknownIndicator(f"no indicator {name!r}{hint} (`ioc indicators` lists all)")
