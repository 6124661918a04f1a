"""Fixtures for all tests: a running broker and database of their own, on free ports, in a temporary folder."""

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import chance
import psycopg
import pytest
import watched as small_demo
from reaper import reaping
from support import command, home_in, wait_until_idle, wait_until_none

from infra.local import ports
from infra.local.paths import CHECKOUT, can_reach, home, run_as
from infra.local.processes import DEFAULT_PORTS
from infra.local.servers import Instance
from schemas.calendar import VN
from services.centre.prepare import prepare, settings_of
from services.centre.scenario import load_scenario
from services.kit import clock

chance.profiles()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--now`: the tests of one process as if it were another moment."""
    parser.addoption("--now", help="begin as if it were this moment, e.g. 2026-12-31T23:59; for tests without servers")


def pytest_configure(config: pytest.Config) -> None:
    """The clock goes on from there. Other processes go by the true one.

    Folders are open to the account of PostgreSQL, however closed the operator's own are.
    """
    os.umask(0o022)
    if text := config.getoption("now"):
        true = clock.now
        ahead = as_if(text) - true()
        clock.now = lambda: true() + ahead


def as_if(text: str) -> datetime:
    """A moment, local where it names no zone."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=VN)


TOGETHER = {
    "tests/integration/test_published.py": "published",
    "tests/integration/test_api.py": "published",
    "tests/integration/test_mcp.py": "published",
    "tests/integration/test_dashboard_sql.py": "published",
    "tests/integration/test_one_place.py": "published",
    "tests/integration/test_reports.py": "published",
    "tests/integration/test_panels.py": "watched",
    "tests/browser/": "watched",
    "tests/unit/test_november_2024.py": "month",
    "tests/unit/test_demo_wall.py": "walls",
}
"""Where tests share a centre that takes long to make, they stay in one hand when several run at a time, as do those of
any other file. In this order they begin: the longest first."""
ALONE = "tests/chaos/"
"""Here each test makes a centre of its own, so each may be in any hand."""


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Deals tests out by what they share. (The plugin's own `loadgroup` does nothing with pytest 9.)"""
    from xdist.scheduler import LoadScopeScheduling

    class InOneHand(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _group(nodeid)

    return InOneHand(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first."""
    order = list(dict.fromkeys(TOGETHER.values()))
    items.sort(key=lambda item: order.index(group) if (group := _group(item.nodeid)) in order else len(order))


ENDS: dict[str, Callable[[], None]] = {}
"""Group -> what stops the centre that its tests share: it would take a share of the machine until the run is over."""


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """After the last test of a group its centre stops."""
    group = _group(item.nodeid)
    if group in ENDS and (nextitem is None or _group(nextitem.nodeid) != group):
        ENDS.pop(group)()


def _group(nodeid: str) -> str:
    own = nodeid if nodeid.startswith(ALONE) else nodeid.split("::")[0]
    return next((group for path, group in TOGETHER.items() if nodeid.startswith(path)), own)


def _first_ports() -> Iterator[int]:
    """Where the ports of each next instance begin: what one is to listen on later is no other's meanwhile. Each process
    of a run has a part of the range below that of the kernel's outgoing connections, and begins in it by chance."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    size, step = 4500, len(DEFAULT_PORTS)
    starts = range(12000 + worker % 4 * size, 12000 + (worker % 4 + 1) * size - step, step)
    first = random.randrange(len(starts))
    return cycle((*starts[first:], *starts[:first]))


FIRST_PORTS = _first_ports()


def _new_instance(data: Path) -> Instance:
    """An instance in `data` whose ports are far from those of a running centre and of other test runs."""
    data.mkdir(parents=True, exist_ok=True)
    base = next(FIRST_PORTS)
    settled, _ = ports.settle({}, {name: base + offset for offset, name in enumerate(DEFAULT_PORTS)})
    ports.save(data / "ports.json", settled)
    return Instance(data, home() / "runtime")


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A temporary folder that the account of PostgreSQL may pass through (pytest's own is closed to others)."""
    base = next(f for f in (Path(tempfile.gettempdir()), Path("/tmp"), home()) if can_reach(f, run_as()))
    folder = Path(tempfile.mkdtemp(prefix="ioc-test-", dir=base))
    folder.chmod(0o755)
    with reaping(folder):
        yield folder


@pytest.fixture(scope="session")
def new_instance() -> Callable[[Path], Instance]:
    """Makes an instance, not started, in a folder. The caller stops it."""
    return _new_instance


@pytest.fixture(scope="session")
def template(new_instance: Callable[[Path], Instance], open_folder: Path) -> Path:
    """The folder of a centre made ready and stopped, for others to be copied from."""
    ready = new_instance(open_folder / "template")
    try:
        ready.start(["nats", "timescaledb"])
        prepare(ready)
    finally:
        ready.stop()
    return ready.data


@pytest.fixture(scope="session")
def new_centre(template: Path) -> Callable[[Path], Instance]:
    """Makes a centre in a folder, not started, with its database, roles, migrations and streams: a copy, which takes a
    tenth of making one. The caller stops it."""

    def make(folder: Path) -> Instance:
        folder.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", template, folder], check=True)
        return _new_instance(folder)

    return make


@pytest.fixture(scope="session")
def instance(open_folder: Path) -> Iterator[Instance]:
    """NATS and TimescaleDB, running and empty; the runtime is shared with the checkout, so it is fetched once."""
    running = _new_instance(open_folder / "centre")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("IOC_NOTIFIER_SETTLING", "0")  # what ends here has ended
            running.start(["nats", "timescaledb"])
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def centre(instance: Instance) -> Instance:
    """The instance with its database, roles, migrations and streams, as services find it."""
    prepare(instance)
    return instance


Ioc = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def ioc(centre: Instance) -> Ioc:
    """Runs the `ioc` command against the centre, as an operator does: `ioc("emit", "-", input=text)`. What reads a pipe
    is a process of its own, for that has a descriptor."""
    env = {**os.environ, "IOC_HOME": str(centre.data.parent), "IOC_INSTANCE": centre.data.name}

    def run(*arguments: str, input: str = "") -> subprocess.CompletedProcess[str]:
        if input:
            words = [sys.executable, "-m", "services.cli", *arguments]
            return subprocess.run(words, env=env, cwd=CHECKOUT, input=input, capture_output=True, text=True, timeout=60)
        done = command(centre, *arguments)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def published(new_centre: Callable[[Path], Instance], open_folder: Path) -> Iterator[Instance]:
    """A centre with all services, the scenario sent to its broker and folded by its aggregator."""
    folder = home_in(open_folder, "published")
    running = new_centre(folder / "main")
    try:
        running.start(["nats", "timescaledb"])
        running.start_services(["aggregator", "emitters"])
        load_scenario(settings_of(running, "cli"), "november-2024", 0, lambda done: None)
        wait_until_idle(running)
        running.start_services(["deadlines"])  # it goes by what is known: not while a past is still coming in
        _wait_told(running)
        ENDS["published"] = running.stop
        yield running
    finally:
        running.stop()


def _wait_told(centre: Instance) -> None:
    owed = "SELECT count(*) FROM entity WHERE notice_at <= now()"
    with psycopg.connect(settings_of(centre, "cli").database("reader"), autocommit=True) as conn:
        wait_until_none(lambda: int(conn.execute(owed).fetchall()[0][0]), lambda: centre.log_tail("deadlines", 20), 240)


@pytest.fixture(scope="session")
def watched(open_folder: Path, new_centre: Callable[[Path], Instance]) -> Iterator[Instance]:
    """A small demo with all services and Prometheus, see the module of that name; whoever breaks it mends it."""
    own = new_centre(open_folder / "watched")
    try:
        small_demo.start(own)
        ENDS["watched"] = own.stop
        yield own
    finally:
        own.stop()
