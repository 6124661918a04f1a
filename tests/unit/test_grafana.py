"""Grafana beside a centre: its files are filled in as they should be, and it is started where it is installed.

No Grafana can be had here, so nothing shows that the real one takes these files; a program of the same name stands in
for it where the question is only whether it is found and how it is called.
"""

from __future__ import annotations

import configparser
import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.local import configure, doctor, provision
from infra.local.processes import BY_NAME, DEFAULT_PORTS, SERVERS
from infra.local.servers import CREDENTIALS, Instance
from infra.timescaledb.roles import ROLES

PORTS = {**DEFAULT_PORTS, "grafana": 13000, "prometheus": 19090, "timescaledb": 15433}
BUNDLE = next(bundle for bundle in provision.BUNDLES if bundle.name == "grafana")


def written(data: Path) -> Path:
    configure.grafana(data, PORTS)
    return data / "grafana"


def provisioned(folder: Path, kind: str) -> Any:
    return yaml.safe_load((folder / f"provisioning/{kind}/ioc.yml").read_text())


def test_grafana_listens_on_loopback_and_calls_nobody(tmp_path: Path) -> None:
    ini = configparser.ConfigParser(interpolation=None)
    ini.read(written(tmp_path) / "grafana.ini")
    assert (ini["server"]["http_addr"], ini["server"]["http_port"]) == ("127.0.0.1", "13000")
    off = {"analytics": ("reporting_enabled", "check_for_updates", "check_for_plugin_updates"),
           "news": ("news_feed_enabled",), "snapshots": ("external_enabled",), "auth.anonymous": ("enabled",),
           "security": ("allow_embedding",), "plugins": ("plugin_admin_enabled",)}  # fmt: skip
    assert [(part, key) for part, keys in off.items() for key in keys if ini.getboolean(part, key)] == []
    assert ini.getboolean("security", "disable_gravatar")
    assert ini["security"]["admin_password"] == f"$__file{{{tmp_path}/secrets/grafana_admin}}"
    assert Path(ini["dashboards"]["default_home_dashboard_path"]).exists()
    assert {"grafana_admin", "grafana_key"} <= set(CREDENTIALS)


def test_data_sources_have_fixed_uids_and_a_role_that_reads(tmp_path: Path) -> None:
    prometheus, database = provisioned(written(tmp_path), "datasources")["datasources"]
    assert (prometheus["uid"], prometheus["url"]) == ("ioc-prometheus", "http://127.0.0.1:19090")
    assert (database["uid"], database["url"], database["user"]) == ("ioc-timescaledb", "127.0.0.1:15433", "ioc_grafana")
    assert database["user"] in ROLES
    assert database["jsonData"]["sslmode"] == "disable"
    assert database["secureJsonData"]["password"] == f"$__file{{{tmp_path}/secrets/ioc_grafana}}"
    assert not any(source["editable"] for source in (prometheus, database))


def test_a_database_of_the_operators_own_is_named_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IOC_DATABASE_URL", "postgresql://a%40b:p%24w%22@db.example:6000/centre?sslmode=require")
    database = provisioned(written(tmp_path), "datasources")["datasources"][1]
    assert (database["url"], database["user"]) == ("db.example:6000", "a@b")
    assert database["jsonData"] | {"database": "centre", "sslmode": "require"} == database["jsonData"]
    assert database["secureJsonData"]["password"] == 'p$$w"'  # Grafana reads $$ as $


def test_dashboards_come_from_the_checkout_in_two_folders(tmp_path: Path) -> None:
    providers = provisioned(written(tmp_path), "dashboards")["providers"]
    assert [provider["folder"] for provider in providers] == ["Trung tâm điều hành", "Operations centre"]
    for provider in providers:
        assert provider["disableDeletion"] and not provider["allowUiUpdates"]
        found = [json.loads(file.read_text()) for file in Path(provider["options"]["path"]).glob("*.json")]
        assert len(found) == 10


def test_its_files_are_private(tmp_path: Path) -> None:
    files = [file for file in written(tmp_path).rglob("*") if file.is_file()]
    assert len(files) == 3
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def stand_in(folder: Path) -> Path:
    program = folder / "grafana/bin/grafana"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return program


def test_an_installed_grafana_is_found_and_called_with_our_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = stand_in(tmp_path)
    link = tmp_path / "usr/bin/grafana"
    link.parent.mkdir(parents=True)
    link.symlink_to(program)
    monkeypatch.setenv("PATH", f"{link.parent}{os.pathsep}{os.environ['PATH']}")
    centre = Instance(tmp_path / "centre", tmp_path / "runtime")
    assert centre.programs(["grafana"])["grafana"].resolve() == program
    called = centre._program(BY_NAME["grafana"]).command
    assert called[1:] == (
        "server", f"--homepath={tmp_path}/grafana", f"--config={tmp_path}/centre/grafana/grafana.ini",
    )  # fmt: skip
    assert doctor._bundle(centre, BUNDLE).verdict == "good"


def test_a_centre_does_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    if provision.locate(tmp_path, BUNDLE):
        pytest.skip("Grafana is installed here")
    said: list[str] = []
    Instance(tmp_path / "centre", tmp_path / "runtime").start_grafana(said.append)
    assert len(said) == 1 and "vendor's package" in said[0] and "Compose" in said[0]
    assert doctor._bundle(Instance(tmp_path / "centre"), BUNDLE).verdict == "warn"
    assert "grafana" not in SERVERS
