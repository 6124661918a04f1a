"""The small parts of running a centre on one machine: ports, secrets, the tables, whose process is whose."""

import os
import socket
import stat
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner
from support import free_port

from infra.local import doctor, orphans, paths, ports, provision, readiness, secrets
from infra.local.processes import BY_NAME, DEFAULT_PORTS, PROCESSES
from infra.local.supervise import Program, Supervisor, _section
from infra.nats import users
from services.centre import instance_selection
from services.cli.app import main


def test_a_free_port_is_kept_and_a_taken_one_moves() -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = stranger.getsockname()[1]
        settled, moved = ports.settle({"a": taken}, {"a": 1, "b": taken})
    assert settled["a"] != taken
    assert settled["b"] not in (taken, settled["a"])
    assert moved == {name: (taken, given) for name, given in settled.items()}


def test_settled_ports_survive_being_saved(tmp_path: Path) -> None:
    assert ports.load(tmp_path / "ports.json") == {}
    ports.save(tmp_path / "ports.json", {"nats": 4222})
    assert ports.load(tmp_path / "ports.json") == {"nats": 4222}
    assert list(tmp_path.iterdir()) == [tmp_path / "ports.json"]


def test_passwords_are_private_long_and_kept(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    secrets.ensure(folder, ["one", "two"])
    first = secrets.read(folder, "one")
    secrets.ensure(folder, ["one", "two"])
    assert secrets.read(folder, "one") == first != secrets.read(folder, "two")
    assert len(first) >= 40
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_a_private_file_replaces_an_open_one(tmp_path: Path) -> None:
    (tmp_path / "conf").write_text("old")
    (tmp_path / "conf").chmod(0o644)
    secrets.write_private(tmp_path / "conf", "new")
    assert (tmp_path / "conf").read_text() == "new"
    assert stat.S_IMODE((tmp_path / "conf").stat().st_mode) == 0o600


def test_default_ports_and_names_are_unique() -> None:
    assert len(set(DEFAULT_PORTS.values())) == len(DEFAULT_PORTS)
    assert len(BY_NAME) == len(PROCESSES)
    bundles = {bundle.name for bundle in provision.BUNDLES}
    assert {process.bundle for process in PROCESSES} - {""} == bundles - {"chromium"}  # for tests alone


def test_every_user_hears_its_own_inbox_alone() -> None:
    def password_of(name: str) -> str:
        return f"{name}-password"

    lines = [*users.render(password_of).splitlines(), users.system_user(password_of)]
    assert len(lines) == len(users.USERS)
    for user in users.USERS:
        (line,) = (line for line in lines if f"user: {user}," in line)
        heard = ", ".join(f'"{subject}"' for subject in (f"_INBOX_{user}.>", *users.HEARD.get(user, ())))
        assert f"subscribe: [{heard}]" in line
        assert f'password: "{user}-password"' in line
        # An empty list would mean no limits.
        assert users.PUBLISH[user] or 'publish: {deny: ">"}' in line


def test_no_user_may_say_everything() -> None:
    said = {subject for subjects in users.PUBLISH.values() for subject in subjects}
    assert not {subject for subject in said if subject in (">", "*", "ioc.>", "$JS.>", "$JS.API.>")}


def test_supervisor_lines_survive_percent_signs() -> None:
    assert _section("program:x", {"command": '"/a%b/c"'}) == '[program:x]\ncommand="/a%%b/c"\n'


SLOW_TO_STOP = """
import signal, sys, time

def stop(*_):
    begins = time.monotonic()
    time.sleep(1)
    open(sys.argv[1], "w").write(f"{begins} {time.monotonic()}")
    sys.exit()

signal.signal(signal.SIGTERM, stop)
open(sys.argv[1], "w")
time.sleep(600)
"""


def test_services_stop_together_and_what_they_lean_on_afterwards(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "logs").mkdir()
    program = tmp_path / "program.py"
    program.write_text(SLOW_TO_STOP)
    names = ("server", "one", "two")
    supervisor = Supervisor(tmp_path, free_port(), "password")
    supervisor.launch(
        Program(name, rank, (sys.executable, str(program), str(tmp_path / name)), tmp_path, {}, "TERM", 60, None)
        for rank, name in enumerate(names)
    )
    try:
        for name in names:
            supervisor.start(name)
        end = time.monotonic() + 60
        while not all((tmp_path / name).exists() for name in names):
            assert time.monotonic() < end, supervisor.states()
            time.sleep(0.05)
    finally:
        gone = supervisor.shutdown(names[1:], 120)
    assert gone
    server, one, two = (tuple(map(float, (tmp_path / name).read_text().split())) for name in names)
    assert max(one[0], two[0]) < min(one[1], two[1])
    assert server[0] >= max(one[1], two[1])


def test_only_a_process_with_our_mark_program_and_account_is_ours(tmp_path: Path) -> None:
    mark = f"ioc={tmp_path}"
    code = "import sys; print(flush=True); sys.stdin.read()"
    with (
        subprocess.Popen(
            [sys.executable, "-X", mark, "-c", code, "-m", "services.x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as ours,
        subprocess.Popen(
            ["sh", "-c", "echo; read line", mark], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as stranger,
    ):
        for process in (ours, stranger):
            assert process.stdout and process.stdout.readline()
        command = ["python3", "-X", mark, "-m", "services.x"]
        assert orphans.find(command, tmp_path, [os.getuid()]) == [ours.pid]
        assert orphans.find(command, tmp_path, [os.getuid() + 1]) == []
        assert orphans.find([*command[:-1], "services.y"], tmp_path, [os.getuid()]) == []
        assert orphans.find(command, tmp_path / "other", [os.getuid()]) == []
        orphans.end(ours.pid, "TERM", 5)
        assert stranger.poll() is None
        for process in (ours, stranger):
            assert process.stdin
            process.stdin.close()


def test_a_program_that_ignores_the_request_is_killed() -> None:
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline()
        orphans.end(process.pid, "TERM", 0.2)
        assert process.wait(5) == -9


def test_a_closed_folder_can_not_be_reached_by_another_account(tmp_path: Path) -> None:
    account = paths.run_as()
    (tmp_path / "private" / "data").mkdir(parents=True)
    (tmp_path / "private").chmod(0o700 if account.pw_uid != os.getuid() else 0o600)
    assert not paths.can_reach(tmp_path / "private" / "data", account)
    (tmp_path / "private").chmod(0o700)


def test_the_home_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IOC_HOME", str(tmp_path))
    assert paths.home() == tmp_path
    assert instance_selection.open_instance().data == tmp_path / "main"
    instance_selection.remember(instance_selection.open_instance("demo"))
    assert instance_selection.open_instance().data == tmp_path / "demo"


@pytest.mark.parametrize("name", ["../x", "runtime", "", "A", "a/b", "-x"])
def test_an_instances_name_stays_inside_the_home(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IOC_HOME", str(tmp_path))
    if not name:
        assert instance_selection.open_instance(name).data.name == "main"
        return
    with pytest.raises(paths.SetupError, match="can't name an instance"):
        instance_selection.open_instance(name)


def test_a_half_fetched_or_moved_bundle_does_not_count(tmp_path: Path) -> None:
    bundle = next(bundle for bundle in provision.BUNDLES if bundle.name == "prometheus")
    programs = tmp_path / "prometheus" / "usr" / "bin"
    programs.mkdir(parents=True)
    for names in bundle.programs.values():
        (programs / names[0]).write_text("#!/bin/sh\n")
        (programs / names[0]).chmod(0o755)
    stamp = tmp_path / "prometheus" / provision.STAMP
    found_elsewhere = provision.locate(tmp_path / "nothing", bundle)
    assert provision.locate(tmp_path, bundle) == found_elsewhere
    stamp.write_text("/another/place/prometheus")
    assert provision.locate(tmp_path, bundle) == found_elsewhere
    stamp.write_text(str(tmp_path / "prometheus"))
    assert provision.locate(tmp_path, bundle) == {name: programs / names[0] for name, names in bundle.programs.items()}


def test_folders_of_ours_are_opened_for_passing_through_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout, elsewhere = tmp_path / "home" / "checkout", tmp_path / "elsewhere"
    for folder in (checkout / ".ioc" / "main", elsewhere):
        folder.mkdir(parents=True)
    for folder in (checkout.parent, checkout, checkout / ".ioc", checkout / ".ioc" / "main", elsewhere):
        folder.chmod(0o700)
    monkeypatch.setattr(paths, "CHECKOUT", checkout)
    monkeypatch.setattr(paths, "SYSTEM", tmp_path / "none")
    monkeypatch.delenv("IOC_HOME", raising=False)
    paths.open_way(checkout / ".ioc" / "main")
    paths.open_way(elsewhere)
    opened = [checkout, checkout / ".ioc", checkout / ".ioc" / "main"]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in opened} == {0o711}
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (checkout.parent, elsewhere)} == {0o700}


def test_a_runtime_that_is_reached_by_a_link_is_the_same_and_is_not_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = next(bundle for bundle in provision.BUNDLES if bundle.name == "prometheus")
    own, link = tmp_path / "runtime", tmp_path / "link"
    programs = own / "prometheus/usr/bin"
    programs.mkdir(parents=True)
    link.symlink_to(own)
    for names in bundle.programs.values():
        (programs / names[0]).write_text("#!/bin/sh")
        (programs / names[0]).chmod(0o755)
    (own / "prometheus" / provision.STAMP).write_text(str(own / "prometheus"))
    monkeypatch.setattr(provision, "fetch", lambda *_: pytest.fail("it was fetched again"))
    assert provision.provide(link, {"prometheus"}, print) == {
        name: programs / names[0] for name, names in bundle.programs.items()
    }


def test_a_program_that_fails_without_a_word_is_still_given_a_reason() -> None:
    with pytest.raises(paths.SetupError, match="false: it ended with 1 and said nothing"):
        paths.checked("false")
    with pytest.raises(paths.SetupError, match="no-such-file"):
        paths.checked("ls", "no-such-file")


def test_a_first_start_asks_for_room_before_it_fetches_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IOC_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(doctor, "DISK_GB", 10**9)
    for command in ("up", "demo"):
        answer = CliRunner().invoke(main, [command])
        assert answer.exit_code == 1
        assert "GB free in" in answer.output
        assert "make room" in answer.output
    assert not (tmp_path / "home").exists()


SPINNING = "import os\nos.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\nwhile True:\n    pass"


def test_waiting_for_a_busy_processor_is_told_from_doing_nothing() -> None:
    with ExitStack() as ending:
        busy = [subprocess.Popen([sys.executable, "-c", SPINNING]) for _ in range(3)]
        idle = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        for process in (*busy, idle):
            ending.callback(process.wait)
            ending.callback(process.kill)
        end = time.monotonic() + 60
        while readiness.starved(busy[0].pid) < 1:
            assert time.monotonic() < end
            time.sleep(0.1)
        assert readiness.starved(idle.pid) < readiness.starved(busy[0].pid)
    assert readiness.starved(busy[0].pid) == 0.0  # it runs no more
