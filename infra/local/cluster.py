"""The database's own folder: made once by initdb, configured anew at every start."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from infra.local import orphans
from infra.local.paths import SetupError
from infra.local.secrets import write_private

SUPERUSER = "postgres"
CONFIGURATION = Path(__file__).resolve().parents[1] / "timescaledb"


def prepare(
    folder: Path, programs: Mapping[str, Path], account: pwd.struct_passwd, port: int, password_of: Callable[[str], str]
) -> None:
    """Make the cluster in `folder`/cluster if there is none, and write its configuration."""
    make_folder(folder, account)
    cluster = folder / "cluster"
    if not cluster.exists():
        _initialise(folder, cluster, programs["initdb"], account, password_of(SUPERUSER))
    write_configuration(cluster, account, port)


def make_folder(folder: Path, account: pwd.struct_passwd) -> None:
    """Make a folder that PostgreSQL's account alone may enter."""
    folder.mkdir(parents=True, exist_ok=True)
    _give(folder, account)


def write_configuration(cluster: Path, account: pwd.struct_passwd, port: int, more: str = "") -> None:
    """Write the configuration of the server in `cluster`; `more` is added to the settings that all servers share."""
    settings = (CONFIGURATION / "postgresql.conf").read_text() + f"\nport = {port}\n{more}"
    for name, text in {"postgresql.conf": settings, "pg_hba.conf": (CONFIGURATION / "pg_hba.conf").read_text()}.items():
        write_private(cluster / name, text)
        _give(cluster / name, account)
    _drop_strange_lock(cluster / "postmaster.pid")


def identity(account: pwd.struct_passwd) -> dict[str, Any]:
    """What makes a subprocess run as PostgreSQL's account when root starts it."""
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}


def _initialise(folder: Path, cluster: Path, initdb: Path, account: pwd.struct_passwd, password: str) -> None:
    # Made beside and renamed, so an interrupted initdb leaves no half cluster.
    fresh, password_file = folder / "cluster.new", folder / "password"
    shutil.rmtree(fresh, ignore_errors=True)
    write_private(password_file, password)
    _give(password_file, account)
    options = ["--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", f"--username={SUPERUSER}"]
    command = [str(initdb), *options, f"--pwfile={password_file}", "-D", str(fresh)]
    environment = {"LC_ALL": "C", "PATH": os.environ.get("PATH", os.defpath)}
    try:
        done = subprocess.run(
            command, cwd="/", env=environment, capture_output=True, text=True, check=False, **identity(account)
        )
    finally:
        password_file.unlink()
    if done.returncode:
        raise SetupError(f"initdb could not make the database in {folder}:\n{done.stderr.strip()}")
    fresh.rename(cluster)


def _drop_strange_lock(lock: Path) -> None:
    """Remove a crashed server's lock file whose process id now belongs to a program that is no PostgreSQL.

    PostgreSQL itself deals with ids of nobody; it refuses to start only when a stranger got the id.
    """
    if lock.exists():
        line = orphans.command_line(int(lock.read_text().split()[0]))
        if line and "postgres" not in Path(line[0]).name:
            lock.unlink()


def _give(path: Path, account: pwd.struct_passwd) -> None:
    path.chmod(0o700 if path.is_dir() else 0o600)
    if os.geteuid() == 0:
        os.chown(path, account.pw_uid, account.pw_gid)
