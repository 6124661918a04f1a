"""What several test modules do to a running centre."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
from click.testing import CliRunner, Result

from infra.local.paths import CHECKOUT, home
from infra.local.servers import Instance
from schemas.streams import AGGREGATOR
from services.centre.prepare import settings_of
from services.cli.app import main
from services.kit import bus, streams


def home_in(folder: Path, name: str) -> Path:
    """A home of state of one's own, with the programs that the checkout has fetched and nothing else."""
    own = folder / name
    own.mkdir()
    own.chmod(0o755)
    (own / "runtime").symlink_to(home() / "runtime")
    return own


async def _left(centre: Instance) -> int:
    async with bus.connected(settings_of(centre, "monitor"), "test") as client:
        return await streams.unacknowledged(client.jetstream(), AGGREGATOR)


def wait_until_idle(centre: Instance, seconds: float = 120) -> None:
    """Until the aggregator has acknowledged every message of the stream."""
    wait_until_none(lambda: asyncio.run(_left(centre)), lambda: centre.log_tail("aggregator", 20), seconds)


def wait_until_none(left: Callable[[], int], told: Callable[[], str], seconds: float) -> None:
    """Until nothing is left of a work. It fails with what is `told` where it does not become less for so long: a slow
    machine is no broken one."""
    least, end = left(), time.monotonic() + seconds
    while least:
        if (now := left()) < least:
            least, end = now, time.monotonic() + seconds
        assert time.monotonic() < end, f"{now} are left; {told()}"
        time.sleep(0.2)


@contextmanager
def hanging(pid: int) -> Iterator[None]:
    """A process that stands still. On a busy machine some of its threads run on for a moment after the signal."""
    os.kill(pid, signal.SIGSTOP)
    try:
        end = time.monotonic() + 30
        while any(_state(thread) != "T" for thread in Path(f"/proc/{pid}/task").iterdir()):
            assert time.monotonic() < end, f"process {pid} does not stop"
            time.sleep(0.01)
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _state(thread: Path) -> str:
    return (thread / "stat").read_text().rpartition(")")[2].split()[0]


def command(centre: Instance, *arguments: str, input: str = "") -> Result:
    """Runs `ioc` against a centre as an operator does, without the start of a process."""
    home = {"IOC_HOME": str(centre.data.parent), "IOC_INSTANCE": centre.data.name}
    return CliRunner().invoke(main, arguments, input=input, env=home)


def output_of(centre: Instance, *arguments: str, input: str = "") -> str:
    """What a command prints that does what it was asked."""
    done = command(centre, *arguments, input=input)
    assert done.exit_code == 0, done.output
    return done.stdout


@contextmanager
def serving(centre: Instance, *services: str) -> Iterator[None]:
    """These services of a centre, started in this order and stopped in the other."""
    try:
        centre.start_services(services)
        yield
    finally:
        for service in reversed(services):
            centre.stop_process(service)


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


@contextmanager
def board_beside(centre: Instance, *program: str, **variables: str) -> Iterator[str]:
    """A second board of the same centre, with other settings, or started by another program; gives its address once it
    serves."""
    port = free_port()
    env = {**os.environ, **centre.env("board"), "IOC_BOARD_PORT": str(port), **variables}
    command = [sys.executable, *(program or ("-m", "services.board"))]
    running = subprocess.Popen(command, cwd=CHECKOUT, env=env)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_served(f"{address}/login", running)
        yield address
    finally:
        running.terminate()
        running.wait(15)


def _wait_served(page: str, running: subprocess.Popen[bytes], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    with httpx.Client(trust_env=False, timeout=seconds) as client:
        while True:
            try:
                client.get(page).raise_for_status()
                return
            except httpx.TransportError:
                assert running.poll() is None and time.monotonic() < end, f"{page} does not answer"
            time.sleep(0.1)


@contextmanager
def liar(port: int, lies: Mapping[str, bytes]) -> Iterator[None]:
    """Another program on a port of the centre's: whatever it is asked, it does not refuse, and says what stands for the
    first path in `lies` that what is asked for begins with."""

    class Liar(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = next(lie for path, lie in lies.items() if self.path.startswith(path))
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *words: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", port), Liar)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
