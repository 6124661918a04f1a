"""Records come out of a stream as they were written, however it is chopped."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.event_files import Splitter

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
EVENTS = st.lists(st.dictionaries(st.text(max_size=6), VALUES, max_size=3), max_size=5)


def split(text: bytes, sizes: list[int], limit: int = 10_000) -> list[tuple[int, bytes]]:
    """The records of a text that comes in chunks of these sizes, over and over."""
    splitter, found, at = Splitter(limit), [], 0
    while at < len(text):
        size = sizes[len(found) % len(sizes)] if sizes else len(text)
        found += list(splitter.feed(text[at : at + size]))
        at += size
    return [tuple(record) for record in (*found, *splitter.close())]


CHUNKS = st.lists(st.integers(1, 9), max_size=5)


@given(EVENTS, CHUNKS, st.sampled_from(["\n", "\r\n", "\n\n \n", "\r", "\r\r", "\r\n\r\n"]))
def test_lines_come_out_as_they_were(events: list[Any], sizes: list[int], end: str) -> None:
    text = "".join(json.dumps(event, ensure_ascii=False) + end for event in events).encode()
    records = split(text, sizes)
    assert [json.loads(raw) for _, raw in records] == events
    step = end.count("\n") or end.count("\r")
    assert [line for line, _ in records] == [1 + step * number for number in range(len(events))]


@given(EVENTS, CHUNKS, st.sampled_from([None, 1]), st.sampled_from(["", "\n ", "\ufeff"[:0]]))
def test_elements_of_an_array_come_out_as_they_were(
    events: list[Any], sizes: list[int], indent: int | None, before: str
) -> None:
    text = (before + json.dumps(events, ensure_ascii=False, indent=indent) + "\n").encode()
    records = split(text, sizes)
    assert [json.loads(raw) for _, raw in records] == events
    lines = text.split(b"\n")
    assert all(raw[:1] in lines[line - 1] for line, raw in records)


@given(st.binary(max_size=60), CHUNKS)
def test_whatever_comes_the_chopping_does_not_matter(text: bytes, sizes: list[int]) -> None:
    assert split(text, sizes) == split(text, [])


@given(st.text(alphabet='[]{},"\\\n a', max_size=40).map(str.encode), CHUNKS, st.integers(1, 6))
def test_what_is_too_long_is_cut_off_wherever_the_chunks_end(text: bytes, sizes: list[int], limit: int) -> None:
    whole, cut = split(text, [], 1000), split(text, sizes, limit)
    assert [(line, raw[: limit + 1]) for line, raw in whole] == [(line, raw[: limit + 1]) for line, raw in cut]


@pytest.mark.parametrize(
    ("text", "records"),
    [
        (b"", []),
        (b"[]", []),
        (b"{}", [(1, b"{}")]),
        (b'\n\n {"a": 1}\r\n\n{"b":', [(3, b'{"a": 1}\r'), (5, b'{"b":')]),
        (b'[{"a": "]"},\n {"b": "\\"}"}]\n', [(1, b'{"a": "]"}'), (2, b'{"b": "\\"}"}')]),
        (b"[{},,{}]", [(1, b"{}"), (1, b","), (1, b"{}")]),
        (b"[{},]", [(1, b"{}"), (1, b",")]),
        (b"[{}\n", [(1, b"{}\n"), (1, b"[")]),
        (b"[{}]\n[{}]\n{}", [(1, b"{}"), (2, b"{}"), (3, b"{}")]),
        (b"{broken\n{}\n", [(1, b"{broken"), (2, b"{}")]),
    ],
)
def test_what_is_cut(text: bytes, records: list[tuple[int, bytes]]) -> None:
    assert split(text, []) == records


def test_a_line_or_element_that_is_too_long_is_cut_off_and_the_next_one_is_whole() -> None:
    for text in (b'{"a":"' + b"x" * 50 + b'"}\n{}\n', b'[{"a":"' + b"x\n" * 25 + b'"},\n{}]'):
        (_, long), (_, short) = split(text, [7], limit=20)
        assert (len(long), short) == (21, b"{}")
