"""No stranger freezes a door: what is too large, too slow or too many is cut off, and others are answered meanwhile."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from support import serving
from visitors import admin_of
from websockets.exceptions import ConnectionClosed

from infra.local.paths import CHECKOUT
from infra.local.servers import Instance
from services.board.ui.words import WORDS

SERVICES = ("emitters", "notifier", "board")
DOORS = {"emitters": "/procedures/dossiers", "notifier": "/alertmanager", "board": "/login", "health_board": "/metrics"}
DOORS_TAKING = tuple(name for name in DOORS if not name.startswith("health"))
PATIENCE = 60.0
"""Seconds after which what must happen soon has not happened."""
MIB = 2**20


@pytest.fixture(scope="module")
def doors(centre: Instance) -> Iterator[Instance]:
    with serving(centre, *SERVICES):
        yield centre


def address(doors: Instance, door: str) -> tuple[str, int]:
    return "127.0.0.1", doors.ports[door]


def service(door: str) -> str:
    return door.removeprefix("health_")


def memory(doors: Instance, door: str) -> int:
    """Bytes that the service holds in memory."""
    status = Path(f"/proc/{doors.pid(service(door))}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def asks(doors: Instance, door: str) -> bytes:
    """What an honest visitor is answered."""
    with socket.create_connection(address(doors, door), PATIENCE) as visitor:
        visitor.sendall(f"GET {DOORS[door]} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        return all_of(visitor)


def all_of(visitor: socket.socket) -> bytes:
    """All that is said until the other side hangs up."""
    told = b""
    with suppress(ConnectionError):
        while part := visitor.recv(65536):
            told += part
    return told


def post(doors: Instance, door: str, *headers: str, key: str = "") -> bytes:
    lines = [f"POST {DOORS[door]} HTTP/1.1", "Host: x", "Content-Type: application/json", *headers]
    lines += [f"Authorization: Bearer {key}"] if key else []
    return "\r\n".join([*lines, "", ""]).encode()


def key_of(doors: Instance, door: str) -> str:
    names = {"emitters": "emitter_procedures", "notifier": "alertmanager"}
    return doors.password(names[door]) if door in names else ""


def pour(visitor: socket.socket, part: bytes, size: int) -> int:
    """Send `part` again and again; how many bytes of `size` were taken before the other side hung up."""
    sent = 0
    with suppress(OSError):
        while sent < size:
            visitor.sendall(part)
            sent += len(part)
    return sent


@contextmanager
def unshaken(doors: Instance, door: str) -> Iterator[None]:
    """Meanwhile honest visitors are answered, and afterwards the service is the same process, hardly larger."""
    for _ in range(20):
        asks(doors, door)
    pid, before, answers, over = doors.pid(service(door)), memory(doors, door), [asks(doors, door)], threading.Event()

    def visit() -> None:
        while True:
            answers.append(asks(doors, door))
            if over.wait(0.05):
                return

    visitor = threading.Thread(target=visit)
    visitor.start()
    try:
        yield
    finally:
        over.set()
        visitor.join(PATIENCE)
    assert not visitor.is_alive() and len(answers) > 1
    assert {answer.split(b"\r\n")[0] for answer in answers} == {answers[0].split(b"\r\n")[0]}
    assert answers[0].startswith(b"HTTP/1.1 ")
    assert doors.pid(service(door)) == pid
    assert memory(doors, door) - before <= 20 * MIB


def is_cut_off(visitor: socket.socket) -> bool:
    """Whether the other side hangs up."""
    visitor.settimeout(PATIENCE)
    with suppress(ConnectionError):
        while visitor.recv(65536):
            pass
    return True


HEADS: dict[str, tuple[bytes, bytes]] = {
    "one long header": (b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ", b"a" * 65536),
    "a long cookie": (b"GET / HTTP/1.1\r\nHost: x\r\nCookie: ", b"a=b; " * 13000),
    "many headers": (b"GET / HTTP/1.1\r\nHost: x\r\n", b"X-Many: yes\r\n" * 5000),
    "a long address": (b"GET /", b"a" * 65536),
    "a long word": (b"", b"A" * 65536),
    "empty lines": (b"", b"\r\n" * 32768),
    "long trailers": (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Long: ", b"a" * 65536),
    "many trailers": (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Many: yes\r\n" * 5000),
    "a long chunk extension": (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a" * 65536),
}


@pytest.mark.parametrize(
    ("door", "head"),
    [*(("emitters", head) for head in HEADS)]
    + [(door, head) for door in DOORS if door != "emitters" for head in ("one long header", "empty lines")],
)
def test_a_head_without_end_is_cut_off(doors: Instance, door: str, head: str) -> None:
    begin, more = HEADS[head]
    with unshaken(doors, door), socket.create_connection(address(doors, door), PATIENCE) as stranger:
        stranger.sendall(begin)
        assert pour(stranger, more, 40 * MIB) < 40 * MIB


@pytest.mark.parametrize("door", DOORS)
def test_a_head_that_is_too_large_is_told_so(doors: Instance, door: str) -> None:
    with socket.create_connection(address(doors, door), PATIENCE) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 40_000)
        assert all_of(stranger).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("door", DOORS)
def test_a_head_of_an_ordinary_size_is_read(doors: Instance, door: str) -> None:
    with socket.create_connection(address(doors, door), PATIENCE) as visitor:
        cookie = "; ".join(f"a{number}={'b' * 90}" for number in range(120))
        visitor.sendall(
            f"GET {DOORS[door]} HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n".encode()
        )
        assert all_of(visitor).split()[1] in (b"200", b"405")


@pytest.mark.parametrize("door", ["emitters", "health_board"])
def test_hundreds_of_half_sent_heads_end(doors: Instance, door: str) -> None:
    with unshaken(doors, door), ExitStack() as open_ones:
        strangers = [
            open_ones.enter_context(socket.create_connection(address(doors, door), PATIENCE)) for _ in range(300)
        ]
        for number, stranger in enumerate(strangers):
            with suppress(ConnectionError):  # a small door has dropped it already
                stranger.sendall((b"", b"\r\n", b"GET / HTTP/1.1\r\nHost:")[number % 3])
        assert all(is_cut_off(stranger) for stranger in strangers)


@pytest.mark.parametrize("door", DOORS)
def test_a_thousand_connections_that_are_kept_shut_nobody_out(doors: Instance, door: str) -> None:
    with unshaken(doors, door), ExitStack() as open_ones:
        for _ in range(1000):
            stranger = open_ones.enter_context(socket.create_connection(address(doors, door), PATIENCE))
            with suppress(ConnectionError):
                stranger.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")


def trickle(stranger: socket.socket, byte: bytes) -> float:
    """Seconds for which one byte a second is taken."""
    begin = time.monotonic()
    with suppress(OSError):
        while time.monotonic() - begin < 2 * PATIENCE + 20:
            stranger.sendall(byte)
            time.sleep(1)
    return time.monotonic() - begin


LENGTHS: dict[str, Callable[[int], tuple[str, bytes]]] = {
    "said": lambda size: (f"Content-Length: {size}", b" " * 65536),
    "in chunks": lambda size: ("Transfer-Encoding: chunked", b"10000\r\n" + b" " * 65536 + b"\r\n"),
}


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("door", DOORS_TAKING)
def test_a_body_without_end_is_cut_off(doors: Instance, door: str, length: str, known: bool) -> None:
    header, part = LENGTHS[length](300 * MIB)
    with unshaken(doors, door), socket.create_connection(address(doors, door), PATIENCE) as stranger:
        stranger.sendall(post(doors, door, header, key=key_of(doors, door) if known else ""))
        assert pour(stranger, part, 300 * MIB) < 300 * MIB


@pytest.mark.parametrize("door", ["emitters", "board"])
def test_hundreds_of_half_sent_bodies_take_little_memory(doors: Instance, door: str) -> None:
    head = post(doors, door, "Content-Length: 250000", key=key_of(doors, door))
    with unshaken(doors, door), ExitStack() as open_ones:
        for _ in range(300):
            stranger = open_ones.enter_context(socket.create_connection(address(doors, door), PATIENCE))
            with suppress(ConnectionError):
                stranger.sendall(head + b" " * 240_000)


@pytest.mark.parametrize("path", ["/alertmanager", "/alarms/1/comment", "/people/nobody/test"])
def test_without_a_token_the_notifier_waits_for_no_body(doors: Instance, path: str) -> None:
    with socket.create_connection(address(doors, "notifier"), PATIENCE) as stranger:
        stranger.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n".encode())
        assert stranger.recv(65536).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("door", DOORS_TAKING)
@pytest.mark.parametrize("header", [f"Content-Length: {6 * MIB}", "Transfer-Encoding: chunked"])
def test_a_body_that_is_too_large_is_told_so_to_one_who_still_sends(doors: Instance, door: str, header: str) -> None:
    part = b" " * 2**16
    part = b"10000\r\n" + part + b"\r\n" if "chunked" in header else part
    with socket.create_connection(address(doors, door), PATIENCE) as visitor:
        visitor.sendall(post(doors, door, header, "Connection: close", key=key_of(doors, door)))
        for _ in range(6 * MIB // 2**16):
            visitor.sendall(part)
            time.sleep(0.005)  # it has been answered long before its end
        assert all_of(visitor).startswith(b"HTTP/1.1 403 " if door == "board" else b"HTTP/1.1 413 ")


@pytest.mark.parametrize("door", DOORS_TAKING)
def test_a_thousand_requests_at_once_are_no_burden(doors: Instance, door: str) -> None:
    with unshaken(doors, door), socket.create_connection(address(doors, door), PATIENCE) as stranger:
        pour(stranger, b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n" * 1000, 4 * MIB)


def ignore(doors: Instance, door: str) -> None:
    """Ask, and read no answer, as long as the other side takes it."""
    ask = f"GET {DOORS[door]} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 20
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stranger.settimeout(PATIENCE)
        stranger.connect(address(doors, door))
        with suppress(ConnectionError):
            while True:
                stranger.sendall(ask)
                time.sleep(0.005)


def dawdle(doors: Instance, door: str, head: bytes) -> None:
    """Go on after `head` with one byte a second, as long as the other side takes it."""
    with socket.create_connection(address(doors, door), PATIENCE) as stranger, suppress(ConnectionError):
        stranger.sendall(head)
        while True:
            stranger.sendall(b" ")
            time.sleep(1)


def test_whoever_is_slow_is_cut_off(doors: Instance) -> None:
    begun = b"GET / HTTP/1.1\r\nX-Slow: "
    bodies = {door: post(doors, door, "Content-Length: 1000", key=key_of(doors, door)) for door in DOORS_TAKING}
    with unshaken(doors, "board"), ThreadPoolExecutor(16) as strangers:
        slow = [strangers.submit(dawdle, doors, door, begun) for door in DOORS]
        slow += [strangers.submit(dawdle, doors, door, head) for door, head in bodies.items()]
        slow.append(strangers.submit(dawdle, doors, "notifier", post(doors, "notifier", "Content-Length: 1000")))
        slow += [strangers.submit(ignore, doors, door) for door in DOORS]
        for each in slow:
            each.result(3 * PATIENCE)


def complaints(doors: Instance) -> list[str]:
    log = doors.log("board").read_text()
    return re.findall(r"(?m)^.* (?:ERROR|CRITICAL) .*\n(?:(?!20).*\n)*|^Traceback.*\n(?:(?!20).*\n)*", log)


@pytest.mark.parametrize("words", ["{}", "", "written by a stranger", "[" * 100_000, b"binary"])
def test_a_page_that_says_something_is_cut_off_and_no_news(doors: Instance, words: str | bytes) -> None:
    browser, before = admin_of(doors, f"http://127.0.0.1:{doors.ports['board']}"), complaints(doors)
    page = browser.page()
    with browser.socket(page) as made, pytest.raises(ConnectionClosed):
        made.send(words)
        for _ in range(100):
            made.recv(PATIENCE)
    assert browser.is_served(page)
    assert complaints(doors) == before
    assert "written by a stranger" not in doors.log("board").read_text()


FLOODS = {
    "messages": lambda made: made.send("{}"),
    "binary messages": lambda made: made.send(b"a" * 900_000),
    "pings": lambda made: made.ping(),
    "large messages": lambda made: made.send("a" * 900_000),
    "fragments": lambda made: made.send(iter(["4"] + [""] * 100_000)),
    "too large a message": lambda made: made.send("4" * 30 * MIB),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_a_page_that_floods_its_connection_holds_up_no_other(doors: Instance, flood: str) -> None:
    browser = admin_of(doors, f"http://127.0.0.1:{doors.ports['board']}")
    page = browser.page()
    with unshaken(doors, "board"), suppress(ConnectionClosed, TimeoutError, OSError), browser.socket(page) as made:
        end = time.monotonic() + 2
        made.socket.settimeout(4)
        while time.monotonic() < end:
            FLOODS[flood](made)


@pytest.mark.parametrize("path", ["/", "/login", "/static/board.js", "/worklist"])
def test_below_a_proxys_path_the_board_says_why_it_does_not_work(doors: Instance, path: str) -> None:
    with socket.create_connection(address(doors, "board"), PATIENCE) as visitor:
        visitor.sendall(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nX-Forwarded-Prefix: /ioc\r\nConnection: close\r\n\r\n".encode()
        )
        told = all_of(visitor).decode()
    assert told.startswith("HTTP/1.1 400 ") and WORDS["below_a_path"][0] in told


def test_the_board_does_not_start_for_a_path(doors: Instance) -> None:
    env = {**os.environ, **doors.env("board"), "IOC_BOARD_URL": "https://example.vn/ioc/"}
    done = subprocess.run(
        [sys.executable, "-m", "services.board"], env=env, cwd=CHECKOUT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode and "a host of its own" in done.stderr
