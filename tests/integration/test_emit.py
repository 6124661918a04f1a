"""`ioc emit` on a real broker: every record is sent or named with its reason, and sending again is harmless."""

import asyncio
import gzip
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from support import hanging

from infra.local.paths import CHECKOUT
from infra.local.servers import Instance
from schemas.streams import EVENTS
from services.centre.prepare import settings_of
from services.kit import bus

Ioc = Callable[..., subprocess.CompletedProcess[str]]
NUMBERS = count(1)


def event(**changed: Any) -> dict[str, Any]:
    code = f"H99.96-261101-{next(NUMBERS):05}"
    return {
        "specversion": "1.0",
        "id": code,
        "source": "/test/emit",
        "type": "vn.ioc.dossier.withdrawn.v1",
        "time": (datetime.now(UTC) - timedelta(days=1)).isoformat(),
        "unit": "phuong_chon_thanh",
        "data": {"code": code},
        **changed,
    }


def lines(events: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(one) + "\n" for one in events)


def command(centre: Instance, *arguments: str) -> tuple[list[str], dict[str, str]]:
    env = {**os.environ, "IOC_HOME": str(centre.data.parent), "IOC_INSTANCE": centre.data.name}
    return [sys.executable, "-m", "services.cli", "emit", *arguments], env


def test_all_that_is_valid_is_sent_and_the_rest_is_named_with_line_and_reason(ioc: Ioc) -> None:
    good = [event() for _ in range(5)]
    text = lines(good[:2]) + "{broken\n\n" + lines([event(unit="chon_thanh"), *good[2:], event(type="vn.ioc.x.v1")])
    first, again = ioc("emit", input=text), ioc("emit", "-", input=text)
    assert first.stdout == "read 8, sent 5, rejected 3\n"
    assert again.stdout == "read 8, sent 5, rejected 3\n"
    assert first.returncode == again.returncode == 1
    told = first.stderr.splitlines()
    assert [line.split(": ")[:2] for line in told] == [
        ["line 3", "not_json"],
        ["line 5", "wrong_unit"],
        ["line 9", "unknown_type"],
    ]
    assert "chon_thanh is not valid on" in told[1]


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_is_read_element_by_element(ioc: Ioc, tmp_path: Path, indent: int | None) -> None:
    file = tmp_path / "events.json"
    file.write_text(json.dumps([event(), event(), event()], indent=indent))
    done = ioc("emit", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "read 3, sent 3, rejected 0\n"


@pytest.mark.parametrize("as_array", [False, True])
def test_what_windows_writes_is_sent(ioc: Ioc, tmp_path: Path, as_array: bool) -> None:
    file, events = tmp_path / "events.json", [event(), event()]
    text = json.dumps(events) if as_array else lines(events)
    file.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode() + b"\x1a")
    done = ioc("emit", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "read 2, sent 2, rejected 0\n"


def test_another_encoding_is_named_with_what_to_do(centre: Instance, tmp_path: Path) -> None:
    wide, page = tmp_path / "wide.json", tmp_path / "page.json"
    wide.write_bytes(lines([event()]).encode("utf-16"))
    page.write_bytes(lines([event(id="TWO")]).replace("TWO", "Đỗ").encode("cp1258", "replace"))
    arguments, env = command(centre, str(wide))
    told = subprocess.run(arguments, env=env, capture_output=True, text=True, timeout=120)
    assert (told.returncode, told.stdout) == (1, "")
    assert "UTF-16" in told.stderr
    assert "save it as UTF-8" in told.stderr
    wide.write_bytes(gzip.compress(lines([event()]).encode()))
    told = subprocess.run(arguments, env=env, capture_output=True, text=True, timeout=120)
    assert told.returncode == 1 and "GZIP" in told.stderr and "Nothing was sent" in told.stderr
    arguments, env = command(centre, str(page))
    told = subprocess.run(arguments, env=env, capture_output=True, text=True, timeout=120)
    assert told.returncode == 1
    assert "line 1: not_utf8" in told.stderr
    assert "code page 1258" in told.stderr


def test_a_line_of_five_megabytes_is_rejected_and_the_next_one_sent(ioc: Ioc) -> None:
    huge = event(data={"code": "x" * 5 * 2**20})
    done = ioc("emit", input=lines([huge, event()]))
    assert done.stdout == "read 2, sent 1, rejected 1\n"
    assert done.stderr.startswith("line 1: too_large: ") and len(done.stderr) < 200


MEASURED = """
import sys
from pathlib import Path
from services.cli.app import main
try:
    main()
finally:
    print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0], file=sys.stderr)
"""


def test_a_large_file_is_sent_soon_and_not_held_in_memory(centre: Instance, tmp_path: Path) -> None:
    file = tmp_path / "many.jsonl"
    with file.open("w") as many:
        for _ in range(20_000):
            many.write(json.dumps(event()) + " " * 5000 + "\n")
    arguments, env = command(centre, str(file))
    began = time.monotonic()
    measured = [sys.executable, "-c", MEASURED, *arguments[3:]]
    done = subprocess.run(measured, env=env, cwd=CHECKOUT, capture_output=True, text=True)
    assert done.stdout == "read 20,000, sent 20,000, rejected 0\n"
    assert int(done.stderr) * 1024 < file.stat().st_size + 30 * 2**20  # an empty run takes 80 MB
    assert time.monotonic() - began < 60


def test_what_comes_slowly_through_a_pipe_is_sent_as_it_comes(centre: Instance) -> None:
    (arguments, env), before = command(centre), stored(centre)
    slow = subprocess.Popen(arguments, env=env, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert slow.stdin
    one = lines([event()])
    slow.stdin.write(one.encode())
    slow.stdin.flush()
    deadline = time.monotonic() + 60
    while stored(centre) == before:
        assert time.monotonic() < deadline
    assert slow.communicate(b"", timeout=30)[0].startswith(b"read 1, sent 1")


def stored(centre: Instance) -> int:
    """How many events the broker holds."""

    async def ask() -> int:
        async with bus.connected(settings_of(centre, "monitor"), "test") as client:
            return (await client.jetstream().stream_info(EVENTS.name)).state.messages

    return asyncio.run(ask())


def test_a_broker_that_stops_is_told_with_what_it_acknowledged(centre: Instance) -> None:
    (arguments, env), before = command(centre), stored(centre)
    process = subprocess.Popen(
        arguments, env=env, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin
    process.stdin.write(lines([event() for _ in range(3)]).encode())
    process.stdin.flush()
    end = time.monotonic() + 30
    while stored(centre) < before + 3:
        assert time.monotonic() < end
    time.sleep(0.5)  # the answer is on its way
    centre.stop_process("nats")
    try:
        began = time.monotonic()
        out, error = process.communicate(lines([event()]).encode(), timeout=30)
        assert time.monotonic() - began < 25
        assert (process.returncode, out) == (75, b"")
        assert b"3 events were acknowledged; send the same again" in error and b"Traceback" not in error
    finally:
        centre.start_process("nats")
        centre.wait_ready("nats", 20)


def many(tmp_path: Path, number: int) -> Path:
    file = tmp_path / "many.jsonl"
    file.write_text(lines([event() for _ in range(number)]))
    return file


def emitting(centre: Instance, file: Path) -> subprocess.Popen[str]:
    """An `ioc emit` of the file that has begun to send."""
    (arguments, env), before = command(centre, str(file)), stored(centre)
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(arguments, env=env, cwd=CHECKOUT, **pipes)
    end = time.monotonic() + 60
    while stored(centre) == before:
        assert time.monotonic() < end
    return process


def test_a_broker_that_hangs_for_a_while_is_waited_for(centre: Instance, tmp_path: Path) -> None:
    process = emitting(centre, many(tmp_path, 30_000))
    with hanging(centre.pid("nats") or 0):
        time.sleep(10)
    out, told = process.communicate(timeout=120)
    assert (process.returncode, out) == (0, "read 30,000, sent 30,000, rejected 0\n")
    assert "waiting for the broker: " in told and "Traceback" not in told


def test_a_broker_that_starts_anew_loses_nothing_of_what_was_under_way(centre: Instance, tmp_path: Path) -> None:
    before = stored(centre)
    process = emitting(centre, many(tmp_path, 30_000))
    centre.kill("nats", signal.SIGKILL)
    out, told = process.communicate(timeout=120)
    assert (process.returncode, out) == (0, "read 30,000, sent 30,000, rejected 0\n")
    assert "Traceback" not in told
    assert stored(centre) >= before + 30_000


def test_without_a_broker_it_says_so(ioc: Ioc, centre: Instance) -> None:
    arguments, env = command(centre)
    elsewhere = env | {"IOC_NATS_URL": "nats://nobody:nothing@127.0.0.1:1"}
    done = subprocess.run(arguments, env=elsewhere, cwd=CHECKOUT, input=b"", capture_output=True, timeout=30)
    assert done.returncode == 75
    assert b"no broker at" in done.stderr and b"Traceback" not in done.stderr and b"nothing@" not in done.stderr


def wait_until_connected(centre: Instance) -> None:
    """Until an `ioc emit` is there in the broker's own list."""
    address, end = f"http://127.0.0.1:{centre.ports['nats_monitor']}/connz", time.monotonic() + 20
    while "emit" not in [one.get("name") for one in httpx.get(address, trust_env=False).json()["connections"]]:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_ctrl_c_ends_a_waiting_emit(centre: Instance) -> None:
    arguments, env = command(centre)
    # As in a terminal, also where these tests run in the background, to whose processes shells have SIGINT ignored.
    heeded = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE}
    waiting = subprocess.Popen(arguments, env=env, cwd=CHECKOUT, preexec_fn=heeded, **pipes)
    wait_until_connected(centre)
    waiting.send_signal(signal.SIGINT)
    assert waiting.wait(20) == 1
    assert waiting.stderr and b"Traceback" not in waiting.stderr.read()


def test_a_bar_is_shown_where_there_is_a_terminal(centre: Instance, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text(lines([event(), event(type="vn.ioc.x.v1")]))
    arguments, env = command(centre, str(file))
    outer, inner = pty.openpty()
    done = subprocess.run(arguments, env=env | {"TERM": "xterm"}, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=inner)
    os.close(inner)
    shown = os.read(outer, 65536).decode()
    os.close(outer)
    assert done.stdout.startswith(b"read 2, sent 1")
    assert "line 2: unknown_type" in shown and "━" in shown
