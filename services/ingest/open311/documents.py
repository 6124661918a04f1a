"""The documents of GeoReport v2, each as JSON and as XML."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any, Literal
from xml.sax.saxutils import escape

from pydantic import BaseModel

from schemas.zone import VN

Form = Literal["json", "xml"]
KINDS: dict[str, str] = {"json": "application/json; charset=utf-8", "xml": "text/xml; charset=utf-8"}
"""Ending of an address -> the content type of the answer."""


class Service(BaseModel):
    """A category of reports."""

    service_code: str
    service_name: str
    description: str
    metadata: bool
    type: Literal["realtime", "batch", "blackbox"]
    keywords: str
    group: str


class Value(BaseModel):
    """What an attribute may be."""

    key: str
    name: str


class Attribute(BaseModel):
    """What may be said of a report besides: `attribute[code]=key`."""

    variable: bool
    code: str
    datatype: Literal["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]
    required: bool
    datatype_description: str
    order: int
    description: str
    values: list[Value]


class Definition(BaseModel):
    """The attributes of a service."""

    service_code: str
    attributes: list[Attribute]


class ServiceRequest(BaseModel):
    """A report as it stands; what this centre does not tell, such as any text of a citizen's, is null."""

    service_request_id: str
    status: Literal["open", "closed"]
    status_notes: str
    service_name: str
    service_code: str
    description: None = None
    agency_responsible: str
    service_notice: str | None
    requested_datetime: str
    updated_datetime: str
    expected_datetime: str | None
    address: None = None
    address_id: None = None
    zipcode: None = None
    lat: float | None
    long: float | None
    media_url: None = None


class Extended(ServiceRequest):
    """A report with what the standard has no words for: channel, priority, the unit's code, the origin, and of one that
    was joined to another the other's id (`duplicate_of`)."""

    extended_attributes: dict[str, str]


class Given(BaseModel):
    """The id that a report was given, and what its sender should know."""

    service_request_id: str
    service_notice: str | None
    account_id: None = None


class GivenAlike(Given):
    """As `Given`, where it may be the same matter as reports nearby: `possible_duplicates` are their ids, the nearest
    first. A program that knows nothing of it passes it by."""

    extended_attributes: dict[Literal["possible_duplicates"], list[str]]


class Token(BaseModel):
    """The report that a token stands for; here a report's id is its token."""

    service_request_id: str
    token: str


class Problem(BaseModel):
    """Why nothing was done: the status of the answer, and the reason."""

    code: int
    description: str


class Endpoint(BaseModel):
    """Where the standard is spoken, and in which formats."""

    specification: str
    url: str
    changeset: str
    type: Literal["production", "test"]
    formats: list[str]


class Discovery(BaseModel):
    """What a program needs to know beforehand."""

    changeset: str
    contact: str
    key_service: str
    endpoints: list[Endpoint]


Document = BaseModel | list[Any]
ITEMS = {
    "services": "service",
    "attributes": "attribute",
    "values": "value",
    "service_requests": "request",
    "errors": "error",
    "endpoints": "endpoint",
    "formats": "format",
    "possible_duplicates": "service_request_id",
}
"""Element of a list -> the element of each of its parts."""
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold, escaped or not."""


def render(document: Document, root: str, form: str) -> bytes:
    """A document in one of the two forms; `root` is the name of the XML's outermost element."""
    plain = [part.model_dump() for part in document] if isinstance(document, list) else document.model_dump()
    if form == "json":
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()
    return f'<?xml version="1.0" encoding="utf-8"?>\n{_element(root, plain)}\n'.encode()


def _element(name: str, value: Any) -> str:
    inner = _inner(name, value)
    return f"<{name}>{inner}</{name}>" if inner else f"<{name}/>"


def _inner(name: str, value: Any) -> str:
    if isinstance(value, dict):
        return "".join(_element(key, part) for key, part in value.items())
    if isinstance(value, list):
        return "".join(_element(ITEMS[name], part) for part in value)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else escape(_UNWRITABLE.sub("\ufffd", str(value)))


def written(moment: datetime | None) -> str | None:
    """A moment as the standard writes it, to the second, in local time."""
    return moment.astimezone(VN).isoformat(timespec="seconds") if moment else None
