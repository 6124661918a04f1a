"""Examples for OpenAPI: samples of the contracts, in the words of a source system."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from itertools import product
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from schemas import contracts
from schemas.envelope import Event, Invalid
from schemas.registry import parse
from services.kit import clock


class Example(NamedTuple):
    """What is posted, the parameters of its path, and the event that it makes."""

    body: dict[str, Any]
    parameters: dict[str, str]
    event: Event


def example(path: str, words: type[BaseModel], make: Callable[..., Event]) -> Example | None:
    """The first sample that can be told in these words; None where there is none."""
    for sample in _samples():
        said = json.loads(sample.to_json())
        parameters = {name: str(said["data"].get(name, "")) for name in parameter_names(path)}
        for body in _bodies(words.model_fields, said):
            try:
                event = make(words.model_validate_json(json.dumps(body)), **parameters)
            except (ValidationError, Invalid):
                continue
            if event.data == sample.data:
                return Example(body, parameters, event)
    return None


def parameter_names(path: str) -> list[str]:
    """The parameters in a path."""
    return re.findall(r"{(\w+)}", path)


def _bodies(fields: Mapping[str, FieldInfo], said: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """An event in words: what it does not say by the same name is its time, or one of a few words that may be said."""
    given = {name: value for name, value in {**said["data"], "unit": said["unit"]}.items() if name in fields}
    missing = [name for name, field in fields.items() if field.is_required() and name not in given]
    for chosen in product(*(_choices(fields[name], said["time"]) for name in missing)):
        yield given | dict(zip(missing, chosen, strict=True))


def _choices(field: FieldInfo, time: str) -> tuple[Any, ...]:
    return get_args(field.annotation) if get_origin(field.annotation) is Literal else (time,)


@cache
def _samples() -> tuple[Event, ...]:
    """All samples, of each type the plainest first."""
    now = clock.now()
    texts = (text for paths in contracts.samples().values() for _, text in sorted(paths.items(), key=_plainness))
    return tuple(parse(text.encode(), now) for text in texts)


def _plainness(named: tuple[str, str]) -> int:
    return len(named[0])
