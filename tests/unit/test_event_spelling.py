"""What an event is to the database is spelled once and for ever: the digests of stored events, and lines for COPY."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nats.aio.client import Client

from schemas.envelope import compact
from schemas.registry import parse
from services.kit import clock, patches

STORED = Path(__file__).parent.parent / "integration" / "data" / "version_0001"
UPSTREAM = patches.LIBRARY_HEADERS


def rows(table: str) -> Iterator[list[str]]:
    """The rows of a table in the backup of an earlier version."""
    with gzip.open(STORED / f"{table}.gz", "rt", encoding="utf-8", newline="") as file:
        yield from csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def test_an_event_stored_by_an_earlier_version_has_the_digest_that_it_had_then() -> None:
    digests = {key: digest for key, digest, _ in rows("event_key")}
    now, other = clock.now(), list[str]()
    for time, key, type_, unit, origin, shiftdays, source, id, _, data in rows("event"):
        fields = json.loads(data.replace("\\\\", "\\"))
        head = {"specversion": "1.0", "id": id, "source": source, "type": type_, "time": time.replace(" ", "T") + ":00"}
        more = {"unit": unit, "origin": origin} | ({"shiftdays": int(shiftdays)} if shiftdays != "0" else {})
        event = parse(json.dumps({**head, **more, "data": fields}).encode(), now)
        if (event.key, event.digest) != (UUID(key), UUID(digests[key])):
            other.append(f"{type_} {id}")
    assert len(digests) > 400
    assert other == []


ORDINARY = st.text() | st.integers() | st.booleans()


@given(st.dictionaries(st.text(), ORDINARY) | st.dictionaries(st.text(), ORDINARY | st.floats() | st.lists(st.text())))
@example({"a": 1e16, "b": 1e-7, "c": -0.0, "d": 1.0})
@example({"a": '"\\/\b\f\n\r\t\x00\x1f\x7f\u2028\u00e9\U0001f600', "b": 2**70, "c": True})
def test_content_is_spelled_as_by_the_json_of_python(fields: dict[str, Any]) -> None:
    assert compact(fields) == json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


@given(st.binary(max_size=60) | st.lists(st.binary(max_size=20)).map(b"\r\n".join))
@example(
    b"Nats-Batch-Id: 0f\r\nName:\tv\r\n two\r\nkey with space: x\r\n\x1c: y\r\na\x1c: y\r\n\xff: z\r\nok: \xff\r\n: w"
)
@pytest.mark.usefixtures("patched")
def test_headers_are_read_as_the_library_reads_them(raw: bytes) -> None:
    assert Client._parse_header_lines is not UPSTREAM
    assert patches.headers_of(raw) == UPSTREAM(raw)


@pytest.fixture(scope="module")
def patched() -> None:
    """Libraries as our processes have them."""
    patches.nats_py()
