"""Where things lie: the checkout, the home of all state, and the account that PostgreSQL runs as."""

import hashlib
import os
import pwd
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
SYSTEM = Path("/var/lib/ioc")


class SetupError(Exception):
    """The machine lacks something; the message says what and how to get it."""


def checked(*command: str | Path) -> None:
    """Run a program to its end; `SetupError` with what it said where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip() or f"it ended with {done.returncode} and said nothing"
        raise SetupError(f"{Path(command[0]).name}: {said}")


def run_as() -> pwd.struct_passwd:
    """The account that PostgreSQL runs as: the invoking user, or `IOC_RUN_AS` (default `nobody`) for root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    name = os.environ.get("IOC_RUN_AS", "nobody")
    try:
        account = pwd.getpwnam(name)
    except KeyError:
        raise SetupError(f"IOC_RUN_AS names the account {name!r}, which this machine does not have") from None
    if account.pw_uid == 0:
        raise SetupError("IOC_RUN_AS may not be root: PostgreSQL refuses to run as root; name another account")
    return account


@contextmanager
def usual_modes() -> Iterator[None]:
    """What is made inside can be read and passed through by the account of PostgreSQL, whatever the caller's umask;
    what is private says so when it is made."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


def can_reach(path: Path, account: pwd.struct_passwd) -> bool:
    """Whether `account` may pass through every existing folder from the root down to `path`."""
    groups = set(os.getgrouplist(account.pw_name, account.pw_gid))
    try:
        folders = [folder for folder in (path, *path.parents) if folder.is_dir()]
        return all(_may_enter(folder.stat(), account.pw_uid, groups) for folder in folders)
    except PermissionError:
        return False


def _may_enter(folder: os.stat_result, uid: int, groups: set[int]) -> bool:
    if folder.st_uid == uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    if folder.st_gid in groups:
        return bool(folder.st_mode & stat.S_IXGRP)
    return bool(folder.st_mode & stat.S_IXOTH)


def home() -> Path:
    """The folder of all state: `IOC_HOME`, else `.ioc` in the checkout.

    Root's checkout often lies in a home that no other account may enter; PostgreSQL runs as another
    account, so the state then goes below `/var/lib/ioc`.
    """
    named = os.environ.get("IOC_HOME")
    if named:
        return Path(named).expanduser().resolve()
    # The checkout's own folder can be opened, and is, by `open_way`; a home above it is not ours to open.
    if can_reach(CHECKOUT.parent, run_as()):
        return CHECKOUT / ".ioc"
    short = hashlib.sha256(os.fsencode(CHECKOUT)).hexdigest()[:12]
    return SYSTEM / short


def open_way(path: Path) -> None:
    """Let every account pass through the folders of ours that lead to `path`: an earlier start, or whoever made the
    checkout, may have made them with a narrow umask. What lies in them stays as readable as it was."""
    ours = (CHECKOUT, SYSTEM, home())
    for folder in (path, *path.parents):
        if any(folder.is_relative_to(top) for top in ours) and folder.is_dir():
            mode = folder.stat()
            if mode.st_uid == os.geteuid() and not mode.st_mode & stat.S_IXOTH:
                folder.chmod(stat.S_IMODE(mode.st_mode) | 0o011)


def require_reachable(path: Path) -> None:
    """Raise `SetupError` when PostgreSQL's account can't reach `path`."""
    account = run_as()
    if not can_reach(path, account):
        raise SetupError(
            f"{path} can't be reached by the account {account.pw_name!r}, which PostgreSQL runs as: "
            "set IOC_HOME to a folder outside private homes, or IOC_RUN_AS to an account that may enter it"
        )
