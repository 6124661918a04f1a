"""Who is told of what: the table that an operator writes (see `routes.example.toml`), read and checked.

Whatever is wrong is said at once, with the file, the field and what to do; secrets stay in files of their own.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from schemas import units
from schemas.calendar import VN
from schemas.text import durations, files
from services.notifier.alarm import NAMES, Alarm, Severity

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class BadRoutes(Exception):
    """The table cannot be used; the message names the file, every field that is wrong, and why."""


def _clock(text: Any) -> time:
    found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", text) if isinstance(text, str) else None
    if not found:
        raise ValueError(f"{text!r} is no time of day; write 07:30")
    return time(int(found[1]), int(found[2]))


def _handover(text: Any) -> tuple[int, time]:
    day, _, clock = text.partition(" ") if isinstance(text, str) else ("", "", "")
    if day not in _DAYS:
        raise ValueError(f"{text!r} is no moment of the week; write 'Mon 07:00' ({', '.join(_DAYS)})")
    return _DAYS.index(day), _clock(clock)


def _unit(code: str) -> str:
    try:
        return units.find(code).code
    except units.UnknownUnit as unknown:
        raise ValueError(str(unknown)) from None


def _system(slug: str) -> str:
    if slug not in NAMES:
        raise ValueError(f"{slug!r} is no system; there are {', '.join(NAMES)}")
    return slug


A_WEEK = timedelta(days=7)
When = Literal["working", "off", "always"]
Duration = Annotated[timedelta, BeforeValidator(durations.read)]
Clock = Annotated[time, BeforeValidator(_clock)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Channel(_Row):
    """One way to reach a person: an address of apprise or `zalooa://`, here or in a file of the channels' folder.

    `inside`: nobody from outside can read it, so numbers of cases need no mask there.
    """

    url: str | None = None
    url_file: Annotated[str, Field(pattern=r"^[\w.\-]+$")] | None = None
    inside: bool = False

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.url is None) == (self.url_file is None):
            raise ValueError("give either url, or url_file (a file in the channels' folder with the address in it)")
        return self

    def address(self, folder: Path | None) -> str:
        """The address; `OSError` or `files.Unreadable` where its file cannot be read."""
        if self.url is not None:
            return self.url
        if folder is None:
            raise FileNotFoundError(f"no folder to read {self.url_file} from; set IOC_CHANNELS or IOC_SECRETS")
        return files.read(folder / str(self.url_file)).strip()


class Person(_Row):
    """Someone who is told, by the first of the channels that works."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]


class Turn(NamedTuple):
    """Who is on call until when, and who after that; the names stand in the table."""

    person: str
    until: datetime
    then: str


class Rota(_Row):
    """People who are on call in turn, a week each from `handover` on; `start` is a day in the first one's week."""

    people: Annotated[tuple[str, ...], Field(min_length=1)]
    handover: Annotated[tuple[int, time], BeforeValidator(_handover)] = (0, time(7))
    start: date = date(2024, 1, 1)

    def turn(self, now: datetime) -> Turn:
        """Whose turn it is at a moment."""
        day, clock = self.handover
        first = datetime.combine(self.start, clock, VN)
        first -= timedelta(days=(first.weekday() - day) % 7)
        passed, number = (now - first) // A_WEEK, len(self.people)
        return Turn(self.people[passed % number], first + (passed + 1) * A_WEEK, self.people[(passed + 1) % number])


class StepOf(_Row):
    """After so long without an acknowledgement, these people or rotas are told; `when`: else the route's."""

    after: Duration = timedelta()
    to: Annotated[tuple[str, ...], Field(min_length=1)]
    when: When | None = None


class Route(_Row):
    """Which alarms go to whom, when. What is not said does not restrict."""

    name: Name
    systems: tuple[Annotated[str, AfterValidator(_system)], ...] = ()
    units: tuple[Annotated[str, AfterValidator(_unit)], ...] = ()
    severities: tuple[Severity, ...] = ()
    types: tuple[str, ...] = ()
    when: When = "always"
    digest: Duration | tuple[Clock, ...] | None = None
    steps: Annotated[tuple[StepOf, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _rising(self) -> Self:
        times = [step.after for step in self.steps]
        if any(later <= earlier for earlier, later in pairwise(times)):
            raise ValueError("each step's `after` must be longer than the one's before")
        if self.digest is not None and (not self.digest or self.digest == timedelta()):
            raise ValueError("digest: give a length of time above 0, or times of day")
        return self

    def hours(self, step: StepOf) -> When:
        """The hours in which a step is told, and counts."""
        return step.when or self.when

    def takes(self, alarm: Alarm) -> bool:
        """Whether this route is for the alarm. What is about the whole locality belongs to no unit."""
        return (
            (not self.systems or alarm.system in self.systems)
            and (not self.severities or alarm.severity in self.severities)
            and (not self.types or alarm.type in self.types)
            and (not self.units or any(alarm.unit in units.scope(code) for code in self.units))
        )


class BriefOf(_Row):
    """A brief each morning at a local time of day: of a unit (none: the whole locality), to people and rotas."""

    name: Name
    at: Clock = time(6, 30)
    unit: Annotated[str, AfterValidator(_unit)] | None = None
    to: Annotated[tuple[str, ...], Field(min_length=1)]
    language: Literal["vi", "en"] = "vi"


class Sending(_Row):
    """How messages are sent: pauses between tries on one channel, and how many a person gets in a minute at most."""

    pauses: tuple[Duration, ...] = (timedelta(seconds=5), timedelta(seconds=30))
    per_minute: Annotated[int, Field(ge=1, le=6000)] = 20


class Routes(_Row):
    """The whole table."""

    people: dict[Name, Person] = {}
    rotas: dict[Name, Rota] = {}
    routes: tuple[Route, ...] = ()
    briefs: tuple[BriefOf, ...] = ()
    sending: Sending = Sending()

    @model_validator(mode="after")
    def _names_are_distinct(self) -> Self:
        if both := self.people.keys() & self.rotas.keys():
            raise ValueError(f"people and rotas share the name {', '.join(sorted(both))}")
        for name, rota in self.rotas.items():
            self._require(f"rotas.{name}.people", rota.people, self.people)
        for route in self.routes:
            for step in route.steps:
                self._require(f"the route {route.name}", step.to, {*self.people, *self.rotas})
        for brief in self.briefs:
            self._require(f"the brief {brief.name}", brief.to, {*self.people, *self.rotas})
        for what, rows in (("routes", self.routes), ("briefs", self.briefs)):
            if twice := [name for name, often in Counter(row.name for row in rows).items() if often > 1]:
                raise ValueError(f"{what} need names of their own; {', '.join(sorted(twice))} is given twice")
        return self

    def _require(self, where: str, names: Iterable[str], known: Iterable[str]) -> None:
        if missing := [name for name in names if name not in known]:
            raise ValueError(
                f"{where} names {', '.join(missing)}, which is not there; known: {', '.join(known) or 'nobody'}"
            )

    def persons(self, targets: Iterable[str], now: datetime) -> list[str]:
        """The people that are meant by names of people and rotas, at a moment, each once."""
        found = (self.rotas[name].turn(now).person if name in self.rotas else name for name in targets)
        return list(dict.fromkeys(found))


def load(file: Path | None) -> Routes:
    """The table of a file; None: an empty one. Raises `BadRoutes`."""
    if file is None:
        return Routes()
    try:
        return Routes.model_validate(tomllib.loads(files.read(file)))
    except files.Unreadable as error:
        raise BadRoutes(str(error)) from None
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BadRoutes(f"{file}: {error}") from None
    except ValidationError as error:
        raise BadRoutes("\n".join(f"{file}: {line}" for line in _lines(error))) from None


def _lines(error: ValidationError) -> list[str]:
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return [
        f"{'.'.join(map(str, item['loc'])) or 'table'}: {item['msg'].removeprefix('Value error, ')}" for item in found
    ]
