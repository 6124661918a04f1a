"""Why an event was refused, as its page says it in Vietnamese: whatever senders can do wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.contracts import samples
from schemas.envelope import Invalid
from schemas.registry import parse
from services.board.pages.quality.quarantine_page import REASONS_VI
from services.board.ui.phrases import translated

NOW = datetime.now(UTC) + timedelta(days=3650)
VALUES: tuple[Any, ...] = (
    None, "", "x" * 500, -1, 10**30, 1.5, True, [], {}, [1], "abc", "0912345678", "a@b.vn", "+1", "2026-13-45",
    "20261120", 12345678, "UPPER lower",
)  # fmt: skip
ENGLISH = re.compile(
    r"\b(?:the|is|are|of|and|or|in|to|it|its|not|no|an?|should|have|at|least|most|than|with|valid|input|field|value|"
    r"required|required|lies|send|given|missing|unknown|known|holds|byte is|permitted|more|twice|published)\b",
    re.IGNORECASE,
)
QUOTED = re.compile(r"'[^']*'|`[^`]*`|\"[^\"]*\"|[\w.]*[_.][\w.]*|ioc \w+")


def spoilt() -> Iterator[bytes]:
    """A sample of each type with each attribute and field left out or with values of every kind; and no events."""
    yield from (b"\xff", b"{", b"[]", b"1", b"x" * 300_000, b'{"a":"\\u0000"}', b'{"id":"a","id":"b"}')
    for named in samples().values():
        event = json.loads(next(iter(named.values())))
        yield from (json.dumps(event | {"time": f"{year}-01-01T00:00:00Z"}).encode() for year in (1990, 2999))
        yield json.dumps(event | {"unit": "khong_co"}).encode()
        for scope in (event, event["data"]):
            for name, value in list(scope.items()):
                yield from (json.dumps(spoilt_in(event, scope, name, wrong)).encode() for wrong in VALUES)
                del scope[name]
                yield json.dumps(event).encode()
                scope[name] = value


def spoilt_in(event: Any, scope: dict[str, Any], name: str, wrong: Any) -> Any:
    return {**event, name: wrong} if scope is event else {**event, "data": {**scope, name: wrong}}


def reasons() -> set[str]:
    found = set()
    for raw in spoilt():
        try:
            parse(raw, NOW, "ioc.events.x")
        except Invalid as invalid:
            found.add(invalid.reason)
    return found


def test_every_reason_is_said_in_vietnamese() -> None:
    every = reasons()
    assert len(every) > 300
    said = {reason: translated(reason, REASONS_VI) for reason in every}
    assert [pair for pair in said.items() if ENGLISH.search(QUOTED.sub("", pair[1]))] == []


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("data.promised_at: Field required; data.x: Extra inputs are not permitted",
         "data.promised_at: chưa có; data.x: không có trong danh mục trường được gửi"),
        ("data.tone: Input should be 'positive', 'neutral' or 'negative'",
         "data.tone: phải là một trong các giá trị 'positive', 'neutral' hoặc 'negative'"),
        ("data.note: holds a phone number; remove it and send again", "data.note: có số điện thoại; bỏ đi rồi gửi lại"),
    ],
)  # fmt: skip
def test_a_reason_keeps_fields_and_values_as_they_are_sent(reason: str, said: str) -> None:
    assert translated(reason, REASONS_VI) == said
