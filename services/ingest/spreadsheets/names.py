"""Which unit and which indicator a cell names; what is none, or several, is a `Doubt` with the nearest."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from schemas import units
from schemas.indicators import CATALOGUE, Indicator
from schemas.indicators.formula import Statement
from services.ingest.spreadsheets import titles
from services.ingest.spreadsheets.doubt import Doubt
from services.ingest.spreadsheets.template import Template
from services.ingest.spreadsheets.words import plain, unmarked

_CODE = re.compile(r"(\w+) \(")
"""As the messages of `units` name a unit."""


@dataclass
class Names:
    """The names of a form's units on a day and of its indicators, each looked up once."""

    template: Template
    day: date | None
    _known: dict[str, str | Doubt] = field(default_factory=dict)

    def unit(self, text: str) -> str:
        """The code of a unit. Raises `Doubt`."""
        if text not in self._known:
            self._known[text] = _unit(text, self.day)
        found = self._known[text]
        if isinstance(found, Doubt):
            raise found
        return found

    def indicator(self, text: str) -> str:
        """The code of a statistic: as the form prints it, else as the catalogue has it. Raises `Doubt`."""
        for name in (text, unmarked(text)):
            if found := self._indicators.get(plain(name)):
                return found
        near = difflib.get_close_matches(plain(text), self._indicators, n=3, cutoff=0.5)
        raise Doubt("no such indicator", *dict.fromkeys(self._indicators[name] for name in near))

    @cached_property
    def _indicators(self) -> Mapping[str, str]:
        stated = {plain(name): code for name, code in _stated_names()}
        return stated | {plain(name): code for name, code in self.template.called.items()}


def _unit(text: str, day: date | None) -> str | Doubt:
    try:
        return titles.unit(text, day).code
    except units.AmbiguousUnit as several:
        return Doubt("several units are called so", *_CODE.findall(str(several).partition(": ")[2]))
    except units.UnknownUnit as unknown:
        return Doubt("no such unit", *_CODE.findall(str(unknown).partition("nearest: ")[2]))


def stated() -> Iterator[tuple[Indicator, str]]:
    """Every indicator that is stated, and the code of its statistic."""
    for found in CATALOGUE.values():
        if isinstance(found.formula, Statement) and found.formula.part == "value":
            yield found, found.formula.indicator


def _stated_names() -> Iterator[tuple[str, str]]:
    for found, code in stated():
        for name in (found.code, found.vi, found.en):
            yield name, code


def measure_of(code: str) -> str | None:
    """What a statistic is counted in."""
    return next((found.unit for found, own in stated() if own == code), None)
