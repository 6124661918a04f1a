"""What OpenAPI shows of the doors can be sent as it stands there, and is answered as is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from test_doors_fuzzed import Doors

from services.ingest.cloudevents import BATCH, EXAMPLE, LINES


@pytest.fixture(scope="module")
def doors() -> Iterator[Doors]:
    opened = Doors(EXAMPLE["source"].strip("/"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def posts(doors: Doors) -> dict[str, Any]:
    paths = doors.app.openapi()["paths"]
    return {path: known["post"] for path, known in paths.items() if "post" in known}


def test_every_post_has_an_example_that_is_taken_and_answered_as_shown(doors: Doors, posts: dict[str, Any]) -> None:
    assert {"/events", "/onestop/dossiers", "/payments", "/open311/v2/requests.{form}"} < set(posts)
    for path, post in posts.items():
        for kind, content in post["requestBody"]["content"].items():
            (status,) = (code for code in post["responses"] if code in ("200", "202"))
            answer = doors.post(address(path, post), written(kind, shown(content)), kind, **headers(post))
            assert answer.status_code == int(status), f"{path}, {kind}: {answer.text}"
            if kind not in (BATCH, LINES):
                expected = post["responses"][status]["content"]["application/json"]["example"]
                assert fields(expected) <= fields(answer.json()), path  # what is null OpenAPI leaves out


def test_who_is_to_wait_is_told_of_it_everywhere(posts: dict[str, Any]) -> None:
    for path, post in posts.items():
        told = {status for status, answer in post["responses"].items() if "Retry-After" in answer.get("headers", {})}
        assert told == {"429", "503"}, path


def address(path: str, post: dict[str, Any]) -> str:
    given = (one for one in post["parameters"] if one["in"] == "path") if "parameters" in post else ()
    return path.format(**{one["name"]: one.get("example") or one["schema"]["enum"][0] for one in given})


def headers(post: dict[str, Any]) -> dict[str, str]:
    given = (one for one in post.get("parameters", ()) if one["in"] == "header")
    return {one["name"]: one["example"] for one in given if "example" in one}


def shown(content: dict[str, Any]) -> Any:
    schema = content["schema"]
    return content["example"] if "example" in content else schema.get("oneOf", [schema])[0]["example"]


def written(kind: str, body: Any) -> bytes:
    if "urlencoded" in kind:
        return urlencode(body).encode()
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def fields(answer: Any) -> set[str]:
    """The names in an answer, or in the first of a list."""
    (first, *_) = answer if isinstance(answer, list) else [answer]
    return {name for name in first if name != "reasons"}
