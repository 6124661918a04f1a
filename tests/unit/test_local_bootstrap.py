"""The `ioc` script hands over at once when its environment is ready, from wherever it is called."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.paths import CHECKOUT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in a folder with spaces whose environment is ready; its command tells what it was given."""
    root = tmp_path / "a check out"
    stamp = root / ".venv" / "ioc-install"
    (root / ".venv" / "bin").mkdir(parents=True)
    stamp.mkdir()
    for name in ("ioc", "pyproject.toml", "requirements.txt", "requirements-test.txt"):
        shutil.copy(CHECKOUT / name, root / name)
    for name in ("pyproject.toml", "requirements.txt"):
        shutil.copy(root / name, stamp / name)
    (stamp / "place").write_text(f"{root}\n")
    command = root / ".venv" / "bin" / "ioc"
    command.write_text('#!/bin/sh\nprintf "<%s>" "$@"\n')
    command.chmod(0o755)
    return root


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {"PATH": os.defpath} | environment
    return subprocess.run(command, cwd="/", env=variables, capture_output=True, text=True, check=False, timeout=120)


def test_arguments_arrive_as_given(checkout: Path) -> None:
    assert run(checkout / "ioc", "query", "a b", "", "*").stdout == "<query><a b><><*>"


def test_links_lead_to_the_checkout(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "ioc").symlink_to("../second")
    (tmp_path / "second").symlink_to(checkout / "ioc")
    assert run(tmp_path / "bin" / "ioc", "x").stdout == "<x>"
    assert run("/bin/sh", "-c", "ioc y", PATH=f"{tmp_path / 'bin'}:{os.defpath}").stdout == "<y>"


@pytest.mark.parametrize(
    "spoil", ["requirements.txt", "pyproject.toml", "ioc-install/place", "ioc-install/requirements.txt"]
)
def test_a_change_or_an_interrupted_install_is_noticed(checkout: Path, spoil: str) -> None:
    file = checkout / ".venv" / spoil if "/" in spoil else checkout / spoil
    file.write_text("changed\n")
    done = run(checkout / "ioc", "x", IOC_PYTHON="/bin/false")
    assert done.returncode != 0
    assert "installing into" in done.stderr


def test_tests_need_more_than_the_command_itself(checkout: Path) -> None:
    assert run(checkout / "ioc", "status").stdout == "<status>"
    assert "installing into" in run(checkout / "ioc", "test", IOC_PYTHON="/bin/false").stderr


def test_a_missing_python_is_said_with_what_to_install(checkout: Path, tmp_path: Path) -> None:
    (checkout / ".venv" / "ioc-install" / "place").unlink()
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("readlink", "mkdir", "flock", "cmp", "cat"):
        found = shutil.which(name, path=os.defpath)
        assert found
        (tools / name).symlink_to(found)
    done = run("/bin/sh", checkout / "ioc", PATH=str(tools))
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "apt install python3" in done.stderr


def as_another(folder: Path) -> tuple[str, ...]:
    """Words that start a command to which the folder, now another's, is closed for writing."""
    folder.chmod(0o755)
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
        return ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
    folder.chmod(0o555)
    return ()


def test_a_checkout_of_another_account_is_said_to_be_that(checkout: Path) -> None:
    (checkout / ".venv" / "ioc-install" / "place").unlink()
    done = run(*as_another(checkout), checkout / "ioc", "status")
    checkout.chmod(0o755)
    assert done.returncode == 1
    assert "may not write into" in done.stderr
    assert "make a checkout of your own" in done.stderr


def test_without_a_network_it_is_said_where_to_look(checkout: Path) -> None:
    """Nothing listens on this port."""
    shutil.rmtree(checkout / ".venv")
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
    done = run(checkout / "ioc", "status", IOC_PYTHON=sys.executable, **nowhere)
    assert done.returncode == 1
    assert "reaches no package server" in done.stderr


@pytest.mark.parametrize("mask", ["022", "027", "077"])
def test_what_an_install_makes_can_be_passed_through_whatever_the_umask(checkout: Path, mask: str) -> None:
    """The account of the database must reach its folder; the command that follows has the caller's umask again."""
    (checkout / ".venv" / "ioc-install" / "place").unlink()
    run("/bin/sh", "-c", f'umask {mask}; "$0" status', checkout / "ioc", IOC_PYTHON="/bin/false")
    assert stat.S_IMODE((checkout / ".ioc").stat().st_mode) == 0o755
