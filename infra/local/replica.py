"""A replica of our database for readers: copied from the running primary, then following it through a slot.

The slot keeps what the replica has not taken yet, up to a limit, so that a dead replica cannot fill the primary's disk.
One that was away for longer can follow no more, and is copied anew.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from infra.local import cluster
from infra.local.paths import SetupError
from infra.local.ports import LOOPBACK
from infra.local.processes import external
from infra.timescaledb.roles import DATABASE, REPLICATION

NAME = "timescaledb_replica"
SLOT = "ioc_replica"


def prepare(
    folder: Path,
    programs: Mapping[str, Path],
    account: pwd.struct_passwd,
    ports: Mapping[str, int],
    password_of: Callable[[str], str],
    say: Callable[[str], None],
) -> None:
    """Copy the primary into `folder`/cluster where there is no copy that can follow it, and write the configuration."""
    primary = {"host": LOOPBACK, "port": str(ports["timescaledb"])}
    source = primary | {"user": REPLICATION, "password": password_of(REPLICATION)}
    administration = primary | {"user": cluster.SUPERUSER, "password": password_of(cluster.SUPERUSER)}
    superuser = make_conninfo(**administration, dbname="postgres")
    copy = folder / "cluster"
    if copy.exists() and is_lost(superuser):
        say("the replica was away too long: the primary no longer has what it missed; it is copied anew")
        shutil.rmtree(copy)
    if not copy.exists():
        cluster.make_folder(folder, account)
        _renew_slot(superuser)
        _copy(folder, programs["pg_basebackup"], account, source)
    follow = f"primary_conninfo = '{make_conninfo(**source, application_name=SLOT)}'\n"
    own = (cluster.CONFIGURATION / "replica.conf").read_text()
    cluster.write_configuration(copy, account, ports[NAME], own + follow)
    (copy / "standby.signal").touch()


def reader_url(data: Path, ports: Mapping[str, int]) -> str | None:
    """The replica's address with the primary's behind it, for when it does not answer; None where there is none."""
    if external(NAME) or not (data / NAME / "cluster").exists():
        return None
    return f"postgresql://{LOOPBACK}:{ports[NAME]},{LOOPBACK}:{ports['timescaledb']}/{DATABASE}"


def is_lost(superuser: str) -> bool:
    """Whether the primary has no slot for a replica, or could not keep what its replica missed; False if it is down."""
    try:
        with psycopg.connect(superuser, connect_timeout=5) as conn:
            row = conn.execute("SELECT wal_status FROM pg_replication_slots WHERE slot_name = %s", [SLOT]).fetchone()
    except psycopg.OperationalError:
        return False
    return row is None or row[0] == "lost"


def _renew_slot(superuser: str) -> None:
    try:
        with psycopg.connect(superuser, connect_timeout=5) as conn:
            conn.execute(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s", [SLOT]
            )
            conn.execute("SELECT pg_create_physical_replication_slot(%s, true)", [SLOT])
    except psycopg.Error as problem:
        raise SetupError(f"a replica is copied from the running timescaledb, which says: {problem}") from None


def _copy(folder: Path, program: Path, account: pwd.struct_passwd, source: Mapping[str, str]) -> None:
    # Made beside and renamed, so an interrupted copy leaves no half cluster.
    fresh = folder / "cluster.new"
    shutil.rmtree(fresh, ignore_errors=True)
    command = [str(program), "-D", str(fresh), "--checkpoint=fast", "--wal-method=stream", f"--slot={SLOT}"]
    command += [f"--host={source['host']}", f"--port={source['port']}", f"--username={source['user']}"]
    environment = {"LC_ALL": "C", "PATH": os.environ.get("PATH", os.defpath), "PGPASSWORD": source["password"]}
    done = subprocess.run(
        command,
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        **cluster.identity(account),
    )
    if done.returncode:
        raise SetupError(f"pg_basebackup could not copy the database into {folder}:\n{done.stderr.strip()}")
    fresh.rename(folder / "cluster")
