"""Attributes of CloudEvents that an event may carry and no figure needs: the optional ones of the standard and those of
its registered extensions. They are looked at and dropped: an event is the same with and without them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from schemas.json_members import Number, Pairs, as_written, written

Kind = Literal["text", "uri", "time", "integer", "boolean", "trace"]

DROPPED: dict[str, Kind] = {
    # of the standard
    "subject": "text", "dataschema": "uri",
    # who did it, and with whose rights
    "authtype": "text", "authid": "text", "authclaims": "text",
    # the business process that it is a step of
    "bamtxid": "text", "bampid": "text", "bamptxid": "text", "bamptxsid": "text", "bamptxsstatus": "text",
    "bamptxcompleted": "boolean",
    # what it belongs to and what caused it
    "correlationid": "text", "causationid": "text",
    "dataclassification": "text", "dataregulation": "text", "datacategory": "text",
    "deprecated": "boolean", "deprecationfrom": "time", "deprecationsunset": "time", "deprecationmigration": "uri",
    "traceparent": "trace", "tracestate": "text",
    "expirytime": "time", "recordedtime": "time",
    "opcuametadatamajorversion": "integer", "opcuametadataminorversion": "integer", "opcuastatus": "integer",
    "partitionkey": "text", "sampledrate": "integer", "sequence": "text", "sequencetype": "text",
    "severitytext": "text", "severitynumber": "integer",
}  # fmt: skip
"""Each with its type in the standard."""
REFUSED = {
    "data_base64": "data is JSON here: send it as `data`",
    "dataref": "data must be inside the event: send it as `data`",
}
"""Attributes that are known and cannot be taken, with what to do instead."""
OPTIONAL = frozenset({"datacontenttype", "origin", "shiftdays"})
"""Attributes that are kept, and need not be set."""
LONGEST = 2000

SCHEMAS: dict[Kind, dict[str, Any]] = {
    "text": {"type": "string", "minLength": 1, "maxLength": LONGEST},
    "uri": {"type": "string", "minLength": 1, "maxLength": LONGEST, "format": "uri-reference"},
    "time": {"type": "string", "format": "date-time"},
    "integer": {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    "boolean": {"type": "boolean"},
    "trace": {"type": "string", "pattern": "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"},
}
_TRACE = re.compile(SCHEMAS["trace"]["pattern"])
_URI = re.compile(r"[!-~]+")
JSON_MEDIA = re.compile(r"application/(?:[a-z0-9.+!#$&^_-]+\+)?json((?:\s*;[^;]+)*)", re.IGNORECASE)
"""Every way to call data JSON."""
_CHARSET = re.compile(r""";\s*charset\s*=\s*["']?([^"';\s]+)""", re.IGNORECASE)


class Malformed(ValueError):
    """An attribute has a value that its type does not allow; the message names it and no value."""


def without(raw: bytes, check: Callable[[str, str], None]) -> bytes | None:
    """An event without what may be dropped of it; None where there is nothing of the kind. `check` is shown the name
    and the value of every text. Raises `Malformed`, also where one comes twice, and whatever `check` raises."""
    try:
        members = as_written(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(members, Pairs):
        return None
    named = Counter(name for name, _ in members)
    if twice := next((name for name in DROPPED if named[name] > 1), None):
        raise Malformed(f"{twice}: is given twice in one object; send it once")
    kept = Pairs((name, value) for name, value in members if not _droppable(name, value, check))
    return written(kept).encode("utf-8", "surrogatepass") if len(kept) < len(members) else None


def _droppable(name: str, value: Any, check: Callable[[str, str], None]) -> bool:
    if value is None:
        return name in DROPPED or name in REFUSED or name in OPTIONAL
    if name == "datacontenttype":
        return _is_json(value)
    if name not in DROPPED:
        return False
    if not _FITS[DROPPED[name]](value):
        raise Malformed(f"{name}: is no {_NAMES[DROPPED[name]]}, as CloudEvents has it; send it so, or leave it out")
    if isinstance(value, str) and not isinstance(value, Number) and DROPPED[name] not in ("trace", "time"):
        check(name, value)
    return True


def _is_json(value: Any) -> bool:
    if not isinstance(value, str) or not (media := JSON_MEDIA.fullmatch(value.strip())):
        raise Malformed("datacontenttype: data is JSON here; send application/json, or leave it out")
    if (charset := _CHARSET.search(media[1])) and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise Malformed("datacontenttype: events are UTF-8; send charset=utf-8, or leave it out")
    return True


def _is_text(value: Any) -> bool:
    return (
        isinstance(value, str) and not isinstance(value, Number) and 0 < len(value) <= LONGEST and value.isprintable()
    )


def _is_time(value: Any) -> bool:
    try:
        return _is_text(value) and "T" in value.upper() and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _is_integer(value: Any) -> bool:
    return isinstance(value, Number) and bool(re.fullmatch(r"-?\d{1,10}", value)) and -(2**31) <= int(value) < 2**31


_FITS: dict[Kind, Callable[[Any], bool]] = {
    "text": _is_text,
    "uri": lambda value: _is_text(value) and _URI.fullmatch(value) is not None,
    "time": _is_time,
    "integer": _is_integer,
    "boolean": lambda value: isinstance(value, bool),
    "trace": lambda value: _is_text(value) and _TRACE.match(value) is not None,
}
_NAMES: dict[Kind, str] = {
    "text": f"text of 1 to {LONGEST} characters",
    "uri": "URI",
    "time": "time with its offset",
    "integer": "whole number of 32 bits",
    "boolean": "true or false",
    "trace": "trace context of W3C",
}
