"""All systems in one table: event types, measures and folds, gathered from the modules that define them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from types import ModuleType
from typing import Annotated, Any, Literal, Union

from pydantic import Field, TypeAdapter, create_model

from schemas import economy, education, field, gis, health, procedures, security, social
from schemas.envelope import TYPE_PREFIX, Event, EventData, parse_with
from schemas.fold import Fold, Measure
from schemas.offices import ByOffice

SYSTEMS: dict[str, tuple[ModuleType, str, str]] = {
    "procedures": (procedures, "Kết quả giải quyết thủ tục hành chính", "Administrative procedures"),
    "economy": (economy, "Kinh tế - xã hội", "Socio-economic"),
    "education": (education, "Giáo dục", "Education"),
    "health": (health, "Y tế", "Health"),
    "gis": (gis, "Thông tin địa lý", "Geographic information"),
    "security": (security, "An toàn thông tin", "Information security"),
    "field": (field, "Phản ánh hiện trường", "Field reports"),
    "social": (social, "Lắng nghe mạng xã hội", "Social listening"),
}
"""slug -> (module, name in Vietnamese, name in English), in the order of the boards."""


def type_name(data: type[EventData]) -> str:
    """The CloudEvents `type`: `vn.ioc.<entity>.<event>.v<version>`."""
    return f"{TYPE_PREFIX}{data.event}.v{data.version}"


@cache
def _event_model(data: type[EventData]) -> type[Event]:
    fields: dict[str, Any] = {"type": (Literal[type_name(data)], type_name(data)), "data": (data, ...)}
    name = "".join(part.capitalize() for part in data.event.replace(".", "_").split("_"))
    return create_model(f"{name}V{data.version}", __base__=Event, __doc__=data.__doc__, **fields)


DATA_TYPES: dict[str, type[EventData]] = {
    type_name(data): data for module, *_ in SYSTEMS.values() for data in module.EVENTS
}
MEASURES: dict[str, Measure] = {m.name: m for module, *_ in SYSTEMS.values() for m in module.MEASURES}
MEASURE_SYSTEM: dict[str, str] = {m.name: slug for slug, (module, *_) in SYSTEMS.items() for m in module.MEASURES}
FOLDS: dict[str, Fold] = {kind: fold for module, *_ in SYSTEMS.values() for kind, fold in module.FOLDS.items()}

BY_OFFICE = frozenset(kind for kind, fold in FOLDS.items() if isinstance(fold, ByOffice))
"""The kinds of entities that each office numbers for itself."""


def covering(measure: str) -> tuple[str, ...]:
    """The measures that show that a unit reports at all, see `Measure.covered_by`."""
    system = MEASURE_SYSTEM[measure]
    return MEASURES[measure].covered_by or tuple(m for m, s in MEASURE_SYSTEM.items() if s == system)


@cache
def event_models() -> dict[str, type[Event]]:
    """The model of each type's whole event, made when it is asked for: who reads figures needs none."""
    return {name: _event_model(data) for name, data in DATA_TYPES.items()}


@cache
def _validate() -> Callable[[bytes], Event]:
    """What reads any event, made when the first one comes."""
    either = Union[tuple(event_models().values())]  # type: ignore[valid-type]  # noqa: UP007
    adapter: TypeAdapter[Event] = TypeAdapter(Annotated[either, Field(discriminator="type")])  # type: ignore[arg-type]
    return adapter.validate_json


def parse(raw: bytes, now: datetime, subject: str | None = None) -> Event:
    """Raw bytes -> typed event. `now` is aware; `subject` the NATS subject it came by. Raises `envelope.Invalid`."""
    return parse_with(_validate(), raw, now, subject)


def make(data: EventData, *, source: str, id: str, time: datetime, unit: str, **attributes: Any) -> Event:
    """Build an event from its data. Raises pydantic's ValidationError where an attribute is malformed."""
    model = _event_model(type(data))
    return model(specversion="1.0", source=source, id=id, time=time, unit=unit, data=data, **attributes)
