"""The morning brief: how the index stands, read in two minutes, in words that an office may replace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Literal, get_args

from psycopg import Connection
from pydantic import Field

from schemas import units
from schemas.index766.scoring import ComponentScore, half_up
from schemas.indicators import CATALOGUE
from schemas.text import dates, numbers
from services.readings import read
from services.readings.memo import snapshot
from services.reports.brief_data import MOST, BriefData, Watched, brief_data, yesterday_of
from services.reports.texts import Strict, WrongTexts, check_figures, parsed, places

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
LONGEST = 1200
"""Characters of a brief with its title: what is read in two minutes."""
ORIGINS = {
    "simulated": ("số liệu mô phỏng", "simulated data"),
    "shifted": ("số liệu đã chuyển ngày", "data moved to other days"),
}
PLACES = {
    "title": "day unit", "unreal": "origins", "incomplete": "reasons", "no_events": "days", "silent": "number since",
    "points": "yesterday points scored change rank", "up": "by", "down": "by", "same": "", "first_day": "",
    "other_rules": "", "unknown": "", "rank": "rank peers", "missing": "number of", "groups": "groups",
    "weakest": "components", "component": "name numerator denominator share few lost", "few": "", "days": "days",
    "falling": "units", "departments": "units", "communes": "units", "more": "number",
}  # fmt: skip
"""Line -> what may stand in braces there."""


class Words(Strict):
    """The lines of a brief in one language."""

    title: str
    unreal: str
    incomplete: str
    no_events: str
    silent: str
    points: str
    up: str
    down: str
    same: str
    first_day: str
    other_rules: str
    unknown: str
    rank: str
    missing: str
    groups: str
    weakest: str
    component: str
    few: str
    days: str
    falling: str
    departments: str
    communes: str
    more: str
    figures: tuple[str, ...] = ()


class BriefTexts(Strict):
    """A file of texts; `small`: a share of fewer dossiers is marked."""

    rules: Literal["portal", "decree"] = "portal"
    small: int = Field(30, ge=0)
    vi: Words
    en: Words


@dataclass(frozen=True)
class Brief:
    """A brief as it is read: at most `LONGEST` characters."""

    title: str
    lines: tuple[str, ...]
    complete: bool

    @property
    def body(self) -> str:
        """What stands below the title."""
        return "\n".join(self.lines)

    @property
    def text(self) -> str:
        """All of it."""
        return f"{self.title}\n{self.body}"


def read_texts(file: Path | None) -> BriefTexts:
    """The texts of a file, by default the house's own; `WrongTexts` names what no brief knows."""
    name, texts = parsed(file, "brief.toml", BriefTexts)
    for language in LANGUAGES:
        words: Words = getattr(texts, language)
        for line, allowed in PLACES.items():
            where = f"{language}.{line}"
            try:
                found = {":".join(filter(None, place)) for place in places(getattr(words, line))}
            except ValueError as wrong:
                raise WrongTexts(f"{name}, {where}: {wrong}") from None
            if unknown := found - set(allowed.split()):
                raise WrongTexts(f"{name}, {where}: no place {{{min(unknown)}}}; there are: {allowed or 'none'}")
        for sentence in words.figures:
            check_figures(name, f"{language}.figures", sentence, ("yesterday",), views=False)
    return texts


def brief(conn: Connection, texts: BriefTexts, unit: str | None, as_of: datetime, language: Language) -> Brief:
    """The brief of a unit (None: the whole locality) on the morning of a moment, about the day before. All of it is
    read from one snapshot."""
    with snapshot(conn):
        return written(conn, texts, brief_data(conn, texts.rules, unit, as_of), language)


def written(conn: Connection, texts: BriefTexts, data: BriefData, language: Language) -> Brief:
    """A brief in words, shortened where it would be too long: fewer units are named, then the rest is cut."""
    made = _Writer(conn, texts, data, language)
    lines: tuple[str, ...] = ()
    for named in range(max(MOST.values()), -1, -1):
        lines = tuple(filter(None, made.lines(named)))
        if len(made.title) + 1 + len("\n".join(lines)) <= LONGEST:
            return Brief(made.title, lines, data.complete)
    text = "\n".join(lines)[: LONGEST - len(made.title) - 2] + "…"
    return Brief(made.title, tuple(text.split("\n")), data.complete)


class _Writer:
    def __init__(self, conn: Connection, texts: BriefTexts, data: BriefData, language: Language) -> None:
        self._conn, self._data, self._language = conn, data, language
        self._words: Words = getattr(texts, language)
        self._small = texts.small

    @property
    def title(self) -> str:
        day = self._data.yesterday + timedelta(days=1)
        return self._words.title.format(day=dates.day(day), unit=self._unit(self._data.unit, self._data.yesterday))

    def lines(self, named: int) -> Iterator[str]:
        """All lines, with at most so many units of each kind by name."""
        data, words = self._data, self._words
        unreal = [ORIGINS[o][self._language == "en"] for o in sorted(data.own.origins) if o in ORIGINS]
        yield words.unreal.format(origins=", ".join(unreal)) if unreal else ""
        yield self._incomplete()
        yield self._points()
        score = data.own.score
        if score.missing:
            yield words.missing.format(number=len(score.missing), of=len(score.components))
        name = "en" if self._language == "en" else "vi"
        groups = (f"{getattr(g.group, name)} {self._number(g.points)}/{g.scored}" for g in score.groups if g.scored)
        yield self._of("groups", groups=", ".join(groups))
        yield self._of("weakest", components="; ".join(map(self._component, data.weakest)))
        week = (f"{dates.day_of_year(d.day)} {'–' if d.points is None else self._number(d.points)}" for d in data.week)
        yield self._of("days", days="; ".join(week))
        yield self._of("falling", units=self._list([self._unit(u, data.yesterday) for u in data.falling], named))
        for kind, line in (("department", "departments"), ("commune", "communes")):
            yield self._of(line, units=self._list([self._watched(one) for one in data.watched[kind]], named))
        yield from map(self._sentence, words.figures)

    def _of(self, line: str, **said: str) -> str:
        """A line with what it lists; nothing where that is nothing."""
        text: str = getattr(self._words, line)
        return text.format(**said) if all(said.values()) else ""

    def _incomplete(self) -> str:
        data, words, reasons = self._data, self._words, []
        if data.empty:
            reasons.append(words.no_events.format(days=", ".join(map(dates.day_of_year, data.empty))))
        if data.silent_since:
            since = dates.day_and_time(data.silent_since)
            reasons.append(words.silent.format(number=data.silent, since=since))
        return words.incomplete.format(reasons="; ".join(reasons)) if reasons else ""

    def _points(self) -> str:
        data, words = self._data, self._words
        score = data.own.score
        if not score.scored:
            return ""
        change: str = getattr(words, data.obstacle) if data.obstacle else self._moved(data.change or Decimal(0))
        rank = words.rank.format(rank=data.rank, peers=data.peers) if data.rank else ""
        return words.points.format(
            yesterday=dates.day(data.yesterday), points=self._number(score.points), scored=score.scored, change=change,
            rank=rank,
        )  # fmt: skip

    def _moved(self, by: Decimal) -> str:
        words = self._words
        return (words.up if by > 0 else words.down if by else words.same).format(by=self._number(abs(by)))

    def _component(self, one: ComponentScore) -> str:
        count, component = one.count, one.component
        assert count is not None and count.share is not None and one.points is not None
        return self._words.component.format(
            name=component.en if self._language == "en" else component.vi,
            numerator=self._count(count.numerator), denominator=self._count(count.denominator),
            share=self._number(half_up(count.share * 100)), few=self._few(count.denominator),
            lost=self._number(component.maximum - one.points),
        )  # fmt: skip

    def _few(self, base: Decimal | None) -> str:
        return self._words.few if base is not None and base < self._small else ""

    def _watched(self, one: Watched) -> str:
        change = f" ({one.change:+})" if one.change else ""
        change = change.replace(".", ",") if self._language == "vi" else change
        return f"{self._unit(one.unit, self._data.yesterday)} {self._number(one.points)}{change}{self._few(one.base)}"

    def _list(self, names: Sequence[str], named: int) -> str:
        more = len(names) - named
        rest = [self._words.more.format(number=more)] if more > 0 else []
        return "; ".join([*names[:named], *rest])

    def _sentence(self, sentence: str) -> str:
        """A sentence of yesterday's figures; nothing where one of them is missing."""
        words, period = {"yesterday": dates.day(self._data.yesterday)}, yesterday_of(self._data)
        for place in places(sentence):
            if place.code in words:
                continue
            (reading,) = read(self._conn, CATALOGUE[place.code], self._data.unit, period)
            if reading.printed is None:
                return ""
            words[place.code] = numbers.grouped(reading.printed, reading.indicator.decimals, self._language)
        return sentence.format(**words)

    def _unit(self, code: str | None, day: date) -> str:
        if code is None:
            return "Whole locality" if self._language == "en" else "Toàn địa bàn"
        unit = units.on(code, day)
        return unit.name_en if self._language == "en" else unit.name_vi

    def _number(self, value: Decimal) -> str:
        return numbers.grouped(value, 2, self._language)

    def _count(self, value: Decimal) -> str:
        return numbers.grouped(value, max(0, -int(value.as_tuple().exponent)), self._language)
