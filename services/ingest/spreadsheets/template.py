"""A template says what a form looks like and which events its rows give; each is a file in `templates/`, data alone."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache, cached_property
from importlib import resources
from typing import Any, Literal, get_args

from services.ingest.spreadsheets.words import heading_of

Kind = Literal[
    "unit", "indicator", "measure", "count", "money", "share", "number", "date", "code", "choice", "yes_no", "period"
]
Span = Literal["form", "year", "to_date", "to_month"]
FIGURES: frozenset[Kind] = frozenset({"count", "money", "share", "number", "yes_no"})
NUMBERS: frozenset[Kind] = FIGURES - {"yes_no"}
NAMING: frozenset[Kind] = frozenset({"unit", "indicator", "choice", "code", "period"})
"""What a row is of: without one of them its figures say nothing."""
ROW_PERIOD = ("period_start", "period_end")
"""Columns that any form may have: the days that a row is about, instead of the form's."""
PERIOD = "period"
"""The same in one column, in words: *Tháng 10*, *Quý III/2024*, a day."""
_ROW_PERIOD_HEADERS = {
    PERIOD: ("Tháng", "Kỳ", "Kỳ báo cáo", "Kỳ số liệu", "Thời gian", "Quý", "Ngày"),
    "period_start": ("Từ ngày", "Ngày bắt đầu"),
    "period_end": ("Đến ngày", "Tính đến ngày", "Ngày kết thúc"),
}


@dataclass(frozen=True)
class Column:
    """A column by its canonical name. `headers`: how it is headed on paper, the first on an empty workbook; a header
    below others is written `Over it > Itself`, `{months}` and `{year}` stand for numbers.

    `span`: which days its figures are about: the form's, the whole year, the year up to the form's last day, or up to
    the month that its header names.
    """

    name: str
    kind: Kind
    headers: tuple[str, ...] = ()
    required: bool = False
    unless: str = ""
    """The column that may stand for it, where it is required."""
    span: Span = "form"
    choices: Mapping[str, str] = field(default_factory=dict)
    """Of a `choice`: what is written -> what it means."""
    implied: bool = False
    """Any form may have it, and this one does not name it."""

    @property
    def titled(self) -> str:
        """Its name with the header that it has on paper, as questions name it."""
        return f"{self.name} ({self.headers[0]})" if self.headers else self.name

    @property
    def meanings(self) -> tuple[str, ...]:
        """What may be chosen, once each."""
        return tuple(dict.fromkeys(self.choices.values()))

    @property
    def known_by(self) -> tuple[str, ...]:
        """All headers by which it is known, its own name among them."""
        return (*self.headers, self.name)


@cache
def patterns(headers: tuple[str, ...]) -> tuple[tuple[re.Pattern[str], ...], ...]:
    """For each header, what each of its steps looks like in plain words."""
    return tuple(tuple(_pattern(step) for step in header.split(" > ")) for header in headers)


def _pattern(step: str) -> re.Pattern[str]:
    words = heading_of(step.replace("{months}", "zzmonths").replace("{year}", "zzyear"))
    if words.endswith(("zzmonths", "zzmonths thang")):
        words += _OF_YEAR
    return re.compile(words.replace("zzmonths", r"(?P<months>0?[1-9]|1[0-2])").replace("zzyear", _YEAR))


_YEAR = r"(?P<year>20\d{2})"
_OF_YEAR = rf"(?: dau nam)?(?: (?:nam )?{_YEAR})?"
"""What may stand behind months, whether a header says so or not."""


@dataclass(frozen=True)
class Spec:
    """An event that a row gives. `data`: its field -> `$column`, or the value itself."""

    event: str
    data: Mapping[str, Any]

    def columns(self) -> tuple[str, ...]:
        """The columns it is made of."""
        return tuple(value[1:] for value in self.data.values() if isinstance(value, str) and value.startswith("$"))


@dataclass(frozen=True)
class Sum:
    """What has to add up within a row."""

    total: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Template:
    """A form. `title`: words of its title, by which forms with the same columns are told apart; `of`: what its figures
    are about, a stretch of days or one day; `called`: names of indicators as printed on this form -> their codes."""

    name: str
    vi: str
    en: str
    title: tuple[str, ...]
    columns: tuple[Column, ...]
    events: tuple[Spec, ...]
    of: Literal["period", "day"] = "period"
    sums: tuple[Sum, ...] = ()
    called: Mapping[str, str] = field(default_factory=dict)

    def column(self, name: str) -> Column:
        """The column of that name."""
        return self._named[name]

    @cached_property
    def _named(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    def figures(self, spec: Spec) -> tuple[str, ...]:
        """The fields of one of its events that are figures of a row; the others say of what."""
        return self._figures[self.events.index(spec)]

    @cached_property
    def _figures(self) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(name for name, value in spec.data.items() if self._is_figure(value)) for spec in self.events)

    def _is_figure(self, value: Any) -> bool:
        column = isinstance(value, str) and value.startswith("$")
        return column and self.column(value[1:]).kind in FIGURES

    def first(self, kind: Kind) -> Column | None:
        """The first column of a kind."""
        return next((column for column in self.columns if column.kind == kind), None)


def read(name: str, text: str) -> Template:
    """A template from its file's text. ValueError says what is wrong."""
    try:
        raw = tomllib.loads(text)
        columns = [_made(Column, column, headers=tuple, choices=dict) for column in raw.pop("columns")]
        named = {column.name for column in columns}
        columns += [
            Column(name, "period" if name == PERIOD else "date", headers, implied=True)
            for name, headers in _ROW_PERIOD_HEADERS.items() if name not in named
        ]  # fmt: skip
        events = tuple(_made(Spec, event, data=dict) for event in raw.pop("events"))
        sums = tuple(_made(Sum, each, parts=tuple) for each in raw.pop("sums", ()))
        made: Template = _made(
            Template, {**raw, "name": name, "columns": tuple(columns), "events": events, "sums": sums}, title=tuple
        )
        _check(made)
    except (KeyError, TypeError, ValueError) as wrong:
        raise ValueError(f"template {name}: {wrong}") from wrong
    return made


def _made(kind: Any, raw: Mapping[str, Any], **casts: Any) -> Any:
    if extra := raw.keys() - {each.name for each in fields(kind)}:
        raise ValueError(f"{', '.join(sorted(extra))}: no such word of a {kind.__name__.lower()}")
    return kind(**{key: casts[key](value) if key in casts else value for key, value in raw.items()})


def _check(template: Template) -> None:
    names = [column.name for column in template.columns]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"the columns {', '.join(sorted(twice))} are there twice")
    if odd := [column.kind for column in template.columns if column.kind not in get_args(Kind)]:
        raise ValueError(f"{odd[0]!r} is no kind of column")
    used = [name for spec in template.events for name in spec.columns()]
    used += [name for each in template.sums for name in (each.total, *each.parts)]
    if unknown := set(used) - set(names):
        raise ValueError(f"{', '.join(sorted(unknown))}: no such column")


@cache
def templates() -> dict[str, Template]:
    """name -> every template, by name."""
    found = sorted(resources.files(__package__).joinpath("templates").iterdir(), key=lambda file: file.name)
    texts = {file.name.removesuffix(".toml"): file for file in found if file.name.endswith(".toml")}
    return {name: read(name, file.read_text(encoding="utf-8")) for name, file in texts.items()}
