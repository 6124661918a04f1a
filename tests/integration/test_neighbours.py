"""Another program on a port of the centre's is not believed: it is named, evaded, and none of its figures is taken."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest
from alarms import eventually
from support import liar

from infra.local import configure, listeners, ports
from infra.local.paths import CHECKOUT
from infra.local.processes import DEFAULT_PORTS
from infra.local.servers import Instance, NotReady
from infra.loopback import DIRECT

TAKEN = 'ioc_last_progress_timestamp_seconds{job="services",service="upkeep"}>1000'
FIGURE = b'ioc_indicator{code="dossiers_received",unit="all"} 987654321\n'
LIES = {
    "/metrics": FIGURE + b"ioc_last_progress_timestamp_seconds 1\n",
    "/": b'{"ok": true, "service": "upkeep", "statusz": "ok", "database": "ok"}',
}
"""What a healthy service would say, with figures of its own."""


def prometheus(centre: Instance, question: str) -> list[dict[str, dict[str, str]]]:
    address = f"http://127.0.0.1:{centre.ports['prometheus']}/api/v1/query?query={quote(question)}"
    with DIRECT.open(urllib.request.Request(address), timeout=20) as answer:
        return list(json.load(answer)["data"]["result"])


def state(centre: Instance, name: str) -> tuple[bool, str]:
    return next((one.ready, one.problem) for one in centre.processes() if one.name == name)


def displace(centre: Instance, name: str) -> None:
    """Stop a process for good, as one that crashes."""
    centre.stop_process(name)
    while listeners.stranger(None, centre.ports[f"health_{name}"]):
        time.sleep(0.1)


@pytest.fixture(scope="module")
def watched(centre: Instance) -> Iterator[Instance]:
    """A centre whose Prometheus asks one service every second."""
    centre.start(["prometheus"])
    centre.start_services(["upkeep"])
    configure.prometheus(centre.data, centre.ports, {"upkeep": "health_upkeep"}, interval="1s")
    centre.kill("prometheus", signal.SIGHUP)
    try:
        eventually(lambda: prometheus(centre, TAKEN) != [], True)
        yield centre
    finally:
        for name in ("upkeep", "prometheus"):
            centre.stop_process(name)


def test_a_service_whose_port_was_taken_is_not_healthy_and_comes_back_on_another(watched: Instance) -> None:
    taken = watched.ports["health_upkeep"]
    displace(watched, "upkeep")
    try:
        with liar(taken, LIES):
            watched.start_process("upkeep")  # as the supervisor does, time and again
            eventually(lambda: state(watched, "upkeep")[1] != "", True)
            ready, problem = state(watched, "upkeep")
            assert not ready
            assert str(taken) in problem and f"(process {os.getpid()})" in problem
            eventually(lambda: "ioc status" in watched.log_tail("upkeep", 60), True)
            time.sleep(3)  # Prometheus asks every second
            assert prometheus(watched, "ioc_indicator==987654321") == []
            said: list[str] = []
            watched.start_services(["upkeep"], said.append)
            assert watched.ports["health_upkeep"] != taken
            assert any(f"(process {os.getpid()})" in line for line in said)
            assert state(watched, "upkeep") == (True, "")
            assert prometheus(watched, "ioc_indicator==987654321") == []
            eventually(lambda: prometheus(watched, TAKEN) != [], True)
    finally:
        watched.start_services(["upkeep"])


def test_health_carries_the_instance_and_marked_figures_are_prometheus_own(watched: Instance) -> None:
    def ask(path: str, **headers: str) -> tuple[int, str]:
        address = f"http://127.0.0.1:{watched.ports['health_upkeep']}{path}"
        try:
            with DIRECT.open(urllib.request.Request(address, headers=headers), timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""

    said = json.loads(ask("/health/live")[1])
    secret = watched.password("instance")
    assert said["pid"] == watched.pid("upkeep") and len(said["instance"]) == 16 and said["instance"] not in secret
    assert ask(f"/metrics/{said['instance']}")[0] == 401
    assert ask(f"/metrics/{said['instance']}", Authorization=f"Bearer {secret}")[0] == 401
    assert "ioc_instance" not in ask("/metrics")[1]
    assert prometheus(watched, 'count(up{job="services"}==1)') != []
    assert prometheus(watched, 'count({ioc_instance!=""})') == []


def test_a_server_that_answers_in_anothers_place_is_not_ours(
    open_folder: Path, new_instance: Callable[[Path], Instance]
) -> None:
    fresh = new_instance(open_folder / "displaced")
    try:
        fresh.start(["alertmanager"])
        fresh.stop_process("alertmanager")
        with liar(fresh.ports["alertmanager"], LIES):
            fresh.start_process("alertmanager")
            assert not fresh.is_ready("alertmanager")
            with pytest.raises(NotReady, match=f"process {os.getpid()}"):
                fresh.wait_ready("alertmanager", 30)
    finally:
        fresh.stop()


def test_a_port_that_is_taken_between_choice_and_start_is_replaced(
    open_folder: Path, new_instance: Callable[[Path], Instance], monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = new_instance(open_folder / "overtaken")
    wanted, thief = fresh.ports["alertmanager"], socket.socket()
    thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    supervise = fresh._supervise

    def be_faster(*words: object) -> None:
        if fresh.ports["alertmanager"] == wanted:
            thief.bind(("127.0.0.1", wanted))
            thief.listen()
        supervise(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(fresh, "_supervise", be_faster)
    try:
        fresh.start(["alertmanager"])
        assert fresh.ports["alertmanager"] != wanted
        assert state(fresh, "alertmanager") == (True, "")
    finally:
        thief.close()
        fresh.stop()


def test_a_port_is_given_to_one_of_many_that_settle_at_once() -> None:
    one, other = ports.Claims(), ports.Claims()
    with one.locked(), other.locked():
        first, _ = ports.settle({}, {"a": 31000, "b": 31001}, one)
        second, moved = ports.settle({}, {"a": first["a"], "b": first["b"]}, other)
        assert not set(first.values()) & set(second.values()) and set(moved) == {"a", "b"}
    third, moved = ports.settle({}, first, ports.Claims())
    assert (third, moved) == (first, {})


def test_two_centres_that_start_in_the_same_second_are_both_healthy_each_its_own(open_folder: Path) -> None:
    home = open_folder / "two"
    home.mkdir()
    home.chmod(0o755)
    (home / "runtime").symlink_to(Instance(home / "x").runtime)
    program = (
        "import sys; from pathlib import Path; from infra.local.servers import Instance;"
        f"one = Instance(Path(sys.argv[1]), Path({str(home / 'runtime')!r}));"
        "one.start(['nats', 'timescaledb', 'alertmanager'])"
    )

    def start(name: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", program, str(home / name)]
        return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=240)

    centres = [Instance(home / name, home / "runtime") for name in ("one", "other")]
    try:
        with ThreadPoolExecutor(2) as both:
            for done in both.map(start, ("one", "other")):
                assert done.returncode == 0, done.stderr
        used = [{centre.ports[name] for name in DEFAULT_PORTS} for centre in centres]
        assert not used[0] & used[1]
        for centre in centres:
            assert [one.ready for one in centre.processes()] == [True, True, True]
    finally:
        for centre in centres:
            centre.stop()
