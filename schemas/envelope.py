"""The door: what every event looks like, and the one function that turns raw bytes into a typed event or a reason.

An event is a CloudEvents 1.0 object in structured JSON. Besides the standard attributes it names the administrative
`unit` it happened in and its `origin` (`real`, `simulated` or `shifted`, the last with the days it was shifted by).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache, cached_property
from hashlib import blake2b
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import to_json

from schemas import attributes, personal, units
from schemas.calendar import local_day
from schemas.json_members import repeated
from schemas.sources import trespass
from schemas.text.letters import visible
from schemas.types import Instant, NamesUnit, UnitCode
from schemas.unit_fields import named, unit_fields

TYPE_PREFIX = "vn.ioc."
SUBJECT_PREFIX = "ioc.events."
MAX_EVENT_BYTES = 256 * 1024
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LONGEST_REASON = 4000
FUTURE_TOLERANCE = timedelta(hours=2)
"""A clock may be an hour wrong; an event from further ahead is refused."""

COORDINATES = ("latitude", "longitude")

Origin = Literal["real", "simulated", "shifted"]
Ascii = StringConstraints(min_length=1, max_length=200, pattern=r"^[!-~]+$")


class EntityRef(NamedTuple):
    """One thing that an event tells about: its kind (`dossier`, `payment`, …) and its id within the kind."""

    kind: str
    id: str


class Invalid(Exception):
    """An event that can never be accepted as it is.

    `code` is a closed set (see `REASONS`); `reason` says what is wrong, and where.
    """

    def __init__(self, code: str, reason: str) -> None:
        # A reason names fields and types as they came, and these may be a number themselves, or steer a terminal.
        reason = visible(personal.mask(reason[:LONGEST_REASON]))
        super().__init__(f"{code}: {reason}")
        assert code in REASONS, code
        self.code, self.reason = code, reason


REASONS = {
    "too_large": "the event is larger than 256 KiB",
    "not_utf8": "the bytes are not UTF-8",
    "not_json": "the bytes are not one JSON object",
    "unknown_type": "no such event type, or no such version of it",
    "missing_field": "a required attribute or field is not there",
    "extra_field": "an attribute or field that is not on the allow-list",
    "bad_value": "a value of the wrong type, form or range",
    "wrong_unit": "the unit is unknown or not valid on that day",
    "impossible_time": "dates that contradict each other, or lie before 2000 or too far ahead",
    "personal_data": "a citizen number, phone or e-mail in a field not meant for it",
    "wrong_subject": "published under a subject that is not the event's own",
    "not_yours": "the source belongs to a key, and the event lies beyond what that key may say",
    "conflict": "same source and id as a stored event, but other content",
    "unstorable": "accepted, but the database cannot hold it: a fault of ours to look into",
}


class EventData(BaseModel):
    """The `data` of one event type; subclasses list the allowed fields.

    Class keywords: `event` (`entity.event`), `system` (slug), `entities` (kind -> fields that make the id; the word
    `unit` stands for the envelope's unit). An entity whose id field is absent is not touched.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)

    event: ClassVar[str]
    system: ClassVar[str]
    version: ClassVar[int] = 1
    entities: ClassVar[dict[str, tuple[str, ...]]]

    @classmethod
    def __init_subclass__(
        cls,
        event: str | None = None,
        system: str | None = None,
        entities: dict[str, tuple[str, ...]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        if event:
            cls.event = event
        if system:
            cls.system = system
        if entities:
            cls.entities = entities

    @classmethod
    def touched(cls, unit: str, fields: Mapping[str, Any]) -> list[EntityRef]:
        """The entities that an event of this type in `unit`, with these JSON fields, tells about."""
        found = []
        for kind, names in cls.entities.items():
            parts = [unit if name == "unit" else fields.get(name) for name in names]
            if None not in parts:
                found.append(EntityRef(kind, "|".join(map(str, parts))))
        return found

    def about(self) -> date | None:
        """The local day that a report is about, of a period its last; None where an event is about its own moment."""
        return None

    def contradiction(self, time: datetime) -> str | None:
        """What is impossible between the fields and the event's time (aware), in words, or None."""
        return None


class Event(BaseModel):
    """One event as accepted: CloudEvents attributes, the unit, the origin and typed data."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)

    specversion: Literal["1.0"] = Field(description="version of CloudEvents")
    id: Annotated[str, Ascii] = Field(
        description="identity of the event within its source; sent again under the same id it changes nothing"
    )
    source: Annotated[str, Ascii] = Field(description="who emits it, as a URI reference: `/emitters/procedures`")
    type: str = Field(description="what happened, with the version of the contract")
    time: Instant = Field(description="when it happened, with offset; not when it was recorded")
    datacontenttype: Literal["application/json"] = Field("application/json", description="always JSON, in UTF-8")
    unit: UnitCode = Field(
        description="code of the administrative unit it happened in, valid on that day (`ioc units`)"
    )
    origin: Origin = Field("real", description="a real event, a simulated one, or a real one shifted in time")
    shiftdays: Annotated[int, Field(ge=-20000, le=20000, multiple_of=7)] = Field(
        0, description="days that a shifted event was moved by, in whole weeks"
    )
    data: EventData = Field(description="the fields of this type; no others are let in")

    @cached_property
    def fields(self) -> dict[str, Any]:
        """`data` as JSON values (dates and decimals as text), absent fields left out."""
        return self.data.model_dump(mode="json", exclude_none=True)

    @cached_property
    def data_json(self) -> str:
        """`data` as compact JSON, fields in the model's order: one spelling for equal content."""
        return compact(self.fields)

    @cached_property
    def key(self) -> UUID:
        """Identity: the same for the same source and id."""
        return event_key(self.source, self.id)

    @cached_property
    def digest(self) -> UUID:
        """Content: equal if and only if all attributes and data are equal."""
        head = (self.source, self.id, self.type, self.time.isoformat(), self.unit, self.origin, str(self.shiftdays))
        return _uuid("\n".join((*head, self.data_json)))

    @property
    def message_id(self) -> str:
        """The content's digest as text."""
        return self.digest.hex

    @property
    def subject(self) -> str:
        """NATS subject: unit, system, entity and event; never an id."""
        return f"{SUBJECT_PREFIX}{self.unit}.{self.data.system}.{self.data.event}"

    @property
    def touches(self) -> list[EntityRef]:
        """The entities whose state this event changes."""
        return self.data.touched(self.unit, self.fields)

    def to_json(self) -> bytes:
        """The event as it travels: CloudEvents structured JSON, UTF-8."""
        return self.model_dump_json(exclude_none=True).encode()


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_SPELLED_ALIKE = frozenset({str, int, bool})


def compact(fields: dict[str, Any]) -> str:
    """JSON without spaces, as Python's own library spells it: digests of stored events rest on that.

    The faster one spells texts, whole numbers and truth values alike, and is asked only where there is nothing else.
    """
    return to_json(fields).decode() if _SPELLED_ALIKE.issuperset(map(type, fields.values())) else _encode(fields)


def event_key(source: str, id: str) -> UUID:
    """The identity of an event of this source and id."""
    return _uuid(f"{source}\n{id}")


def _uuid(text: str) -> UUID:
    return UUID(bytes=blake2b(text.encode(), digest_size=16).digest())


def check_bytes(raw: bytes) -> None:
    """Refuse an event that is larger than any may be, or holds what the database cannot, by its bytes alone."""
    if len(raw) > MAX_EVENT_BYTES:
        raise Invalid("too_large", f"{len(raw):,} bytes; at most {MAX_EVENT_BYTES:,}")
    if b"\\u0000" in raw:
        raise Invalid("bad_value", "the character U+0000 cannot be stored")


def parse_with(validate: Callable[[bytes], Event], raw: bytes, now: datetime, subject: str | None = None) -> Event:
    """Raw bytes -> event, or `Invalid` with an exact reason. `subject` is where it was published, if it was."""
    check_bytes(raw)
    try:
        event = validate(raw)
    except ValidationError as error:
        return parse_with(validate, _plainer(raw, error), now, subject)
    if twice := repeated(raw, len(event.model_fields_set) + len(event.data.model_fields_set)):
        raise Invalid("bad_value", f"{twice}: is given twice in one object; send it once")
    _check_written_numbers(event.data, raw)
    check_written_moments(raw, type(event), type(event.data))
    check_event(event, now)
    if subject is not None and subject != event.subject:
        raise Invalid("wrong_subject", f"published on {subject}, but the event's own subject is {event.subject}")
    return event


def _plainer(raw: bytes, error: ValidationError) -> bytes:
    """The event without attributes that only make it longer, which most do not have; `Invalid` where it has none."""
    try:
        plainer = attributes.without(raw, refuse_personal)
    except attributes.Malformed as malformed:
        raise Invalid("bad_value", str(malformed)) from None
    if plainer is None:
        raise _explain(error, raw) from None
    if twice := repeated(raw, -1):
        raise Invalid("bad_value", f"{twice}: is given twice in one object; send it once")
    return plainer


def check_event(event: Event, now: datetime) -> None:
    """The rules that look at more than one field: times, unit, personal data."""
    if event.time > now + FUTURE_TOLERANCE:
        raise Invalid("impossible_time", f"time: {event.time.isoformat()} lies in the future (it is {now.isoformat()})")
    if event.time < EARLIEST:
        raise Invalid("impossible_time", f"time: {event.time.isoformat()} lies before {EARLIEST.isoformat()}")
    if event.shiftdays == 0 if event.origin == "shifted" else event.shiftdays and event.origin == "real":
        raise Invalid("bad_value", "shiftdays: needed where origin is 'shifted', and none where it is 'real'")
    if contradiction := event.data.contradiction(event.time):
        raise Invalid("impossible_time", contradiction)
    if reason := trespass(event.source, event.data.event):
        raise Invalid("bad_value", reason)
    _check_personal_data(event)
    _check_units(event)
    _check_place(event)


def _check_units(event: Event) -> None:
    """The unit of the envelope, and every other that the data names."""
    shift = timedelta(days=event.shiftdays)
    day, about = local_day(event.time - shift if shift else event.time), event.data.about()
    _check_unit("unit", event.unit, day, NamesUnit(), about and about - shift)
    for path, rule in unit_fields(type(event.data)):
        for where, code in named(event.fields, path):
            _check_unit(f"data{where}", code, day, rule)


def _check_unit(where: str, code: str, day: date, rule: NamesUnit, about: date | None = None) -> None:
    """`about`: what a unit did on its last day is told on the next, when there may be another in its place."""
    try:
        valid = units.valid_at(code, day) or (about is not None and about < day and units.valid_at(code, about))
    except units.UnknownUnit as unknown:
        raise Invalid("wrong_unit", f"{where}: {unknown}") from None
    if rule.existing and not valid:
        raise Invalid("wrong_unit", f"{where}: {code} is not valid on {day.isoformat()}")
    if rule.levels and (level := units.on(code, day).level) not in rule.levels:
        raise Invalid("wrong_unit", f"{where}: {code} is a {level}; name a {' or '.join(rule.levels[:2])}")


def _check_place(event: Event) -> None:
    """A place is both its coordinates."""
    if not _may_have_place(type(event.data)):
        return
    given = [name for name in COORDINATES if event.fields.get(name) is not None]
    if len(given) == 1:
        (absent,) = set(COORDINATES) - set(given)
        raise Invalid("missing_field", f"data.{absent}: is missing beside data.{given[0]}; send both or none")


@cache
def _may_have_place(data: type[EventData]) -> bool:
    return any(name in data.model_fields for name in COORDINATES)


def _check_written_numbers(data: EventData, raw: bytes) -> None:
    """Of the numbers that may come as texts: a phone or a citizen number would pass for one."""
    if names := _decimals(type(data)):
        for written in _LIKE_A_PHONE.finditer(raw):
            if (name := written[1].decode()) in names:
                raise Invalid("bad_value", f"data.{name}: a number is written without + and without zeros in front")


_LIKE_A_PHONE = re.compile(rb'"(\w+)"\s*:\s*"\s*(?:\+|-?0\d|\\)')


@cache
def _decimals(data: type[EventData]) -> frozenset[str]:
    return frozenset(name for name, field in data.model_fields.items() if "Decimal" in str(field.annotation))


def check_written_moments(raw: bytes, *models: type[BaseModel]) -> None:
    """Of the days and moments in these models: figures alone would pass for the seconds since 1970."""
    for model in models:
        for name in _moments(model):
            if (start := raw.find(name)) >= 0 and _FIGURES.match(raw, start + len(name)):
                where = name.decode().strip('"')
                raise Invalid("bad_value", f"{where}: is written as 2026-11-20, a moment as 2026-11-20T14:30:00+07:00")


_FIGURES = re.compile(rb'\s*:\s*"\s*(?:[+-]?\d+(?:\.\d*)?\s*"|\\)')
_MOMENT = re.compile(r"\bdatetime\.|AwareDatetime")


@cache
def _moments(model: type[BaseModel]) -> tuple[bytes, ...]:
    return tuple(f'"{n}"'.encode() for n, field in model.model_fields.items() if _MOMENT.search(str(field.annotation)))


_CODES = frozenset({"code", "dossier", "procedure"})
"""Fields that hold an official number, which an id may repeat."""
_NUMBERS = frozenset({"transaction"})
"""Fields meant for a bank's own number, which may look like anything."""
_CONTAINERS = (list, tuple, dict)


def _check_personal_data(event: Event) -> None:
    texts = [("id", event.id), ("source", event.source)]
    # Of the typed values only texts are looked at: a sum of 12 digits is no citizen number.
    for name in _free_texts(type(event.data)):
        value = getattr(event.data, name)
        if type(value) is str:
            if name in _CODES or name in _NUMBERS:
                texts[:2] = [(where, text.replace(value, "")) for where, text in texts[:2]]
            if name not in _NUMBERS:
                texts.append((f"data.{name}", value))
        elif isinstance(value, _CONTAINERS):
            texts += [(f"data.{name}", text) for text in _texts(value)]
    unsure = [text for _, text in texts if text not in _harmless]
    if unsure and personal.suspicious("\nx\n".join(unsure)):
        for where, text in texts:
            refuse_personal(where, text)
    elif len(unsure) > 2:
        _remember(text for where, text in texts[1:] if where.removeprefix("data.") not in _CODES)


_harmless: set[str] = set()
"""Texts that come again and again (sources, slugs, codes of units) and hold nothing personal."""
_MOST_REMEMBERED = 10_000


def _remember(texts: Iterable[str]) -> None:
    if len(_harmless) > _MOST_REMEMBERED:
        _harmless.clear()
    _harmless.update(text for text in texts if len(text) <= _SHORT)


_SHORT = 60


@cache
def _free_texts(data: type[EventData]) -> tuple[str, ...]:
    """The fields that may hold a text which is not one of a few words of ours."""
    return tuple(name for name, field in data.model_fields.items() if not _is_closed(field.annotation))


def _is_closed(annotation: Any) -> bool:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return all(map(_is_closed, parts))
    if origin is Annotated:
        return _is_closed(parts[0])
    return origin is Literal or annotation in _NO_TEXT


_NO_TEXT = frozenset({bool, int, float, Decimal, date, datetime, NoneType})


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.items() for part in item for text in _texts(part)]
    return [text for item in value for text in _texts(item)] if isinstance(value, (list, tuple)) else []


def refuse_personal(where: str, text: str, allowed: Collection[str] = ()) -> None:
    """Raise `Invalid` where a text holds what looks personal (see `schemas.personal`) and is not of an `allowed` kind;
    what it was is not repeated."""
    for found in personal.find(text, allowed):
        raise Invalid("personal_data", f"{where}: holds {found.what}; remove it and send again")


_CODE_OF_ERROR = {
    "json_invalid": "not_json",
    "model_type": "not_json",
    "model_attributes_type": "not_json",
    "union_tag_not_found": "missing_field",
    "union_tag_invalid": "unknown_type",
    "missing": "missing_field",
    "dict_type": "not_json",
    "extra_forbidden": "extra_field",
}


def _explain(error: ValidationError, raw: bytes) -> Invalid:
    """All that is wrong, most telling first; values are not repeated, they may be personal."""
    try:
        raw.decode()
    except UnicodeDecodeError as undecodable:
        return Invalid("not_utf8", f"byte {undecodable.start} is not UTF-8")
    found = error.errors(include_url=False, include_input=False, include_context=True)
    lines = [_line(item) for item in found[:5]]
    code = _CODE_OF_ERROR.get(found[0]["type"], "bad_value")
    return Invalid(code, "; ".join(lines) + (f"; and {len(found) - 5} more" if len(found) > 5 else ""))


def _line(item: Any) -> str:
    # The first step of the location is the union's tag (the type), which the reader knows.
    where = ".".join(str(step) for step in item["loc"] if not str(step).startswith(TYPE_PREFIX))
    if item["type"] == "union_tag_invalid":
        return f"type: {_nearest(item['ctx']['tag'], item['ctx']['expected_tags'])}"
    if item["type"] == "union_tag_not_found":
        return "type: the attribute is missing"
    return f"{where or 'event'}: {attributes.REFUSED.get(where, item['msg'])}"


def _nearest(tag: str, expected: str) -> str:
    known = [word.strip(" '") for word in expected.split(",")]
    stem, _, version = tag.rpartition(".")
    versions = [word.rpartition(".")[2] for word in known if word.rpartition(".")[0] == stem]
    if versions:
        return f"{stem} has no version {version}; known: {', '.join(versions)}"
    return f"unknown event type {tag[:80]!r}; `ioc events` lists the known ones"
