"""The programs of docs/clients, and what their libraries try beyond a key: in other languages, on a real centre.

What they need is installed into the private folder and stays there for the next run; the home is left alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from holders import Holder, holding, is_stored, refused_for
from support import output_of, serving

from infra.local.paths import CHECKOUT, home
from infra.local.servers import Instance
from services.centre.prepare import settings_of
from services.cli.test import LANGUAGES
from services.kit import bus

WARD, OTHER = "phuong_chon_thanh", "phuong_binh_long"
FOLDER = home() / "clients"
ASKED = [name for name in os.environ.get("CLIENTS", "").split(",") if name in LANGUAGES]


class Program(NamedTuple):
    """One of docs/clients: how it is started in its language's folder, to which port it speaks, and as which source."""

    language: str
    command: tuple[str, ...]
    port: str
    source: str


PROGRAMS = (
    Program("go", ("./visits",), "nats", "go"),
    Program("node", ("node", "batch.mjs"), "emitters", "node"),
    Program("node", ("node", "publish.mjs"), "nats", "node-nats"),
    Program("java", ("java", "Visits.java"), "emitters", "java"),
)
PROBES = {"go": ("./probe/probe",), "node": ("node", "probe.mjs")}
asked = pytest.mark.parametrize("program", [p for p in PROGRAMS if p.language in ASKED], ids=lambda p: p.source)


def environment() -> dict[str, str]:
    """The machine's own settings of each language, with all that is written in the private folder."""
    settings = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return os.environ | {
        "GOENV": os.environ.get("GOENV", str(settings / "go" / "env")),
        "GOPATH": str(FOLDER / "go-path"),
        "GOMODCACHE": str(FOLDER / "go-path" / "mod"),
        "GOCACHE": str(FOLDER / "go-cache"),
        "GOFLAGS": "-modcacherw -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "XDG_CONFIG_HOME": str(FOLDER / "config"),
        "npm_config_cache": str(FOLDER / "npm-cache"),
        "npm_config_update_notifier": "false",
    }


def run(language: str, *command: str, secret: str = "") -> subprocess.CompletedProcess[str]:
    place = FOLDER / language
    program = str(place / command[0]) if command[0].startswith("./") else command[0]
    env = environment() | {"KEY_SECRET": secret}
    return subprocess.run([program, *command[1:]], cwd=place, env=env, capture_output=True, text=True, timeout=600)


def installed(language: str, *command: str) -> None:
    done = run(language, *command)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"


def prepare_go(place: Path) -> None:
    (place / "probe").mkdir(exist_ok=True)
    shutil.copy(CHECKOUT / "tests/clients/probe.go", place / "probe" / "main.go")
    installed("go", "go", "build", "-o", "visits", ".")
    installed("go", "go", "build", "-o", "probe/probe", "./probe")


def prepare_node(place: Path) -> None:
    shutil.copy(CHECKOUT / "tests/clients/probe.mjs", place)
    lock = place / "node_modules" / ".installed"
    wanted = (place / "package-lock.json").read_bytes()
    if not lock.exists() or lock.read_bytes() != wanted:
        installed("node", "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        lock.write_bytes(wanted)


PREPARE: dict[str, Callable[[Path], None]] = {"go": prepare_go, "node": prepare_node, "java": lambda place: None}


@pytest.fixture(scope="module", autouse=True)
def ready() -> None:
    """What the languages that were asked for need, installed from their lock files."""
    for language in ASKED:
        here = shutil.ignore_patterns("node_modules")  # which somebody who tried it there has made
        shutil.copytree(CHECKOUT / "docs/clients" / language, FOLDER / language, dirs_exist_ok=True, ignore=here)
        PREPARE[language](FOLDER / language)


@pytest.fixture(scope="module")
def running(centre: Instance) -> Iterator[Instance]:
    with serving(centre, "aggregator", "emitters"):
        yield centre


@pytest.fixture(scope="module")
def clinic(running: Instance) -> Iterator[Holder]:
    """Reports health in one ward."""
    with holding(running, "--system", "health", "--units", WARD) as holder:
        yield holder


def said(clinic: Holder, program: Program, unit: str) -> subprocess.CompletedProcess[str]:
    """What a program says that is run for a unit."""
    scheme = "nats" if program.port == "nats" else "http"
    address = f"{scheme}://127.0.0.1:{clinic.running.ports[program.port]}"
    return run(program.language, *program.command, address, clinic.name, unit, secret=clinic.secret)


def yesterday() -> str:
    """As these programs see it: by the machine's clock, which may be a day behind ours."""
    return (datetime.now(UTC) - timedelta(days=1)).date().isoformat()


@asked
def test_what_a_program_sends_is_found_again_and_counts_once(
    running: Instance, clinic: Holder, program: Program
) -> None:
    source, day = f"{clinic.source}/{program.source}", yesterday()
    for _ in range(2):
        done = said(clinic, program, WARD)
        assert done.returncode == 0, done.stdout + done.stderr
    assert is_stored(running, {"source": source, "id": day})
    period = ("--unit", WARD, "--from", day, "--to", day, "--format", "json")
    figure = json.loads(output_of(running, "query", "visits", *period))["readings"][0]["value"]
    assert int(figure) >= 41 and int(figure) % 41 == 0
    opened = json.loads(output_of(running, "explain", "visits", *period))
    assert source in [one["source"] for one in opened["sources"]]
    assert day in [one["id"] for one in opened["sample"] if one["source"] == source]


@asked
def test_a_program_that_speaks_of_another_unit_is_told_so(running: Instance, clinic: Holder, program: Program) -> None:
    done = said(clinic, program, OTHER)
    assert done.returncode != 0
    assert ("403" if program.port == "emitters" else "ermissions") in done.stdout + done.stderr
    assert stored_of(running, clinic, OTHER) == 0


@pytest.mark.skipif("node" not in ASKED, reason="Node.js was not asked for")
def test_what_another_library_signs_is_taken(running: Instance) -> None:
    name, address = "ky-bang-node", f"http://127.0.0.1:{running.ports['emitters']}"
    secret = output_of(running, "keys", "create", name, "--system", "health", "--units", WARD, "--signed").strip()
    end = time.monotonic() + 30  # the door looks every two seconds
    while (done := run("node", "node", "signed.mjs", address, name, WARD, secret=secret)).returncode:
        assert "401" in done.stdout and time.monotonic() < end, done.stdout + done.stderr
    assert is_stored(running, {"source": f"/{name}/node-signed", "id": yesterday()})
    wrong = run("node", "node", "signed.mjs", address, name, WARD, secret="iock_" + "x" * 43)
    assert wrong.returncode and "401" in wrong.stdout
    output_of(running, "keys", "revoke", name)


@pytest.mark.parametrize("language", [name for name in PROBES if name in ASKED])
def test_a_key_opens_nothing_else_on_the_broker(running: Instance, clinic: Holder, language: str) -> None:
    own = f"ioc.events.{WARD}.health.visits.reported.{clinic.name}"
    alien = {
        "specversion": "1.0",
        "id": f"alien-{language}",
        "source": clinic.source,
        "type": "vn.ioc.visits.reported.v1",
        "time": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
        "unit": OTHER,
        "data": {"facility": "tram_alien", "day": "2026-11-20", "visits": 41, "insured": 38},
    }
    before = asyncio.run(state(running))
    address = f"nats://127.0.0.1:{running.ports['nats']}"
    arguments = (address, clinic.name, own.replace(WARD, OTHER), own, json.dumps(alien))
    done = run(language, *PROBES[language], *arguments, secret=clinic.secret)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("DONE")] == ["DONE said of another unit"], done.stdout
    heard = [line for line in lines if line.startswith("refused read ")]
    assert len(heard) == 5 and all("permissions violation" in line.lower() for line in heard), "silence is no refusal"
    assert len(lines) >= 16
    after = asyncio.run(state(running))
    assert after == before | {"messages": before["messages"] + 1}
    assert refused_for(running, alien) == "wrong_subject"
    assert stored_of(running, clinic, OTHER) == 0


async def state(centre: Instance) -> dict[str, Any]:
    """What the broker keeps of events, and who reads it there."""
    async with bus.connected(settings_of(centre, "admin"), "test") as client:
        js = client.jetstream()
        info = (await js.stream_info("EVENTS")).state
        consumers = sorted(one.name for one in await js.consumers_info("EVENTS"))
        return {"messages": info.messages, "first": info.first_seq, "consumers": consumers}


def stored_of(centre: Instance, holder: Holder, unit: str) -> int:
    with psycopg.connect(settings_of(centre, "cli").database("reader"), autocommit=True) as conn:
        row = conn.execute("SELECT count(*) FROM event WHERE unit = %s AND starts_with(source, %s)",
                           [unit, holder.source]).fetchone()  # fmt: skip
    return int(row[0]) if row else 0
