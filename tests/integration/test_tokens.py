"""Each password of a centre against every path that takes one over HTTP: what is not its job is refused.

Which opens what is written here by hand.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from holders import Holder, holding
from support import serving

from infra.local.servers import CREDENTIALS, Instance
from services.ingest.app import EMITTERS

SERVICES = ("emitters", "notifier", "board")
OPENS: dict[tuple[str, str], set[str]] = {
    ("emitters", "/procedures/dossiers"): {"emitter_procedures"},
    ("emitters", "/procedures/dossiers/{code}/extension"): {"emitter_procedures"},
    ("emitters", "/procedures/dossiers/{code}/rating"): {"emitter_procedures"},
    ("emitters", "/procedures/dossiers/{code}/synchronisation"): {"emitter_procedures"},
    ("emitters", "/procedures/procedures"): {"emitter_procedures"},
    ("emitters", "/payments"): {"emitter_payments"},
    ("emitters", "/payments/{transaction}/refund"): {"emitter_payments"},
    ("emitters", "/field/reports"): {"emitter_field"},
    ("emitters", "/field/reports/{code}/steps"): {"emitter_field"},
    ("emitters", "/field/reports/{code}/rating"): {"emitter_field"},
    ("emitters", "/events"): {"a key of health"},
    ("emitters", "/onestop/dossiers"): {"a key of health"},  # which says nothing there that is not of its system
    ("emitters", "/open311/v2/requests.json"): set(),
    ("notifier", "/alertmanager"): {"alertmanager"},
    ("notifier", "/alarms/1/acknowledge"): {"alarms"},
    ("notifier", "/alarms/1/comment"): {"alarms"},
    ("notifier", "/people/nobody/test"): {"alarms"},
    ("board", "/api/units"): set(),
    ("board", "/mcp"): set(),
    ("board", "/alarms/do/comment"): set(),
}
REFUSED = (401, 403, 429)
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def running(centre: Instance) -> Iterator[Instance]:
    with serving(centre, *SERVICES):
        yield centre


@pytest.fixture(scope="module")
def key(running: Instance) -> Iterator[Holder]:
    with holding(running, "--system", "health") as holder:
        yield holder


def test_every_path_of_an_emitter_stands_in_the_table() -> None:
    posts = {(f"emitter_{name}", post.path) for name, emitter in EMITTERS.items() for post in emitter.posts}
    assert posts == {
        (name, path) for (_, path), names in OPENS.items() for name in names if name.startswith("emitter_")
    }


@pytest.mark.parametrize(("service", "path"), OPENS)
def test_a_password_opens_the_paths_of_its_job_and_no_other(
    running: Instance, key: Holder, service: str, path: str
) -> None:
    passwords = {name: running.password(name) for name in CREDENTIALS}
    passwords |= {"a key of health": key.secret, "nobody's": "x" * 43, "none": ""}
    assert len(passwords) > 30
    opened = set()
    with httpx.Client(base_url=f"http://127.0.0.1:{running.ports[service]}", trust_env=False, timeout=30) as http:
        for name, password in passwords.items():
            head = {"Authorization": f"Bearer {password}"} if password else {}
            form = {"data": {"service_code": "lighting"}} if "open311" in path else {"content": b"{"}
            answer = http.post(path, **form, headers=head if "data" in form else {**JSON, **head})
            if answer.status_code not in REFUSED:
                opened.add(name)
    assert opened == OPENS[service, path]
