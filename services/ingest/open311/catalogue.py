"""What may be reported: the categories of field reports are the services, the same for every unit."""

from __future__ import annotations

from typing import NamedTuple, get_args

from schemas.field import SYSTEM, Category
from schemas.indicators.label_texts import CATEGORIES, OTHERS, REPORT_CHANNELS, Language, Text, Words
from schemas.registry import SYSTEMS
from services.ingest.open311.documents import Attribute, Definition, Service, Value

CODES: tuple[str, ...] = get_args(Category)
_SYSTEM = Text(*SYSTEMS[SYSTEM][1:])


class _Asked(NamedTuple):
    code: str
    meaning: Text
    values: Words


ATTRIBUTES = (
    _Asked(
        "priority",
        Text("Mức độ: thường (mặc định) hoặc khẩn", "Priority: normal (by itself) or urgent"),
        OTHERS["priority"],
    ),
    _Asked(
        "channel",
        Text("Kênh tiếp nhận; mặc định là ứng dụng", "How the report came in; an app by itself"),
        REPORT_CHANNELS,
    ),
    _Asked(
        "client_id",
        Text(
            "Mã do ứng dụng đặt cho lần gửi này: gửi lại cùng nội dung trong ngày thì vẫn là một phản ánh",
            "The program's own mark of this sending: the same again on that day is one report",
        ),
        {},
    ),
)
"""What a report may say besides; none of it must be said."""


def services(language: Language) -> list[Service]:
    """All that may be reported."""
    return [_service(code, language) for code in CODES]


def name(code: str, language: Language) -> str:
    """What a service is called."""
    said = CATEGORIES[code].said(language)
    return said[0].upper() + said[1:]


def definition(code: str, language: Language) -> Definition:
    """The attributes of a service."""
    asked = [_attribute(order, attribute, language) for order, attribute in enumerate(ATTRIBUTES, start=1)]
    return Definition(service_code=code, attributes=asked)


def _service(code: str, language: Language) -> Service:
    group = _SYSTEM.said(language)
    return Service(
        service_code=code,
        service_name=name(code, language),
        description=f"{group}: {CATEGORIES[code].said(language)}",
        metadata=True,
        type="realtime",
        keywords=", ".join(CATEGORIES[code]),
        group=group,
    )


def _attribute(order: int, asked: _Asked, language: Language) -> Attribute:
    return Attribute(
        variable=True,
        code=asked.code,
        datatype="singlevaluelist" if asked.values else "string",
        required=False,
        datatype_description="",
        order=order,
        description=asked.meaning.said(language),
        values=[Value(key=key, name=text.said(language)) for key, text in asked.values.items()],
    )
