"""What containers' servers read, each held against its own checker, and the steps that `ioc compose` runs there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import yaml
from composefile import ROOT, ROWS_OF_OURS, SERVICES, mounts

from infra.docker import centre as container_centre
from infra.docker import configuration
from infra.local.cluster import identity, make_folder
from infra.local.configure import broker_storage
from infra.local.paths import run_as
from infra.local.ports import free_port
from infra.local.processes import DEFAULT_PORTS
from infra.local.servers import Instance
from services.centre import routine

STORAGE = 10 * 2**30


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration as the step `configure` writes it."""
    folder = tmp_path_factory.mktemp("compose")
    configuration.make_secrets(folder / "secrets")
    environment = os.environ | {"IOC_SECRETS": str(folder / "secrets"), "IOC_NATS_STORAGE": str(STORAGE)}
    command = [sys.executable, "-m", "services.cli", "compose", "configure", str(folder / "ioc")]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return folder


def _checked(*command: str | Path) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_broker_takes_its_configuration(written: Path, instance: Instance) -> None:
    file = written / "ioc/nats/server.conf"
    _checked(instance.programs(["nats"])["nats-server"], "-t", "-c", file)
    text = file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert f"max_file_store: {STORAGE}\n" in text
    assert "listen: 0.0.0.0:4222\nhttp: 0.0.0.0:8222\n" in text
    assert f'store_dir: "{configuration.STREAMS}"' in text
    assert (written / "secrets/aggregator").read_text() in text


def test_prometheus_takes_its_configuration_and_scrapes_each_service_by_name(written: Path, instance: Instance) -> None:
    file = written / "ioc/prometheus/prometheus.yml"
    _checked(instance.programs(["prometheus"])["promtool"], "check", "config", "--syntax-only", file)
    said = yaml.safe_load(file.read_text())
    jobs = {job["job_name"]: job for job in said["scrape_configs"]}
    targets = {c["labels"]["service"]: c["targets"] for c in jobs["services"]["static_configs"]}
    assert targets == {row.name: [f"{row.name}:{next(iter(row.ports.values()))}"] for row in ROWS_OF_OURS}
    assert said["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] == ["alertmanager:9093"]
    (rules,) = said["rule_files"]
    assert ("./infra/prometheus/rules", str(Path(rules).parent), True) in mounts("prometheus")


def test_alertmanager_takes_its_configuration_and_reads_a_password_that_it_holds(
    written: Path, instance: Instance
) -> None:
    file = written / "ioc/alertmanager/alertmanager.yml"
    _checked(instance.programs(["alertmanager"])["amtool"], "check-config", file)
    said = yaml.safe_load(file.read_text())
    (hook,) = (hook for receiver in said["receivers"] for hook in receiver.get("webhook_configs", []))
    assert hook["url"].startswith(f"http://notifier:{DEFAULT_PORTS['notifier']}/")
    held = {f"/run/secrets/{name}" for name in SERVICES["alertmanager"]["secrets"]}
    assert {hook["http_config"]["authorization"]["credentials_file"]} == held


def test_grafana_finds_its_sources_dashboards_and_passwords(written: Path) -> None:
    folder = written / "ioc/grafana"
    sources = yaml.safe_load((folder / "provisioning/datasources/ioc.yml").read_text())["datasources"]
    assert {s["uid"]: (s["type"], s["url"].removeprefix("http://")) for s in sources} == {
        "ioc-prometheus": ("prometheus", "prometheus:9090"),
        "ioc-timescaledb": ("grafana-postgresql-datasource", "timescaledb:5433"),
    }
    assert not any(source["editable"] for source in sources)
    providers = yaml.safe_load((folder / "provisioning/dashboards/ioc.yml").read_text())["providers"]
    mounted = {target for source, target, _ in mounts("grafana") if "dashboards" in source}
    assert {provider["options"]["path"] for provider in providers} == mounted
    text = "".join(file.read_text() for file in folder.rglob("*.*"))
    named = set(re.findall(r"\$__file\{/run/secrets/(\w+)\}", text))
    assert named == set(SERVICES["grafana"]["secrets"])
    assert SERVICES["grafana"]["environment"]["GF_PATHS_PROVISIONING"] == "/etc/ioc/grafana/provisioning"


def test_postgresql_starts_as_in_its_container(instance: Instance, open_folder: Path) -> None:
    """With the mounted files and the command's own settings, on a new cluster, as the image's first start does it."""
    programs, account = instance.programs(["timescaledb"]), run_as()
    home = open_folder / "container"
    make_folder(home, account)
    said = _mounted_settings(home)
    home_of = {"cwd": programs["postgres"].parents[1], "capture_output": True, "text": True, **identity(account)}
    options = ["--no-sync", "-U", "postgres", "--pwfile", home / "password", "-D", home / "data"]
    said_of_first_start = SERVICES["timescaledb"]["environment"]["POSTGRES_INITDB_ARGS"].split()
    subprocess.run([programs["initdb"], *options, *said_of_first_start], check=True, env={"LC_ALL": "C"}, **home_of)
    port = free_port(30000, ())  # below what the kernel gives out
    words = " ".join(f"-c {name}='{value}'" for name, value in (said | {"port": str(port)}).items())
    control = [programs["pg_ctl"], "-D", home / "data", "-w", "-l", home / "log"]
    started = subprocess.run([*control, "-o", words, "start"], check=False, **home_of)
    try:
        assert started.returncode == 0, (home / "log").read_text()
        with psycopg.connect(f"host=127.0.0.1 port={port} user=postgres password=sesame dbname=postgres") as conn:
            rules = conn.execute("SELECT type, auth_method, error FROM pg_hba_file_rules").fetchall()
            (loaded,) = conn.execute("SHOW shared_preload_libraries").fetchone() or ()
        assert rules == [("local", "peer", None), ("host", "scram-sha-256", None), ("host", "scram-sha-256", None)]
        assert loaded == "timescaledb"
        with pytest.raises(psycopg.OperationalError, match=r"Peer authentication failed|no password"):
            psycopg.connect(f"host={home} port={port} user=postgres dbname=postgres")
    finally:
        subprocess.run([*control, "-m", "fast", "stop"], check=False, **home_of)


def _mounted_settings(home: Path) -> dict[str, str]:
    """The settings of the container's command, its mounted files copied into `home`, where the server may read them."""
    parts = SERVICES["timescaledb"]["command"]
    assert parts[0] == "postgres" and set(parts[1::2]) == {"-c"}
    said = dict(part.split("=", 1) for part in parts[2::2])
    assert said["listen_addresses"] == "*" and said["unix_socket_directories"] in SERVICES["timescaledb"]["tmpfs"]
    files = {target: ROOT / source for source, target, _ in mounts("timescaledb") if source.startswith("./")}
    assert {said["config_file"], said["hba_file"]} == set(files)
    (home / "password").write_text("sesame")
    for target, source in files.items():
        shutil.copy(source, home / Path(target).name)
    here = {name: str(home / Path(said[name]).name) for name in ("config_file", "hba_file")}
    for file in home.iterdir():
        file.chmod(0o644)
    return said | here | {"unix_socket_directories": str(home), "listen_addresses": "127.0.0.1"}


# --- the steps ---


def test_secrets_are_made_once_closed_to_the_host_and_readable_in_containers(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    names = configuration.make_secrets(folder)
    first = {name: (folder / name).read_text() for name in names}
    assert len(set(first.values())) == len(names) and min(map(len, first.values())) >= 32
    (folder / names[0]).unlink()
    configuration.make_secrets(folder)
    second = {name: (folder / name).read_text() for name in names}
    assert {name for name in names if first[name] != second[name]} == {names[0]}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {(folder / name).stat().st_mode & 0o777 for name in names} == {0o444}


def test_backups_are_due_by_the_newest_and_the_oldest_go(tmp_path: Path) -> None:
    assert routine.seconds_left(tmp_path, 24, 1000.0) == 0
    for number, name in enumerate(("20260101T000000Z", "20260102T000000Z", "20260103T000000Z")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").touch()
        os.utime(tmp_path / name, (number * 3600.0, number * 3600.0))
    (tmp_path / "20260104T000000Z").mkdir()  # no backup: nothing in it
    assert routine.seconds_left(tmp_path, 24, 3 * 3600.0) == 23 * 3600
    routine.forget(tmp_path, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"2026010{n}T000000Z" for n in (2, 3, 4)]


def test_a_command_in_a_container_finds_the_centre_by_its_environment(centre: Instance, tmp_path: Path) -> None:
    """Database, roles and streams are prepared, and figures asked for, from addresses and password files alone."""
    environment = os.environ | {
        "IOC_INSTANCE": container_centre.NAME,
        "IOC_DATA": str(tmp_path),
        "IOC_SECRETS": str(centre.secrets),
        "IOC_NATS_URL": centre.nats_url,
        "IOC_DATABASE_URL": centre.database_url,
        # The streams of a centre that others look at stay as large as they are.
        "IOC_NATS_STORAGE": str(broker_storage(centre.data)),
    }
    for words in (["compose", "prepare"], ["query", "dossiers_received", "--format", "json"]):
        command = [sys.executable, "-m", "services.cli", *words]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
