"""The emitter for programs of one's own, against a real centre: typed, kept on disk, sent when the centre is there."""

from __future__ import annotations

import asyncio
import random
import re
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from string import ascii_lowercase

import psycopg
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pydantic import ValidationError
from receiver import receiving
from support import output_of, serving

from infra.local.paths import CHECKOUT
from infra.local.servers import Instance
from schemas.envelope import Invalid
from schemas.health import VisitsReported
from services.centre.prepare import settings_of
from services.emit import AsyncEmitter, Emitter, OutboxFailed, Refusal
from services.emit.emitter import FIRST_PAUSE

WARD, OTHER = "phuong_chon_thanh", "phuong_minh_hung"
DAY = date(2026, 11, 20)


def visits(number: int) -> VisitsReported:
    return VisitsReported(facility=f"tram_{number}", day=DAY, visits=41, insured=38)


class Place:
    """A centre, a key of it, and a source of one's own below the key's."""

    def __init__(self, centre: Instance, secret: str, source: str) -> None:
        self.centre, self.secret, self.source = centre, secret, source
        self.url = f"http://127.0.0.1:{centre.ports['emitters']}"

    def emitter(self, outbox: Path, **options: object) -> Emitter:
        return Emitter(self.url, self.secret, self.source, outbox, **options)  # type: ignore[arg-type]

    def stored(self) -> list[str]:
        """The facilities of what the log has of this key, in the order of their names."""
        with psycopg.connect(settings_of(self.centre, "cli").database("reader")) as conn:
            sql = "SELECT data ->> 'facility' FROM event WHERE source = %s ORDER BY 1"
            return [row[0] for row in conn.execute(sql, [self.source]).fetchall()]

    def until_stored(self, number: int) -> list[str]:
        end = time.monotonic() + 60
        while len(found := self.stored()) < number and time.monotonic() < end:
            time.sleep(0.2)
        return found


@pytest.fixture(scope="module")
def running(centre: Instance) -> Iterator[Instance]:
    with serving(centre, "aggregator", "emitters"):
        yield centre


@pytest.fixture(scope="module")
def key(running: Instance) -> Iterator[tuple[str, str]]:
    """The name and the secret of a key that reports health in one ward."""
    name = "".join(random.choices(ascii_lowercase, k=12))
    bounds = ("--system", "health", "--units", WARD, "--rate", "2000")
    yield name, output_of(running, "keys", "create", name, *bounds).split()[-1]
    output_of(running, "keys", "revoke", name)


@pytest.fixture
def place(running: Instance, key: tuple[str, str], request: pytest.FixtureRequest) -> Place:
    name, secret = key
    return Place(running, secret, f"/{name}/{request.node.name}")


def test_what_is_emitted_is_in_the_log_once(place: Place, tmp_path: Path) -> None:
    at = datetime.now(UTC)
    with place.emitter(tmp_path / "outbox") as emitter:
        for number in range(500):
            emitter.emit(visits(number), WARD)
        first, again = (emitter.emit(visits(900), WARD, at) for _ in range(2))
        assert first == again
        assert emitter.flush(60)
    assert len(place.until_stored(501)) == 501
    assert len(set(place.stored())) == 501


def test_an_event_loop_is_not_held_up(place: Place, tmp_path: Path) -> None:
    async def work() -> None:
        async with AsyncEmitter(place.url, place.secret, place.source, tmp_path / "outbox") as emitter:
            await asyncio.gather(*(emitter.emit(visits(number), WARD) for number in range(50)))
            assert await emitter.flush(60)

    asyncio.run(work())
    assert len(place.until_stored(50)) == 50


def test_a_key_that_signs_never_sends_its_secret(running: Instance, tmp_path: Path) -> None:
    name = "".join(random.choices(ascii_lowercase, k=12))
    bounds = ("--system", "health", "--units", WARD, "--signed")
    secret = output_of(running, "keys", "create", name, *bounds).split()[-1]
    place = Place(running, secret, f"/{name}")
    with receiving() as heard:
        url = f"http://127.0.0.1:{heard.port}"
        with Emitter(url, secret, place.source, tmp_path / "heard", key=name) as emitter:
            emitter.emit(visits(0), WARD)
            emitter.flush(2)
    assert heard.got and secret not in str(heard.got)
    with place.emitter(tmp_path / "outbox", key=name) as emitter:
        for number in range(20):
            emitter.emit(visits(number), WARD)
        assert emitter.flush(60), emitter.problem
    assert len(place.until_stored(20)) == 20
    with place.emitter(tmp_path / "opened") as emitter:
        emitter.emit(visits(30), WARD)
        assert not emitter.flush(2) and "401" in (emitter.problem or ""), "shown as a token it opens nothing"
    output_of(running, "keys", "revoke", name)


def test_while_the_centre_is_away_events_wait_on_disk(place: Place, tmp_path: Path) -> None:
    with place.emitter(tmp_path / "outbox") as emitter:
        place.centre.stop_process("emitters")
        try:
            for number in range(20):
                emitter.emit(visits(number), WARD)
            assert not emitter.flush(1.0)
            assert emitter.waiting == 20
            assert "ConnectError" in (emitter.problem or "")
        finally:
            place.centre.start_services(["emitters"])
        assert emitter.flush(60)
    assert len(place.until_stored(20)) == 20


def test_while_the_broker_is_away_events_wait_on_disk(place: Place, tmp_path: Path) -> None:
    with place.emitter(tmp_path / "outbox") as emitter:
        place.centre.stop_process("nats")
        try:
            for number in range(20):
                emitter.emit(visits(number), WARD)
            end = time.monotonic() + 30
            while emitter.problem is None:
                assert time.monotonic() < end
                time.sleep(0.1)
            assert emitter.problem == "the broker takes nothing"
            assert (emitter.waiting, emitter.refused) == (20, [])
        finally:
            place.centre.start_process("nats")
            place.centre.wait_ready("nats", 20)
        assert emitter.flush(60), emitter.problem
    assert len(place.until_stored(20)) == 20


def test_what_of_a_batch_is_not_taken_now_is_sent_again_alone(tmp_path: Path) -> None:
    with Emitter("http://127.0.0.1:9", "iock_x", "/x", tmp_path / "outbox") as emitter:
        emitter.problem = "nobody is there"
        ids = [emitter.emit(visits(number), WARD).id for number in range(4)]
    taken, later = {"status": 202}, {"status": 503, "reasons": ["the broker is full"]}
    never = {"status": 422, "reasons": ["data: is wrong"]}
    refused: list[Refusal] = []
    with receiving() as centre:
        centre.answers["/events"] = [
            {"items": [taken, later, never, later]},
            {"items": [later, taken]},
            {"items": [taken]},
        ]
        url = f"http://127.0.0.1:{centre.port}"
        with Emitter(url, "iock_x", "/x", tmp_path / "outbox", refused.append) as emitter:
            assert emitter.flush(30), emitter.problem
            end = time.monotonic() + 30
            while emitter.problem and time.monotonic() < end:
                time.sleep(0.02)
            assert emitter.problem is None
        sent = [[event["id"] for event in request.body] for request in centre.got]
        assert all(after.at - before.at >= FIRST_PAUSE for before, after in pairwise(centre.got))
    assert sent == [ids, [ids[1], ids[3]], [ids[1]]]
    assert [(one.event["id"], one.why) for one in refused] == [(ids[2], "data: is wrong")]


def test_what_a_killed_program_had_emitted_is_sent_by_the_next_one(place: Place, tmp_path: Path) -> None:
    program = f"""
        import os, signal
        from datetime import date
        from pathlib import Path
        from schemas.health import VisitsReported
        from services.emit import Emitter
        emitter = Emitter("http://127.0.0.1:9", "iock_x", {place.source!r}, Path({str(tmp_path / "outbox")!r}))
        for number in range(10):
            said = VisitsReported(facility=f"tram_{{number}}", day=date(2026, 11, 20), visits=1, insured=0)
            emitter.emit(said, {WARD!r})
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], cwd=CHECKOUT, capture_output=True)
    assert done.returncode == -9, done.stderr
    with place.emitter(tmp_path / "outbox") as emitter:
        assert emitter.flush(60)
    assert len(place.until_stored(10)) == 10


def test_what_the_centre_never_takes_is_told_and_kept_aside(place: Place, tmp_path: Path) -> None:
    refused: list[Refusal] = []
    with place.emitter(tmp_path / "outbox", on_refused=refused.append) as emitter:
        emitter.emit(visits(1), OTHER)
        emitter.emit(visits(2), WARD)
        assert emitter.flush(60)
        assert [one.event["unit"] for one in refused] == [OTHER]
        assert refused[0].why.startswith("unit:")
        assert emitter.refused == refused
    assert place.until_stored(1) == ["tram_2"]


def test_a_program_that_fails_over_a_refusal_goes_on_sending(place: Place, tmp_path: Path) -> None:
    def fail(refusal: Refusal) -> None:
        raise RuntimeError("the program's own fault")

    with place.emitter(tmp_path / "outbox", on_refused=fail) as emitter:
        emitter.emit(visits(1), OTHER)
        assert emitter.flush(60)
        emitter.emit(visits(2), WARD)
        assert emitter.flush(20), emitter.problem
    assert place.until_stored(1) == ["tram_2"]


def test_what_is_wrong_is_told_at_once_and_not_kept(tmp_path: Path) -> None:
    with Emitter("http://127.0.0.1:9", "iock_x", "/x", tmp_path / "outbox") as emitter:
        emitter.problem = "nobody is there"
        with pytest.raises(ValidationError, match="id"):
            emitter.emit(visits(1), WARD, id="a b")
        with pytest.raises(Invalid, match="nowhere"):
            emitter.emit(visits(1), "nowhere_at_all")
        with pytest.raises(Invalid, match="personal"):
            emitter.emit(visits(1), WARD, id="0912345678")
        assert emitter.waiting == 0


def test_a_disk_that_takes_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutboxFailed, match="name a file"):
        Emitter("http://127.0.0.1:9", "x", "/x", tmp_path / "no" / "such" / "folder")


def test_a_key_that_is_wrong_loses_nothing(running: Instance, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{running.ports['emitters']}"
    with Emitter(url, "iock_" + "x" * 43, "/x", tmp_path / "outbox") as emitter:
        emitter.emit(visits(1), WARD)
        assert not emitter.flush(2.0)
        assert (emitter.problem or "").startswith("401")
        assert emitter.waiting == 1


def test_the_example_of_the_documents_works(place: Place, tmp_path: Path) -> None:
    text = (CHECKOUT / "docs" / "emitter.md").read_text(encoding="utf-8")
    example = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0]
    known = {"http://127.0.0.1:8010": place.url, "/tram-y-te": place.source, "iock_…": place.secret}
    for said, ours in known.items():
        assert said in example
        example = example.replace(said, ours)
    done = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, env={"PYTHONPATH": str(CHECKOUT)}, text=True,
                          capture_output=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert place.until_stored(1) == ["tram_y_te"]


def test_it_can_be_installed_alone(tmp_path: Path) -> None:
    """Its wheel, and the packages that the wheel asks for: with nothing else there it keeps events and sends them."""
    for part in ("schemas", "services/__init__.py", "services/emit"):
        source, target = CHECKOUT / part, tmp_path / "sources" / part
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    build = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    emit = tmp_path / "sources/services/emit"
    subprocess.run([sys.executable, "-c", build, tmp_path], cwd=emit, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    alone = tmp_path / "alone"
    shutil.unpack_archive(wheel, alone, "zip")
    assert sorted(folder.name for folder in (alone / "services").iterdir()) == ["emit"]
    for distribution in asked_for(next(alone.glob("*.dist-info"))):
        for top in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
            (alone / top).symlink_to(str(distribution.locate_file(top)))
    program = """
        import json, sys
        from datetime import date
        sys.path[:0] = [sys.argv[1]]
        from services.emit import Emitter
        from schemas.health import VisitsReported
        with Emitter(sys.argv[2], "iock_x", "/x", sys.argv[3]) as emitter:
            emitter.emit(VisitsReported(facility="tram", day=date(2026, 11, 20), visits=1, insured=0), sys.argv[4])
            assert emitter.flush(30), emitter.problem
    """
    with receiving() as centre:
        centre.answers["/events"] = [{"items": [{"at": 0, "status": 202}]}]
        url = f"http://127.0.0.1:{centre.port}"
        command = [sys.executable, "-I", "-S", "-c", textwrap.dedent(program), alone, url, tmp_path / "outbox", WARD]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert [event["data"]["facility"] for event in centre.got[0].body] == ["tram"]


def asked_for(info: Path) -> list[metadata.Distribution]:
    """The packages that a distribution asks for, and those that these ask for, as they are installed here."""
    found: dict[str, metadata.Distribution] = {}
    left = list(metadata.PathDistribution(info).requires or ())
    while left:
        wanted = Requirement(left.pop())
        name = canonicalize_name(wanted.name)
        if name not in found and (wanted.marker is None or wanted.marker.evaluate({"extra": ""})):
            found[name] = metadata.distribution(name)
            left += found[name].requires or ()
    return list(found.values())
