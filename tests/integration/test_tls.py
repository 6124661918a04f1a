"""TLS by configuration: doors with a certificate, and a centre whose broker and database are reached by TLS alone."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import certificates
import httpx
import paho.mqtt.client as mqtt
import psycopg
import pytest
from certificates import Certificates
from click.testing import CliRunner
from holders import Holder
from nats.aio.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from psycopg import sql
from pydantic import ValidationError
from support import free_port, output_of, serving
from visitors import PASSWORD, add_account

from infra.local import paths, ports
from infra.local.paths import CHECKOUT
from infra.local.servers import Instance
from schemas.contracts import samples
from services.centre.prepare import prepare, settings_of
from services.cli.app import main
from services.kit import bus
from services.kit.errors import Unavailable
from services.kit.settings import Settings

SECONDS = 30


@pytest.fixture(scope="module")
def files(open_folder: Path) -> Certificates:
    folder = open_folder / "certificates"
    folder.mkdir()
    return certificates.made(folder)


@pytest.fixture(scope="module")
def trusted(files: Certificates) -> ssl.SSLContext:
    """What trusts the authority."""
    return ssl.create_default_context(cafile=files.authority)


# --- doors ---


@contextmanager
def beside(centre: Instance, files: Certificates, user: str, module: str, *words: str) -> Iterator[str]:
    """The address of a process of its own that has the certificate."""
    port = free_port()
    own = {f"IOC_{user.upper()}_PORT": str(port), "IOC_HEALTH_PORT": str(free_port())}
    tls = {"IOC_TLS_CERTIFICATE": str(files.certificate), "IOC_TLS_KEY": str(files.key)}
    env = {**os.environ, **centre.env(user), **own, **tls}
    running = subprocess.Popen([sys.executable, "-m", module, *words], cwd=CHECKOUT, env=env)
    try:
        until(lambda: not ports.is_free(port))
        yield f"https://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(20)


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_the_emitters_speak_tls_alone_where_they_have_a_certificate(
    centre: Instance, files: Certificates, trusted: ssl.SSLContext
) -> None:
    with serving(centre, "aggregator"), beside(centre, files, "emitters", "services.ingest", "keys") as home:
        found = httpx.get(f"{home}/open311/discovery.json", verify=trusted, trust_env=False).json()
        assert found["endpoints"][0]["url"] == f"{home}/open311/v2"
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"{home}/open311/discovery.json", trust_env=False)
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{home.replace('https', 'http')}/open311/discovery.json", trust_env=False)


def test_at_the_board_a_session_by_tls_is_kept_for_tls(
    centre: Instance, files: Certificates, trusted: ssl.SSLContext
) -> None:
    add_account(centre, "tls-viewer", "viewer")
    browser = httpx.Client(verify=trusted, trust_env=False)
    with beside(centre, files, "board", "services.board") as home, browser:
        form = {"name": "tls-viewer", "password": PASSWORD, "next": "/"}
        entered = browser.post(f"{home}/login", data=form, headers={"origin": home})
        assert entered.status_code == 303 and "Secure" in entered.headers["set-cookie"]
        page = browser.get(home, headers={"accept": "text/html"})
        assert page.status_code == 200 and "max-age" in page.headers["strict-transport-security"]


def test_devices_speak_tls_where_the_broker_has_a_certificate(
    centre: Instance, files: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {"IOC_MQTT": "true", "IOC_TLS_CERTIFICATE": files.certificate, "IOC_TLS_KEY": files.key}
    with monkeypatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, str(value))
        centre.start(["nats"])
        patch.delenv("IOC_TLS_CERTIFICATE")
        patch.delenv("IOC_TLS_KEY")
        with serving(centre, "aggregator", "emitters"):
            holder = Holder(centre, "--system", "gis", "--units", "phuong_chon_thanh")
            device = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
            device.username_pw_set(holder.name, holder.secret)
            device.tls_set(ca_certs=str(files.authority))
            answers: list[bool] = []
            device.on_connect = lambda *said: answers.append(said[3].is_failure)
            device.connect("127.0.0.1", centre.ports["mqtt"])
            device.loop_start()
            until(lambda: answers == [False])
            device.disconnect()
            device.loop_stop()
            holder.said("revoke", holder.name)
    centre.start(["nats"])


def test_a_certificate_without_its_key_is_refused(files: Certificates) -> None:
    with pytest.raises(ValidationError, match="IOC_TLS_KEY"):
        Settings(tls_certificate=files.certificate)


# --- broker and database ---


@contextmanager
def broker(centre: Instance, folder: Path, *options: object) -> Iterator[int]:
    """A plain nats-server with one user; its port."""
    port = ports.free_port(14_322, ())
    flags = ("-a", "127.0.0.1", "-p", port, "-js", "-sd", folder, "--user", "u", "--pass", "p", *options)
    command = [str(part) for part in (centre.programs(["nats"])["nats-server"], *flags)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        until(lambda: not ports.is_free(port))
        yield port
    finally:
        process.terminate()
        process.wait()


async def reached(url: str, authority: Path | None, certificate: Path | None = None) -> bool:
    settings = Settings(nats_url=url, tls_ca=authority, nats_certificate=certificate)
    try:
        async with bus.connected(settings, "test") as client:
            return client.is_connected
    except Unavailable:
        return False


def test_a_broker_is_trusted_by_its_certificate_and_never_spoken_to_without(
    centre: Instance, files: Certificates, open_folder: Path, tmp_path: Path
) -> None:
    stranger = certificates.made(tmp_path).authority
    with broker(centre, open_folder / "with-tls", *by_tls(files)) as port:
        url = f"tls://u:p@127.0.0.1:{port}"
        assert [asyncio.run(reached(url, ca)) for ca in (files.authority, stranger, None)] == [True, False, False]
    with broker(centre, open_folder / "without") as port:
        assert asyncio.run(reached(f"nats://u:p@127.0.0.1:{port}", None))
        assert not asyncio.run(reached(f"tls://u:p@127.0.0.1:{port}", files.authority))


def by_tls(files: Certificates) -> tuple[object, ...]:
    return ("--tls", "--tlscert", files.certificate, "--tlskey", files.key)


def test_a_broker_may_be_known_by_its_very_certificate(
    centre: Instance, files: Certificates, open_folder: Path, tmp_path: Path
) -> None:
    stranger = certificates.made(tmp_path)
    chain = tmp_path / "chain.pem"
    chain.write_text(files.certificate.read_text() + stranger.authority.read_text())
    for number, (shown, known) in enumerate(((files, True), (stranger, False))):
        with broker(centre, open_folder / f"known-{number}", *by_tls(shown)) as port:
            assert asyncio.run(reached(f"tls://u:p@localhost:{port}", None, chain)) is known


def test_a_broker_that_comes_back_with_a_new_certificate_is_known_again(
    centre: Instance, files: Certificates, open_folder: Path, tmp_path: Path
) -> None:
    known, renewed = tmp_path / "known.pem", certificates.made(tmp_path)
    shutil.copy(files.certificate, known)

    async def goes_on() -> None:
        with broker(centre, open_folder / "renewed", *by_tls(files)) as port:
            settings = Settings(nats_url=f"tls://u:p@127.0.0.1:{port}", nats_certificate=known)
            attached = bus.attached(settings, "test")
            client = await attached.__aenter__()
            await until_connected(client, True)
        await until_connected(client, False)
        with broker(centre, open_folder / "renewed", *by_tls(renewed)):
            await asyncio.sleep(2)
            assert not client.is_connected
            shutil.copy(renewed.certificate, known)
            await until_connected(client, True)
            await attached.__aexit__(None, None, None)

    asyncio.run(goes_on())


async def until_connected(client: Client, so: bool) -> None:
    async with asyncio.timeout(SECONDS):
        while client.is_connected is not so:  # noqa: ASYNC110 (the client tells of it by no event)
            await asyncio.sleep(0.1)


def test_the_broker_of_a_centre_is_opened_to_other_machines_by_tls_alone(
    centre: Instance, files: Certificates, tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IOC_NATS_HOST", "127.0.0.2")
        with pytest.raises(paths.SetupError, match="IOC_TLS_CERTIFICATE"):
            centre.start(["nats"])
        patch.setenv("IOC_TLS_CERTIFICATE", str(files.certificate))
        patch.setenv("IOC_TLS_KEY", str(files.key))
        centre.start(["nats"])
        event = json.loads(samples()["vn.ioc.payment.made.v1"]["samples/payment.made.v1.json"])
        (tmp_path / "event.jsonl").write_text(json.dumps(event | {"id": "by-tls", "source": "/by-tls"}))
        with serving(centre, "aggregator"):
            assert output_of(centre, "emit", str(tmp_path / "event.jsonl"))
            with psycopg.connect(settings_of(centre, "aggregator").database("reader"), autocommit=True) as conn:
                until(lambda: conn.execute("SELECT FROM event WHERE source = '/by-tls'").rowcount == 1)
        address = f"cli:{centre.password('cli')}@127.0.0.2:{centre.ports['nats']}"
        ways = (("tls", None, files.certificate), ("tls", None, None), ("nats", None, None))
        assert [asyncio.run(reached(f"{way}://{address}", *trust)) for way, *trust in ways] == [True, False, False]
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", centre.ports["nats"]), 1).close()
    centre.start(["nats"])


@pytest.fixture
def database(centre: Instance, files: Certificates, open_folder: Path) -> Iterator[str]:
    """A database that lets its one user in by TLS; its address."""
    owner, folder = paths.run_as(), open_folder / "database-tls"
    folder.mkdir()
    for file in (files.certificate, files.key):
        copy = Path(shutil.copy(file, folder))
        os.chown(copy, owner.pw_uid, owner.pw_gid)
        copy.chmod(0o600)
    names = {"ssl_cert_file": folder / files.certificate.name, "ssl_key_file": folder / files.key.name, "ssl": "on"}
    with psycopg.connect(centre.superuser_conninfo, autocommit=True) as server:
        for name, value in names.items():
            server.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(str(value))))
        server.execute("SELECT pg_reload_conf()")
        server.execute("CREATE ROLE by_tls LOGIN PASSWORD 'secret'")
        server.execute("CREATE DATABASE by_tls OWNER by_tls")
    with psycopg.connect(centre.superuser_conninfo, dbname="by_tls", autocommit=True) as its:
        its.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
    yield f"postgresql://by_tls:secret@127.0.0.1:{centre.ports['timescaledb']}/by_tls?sslmode=verify-full"
    with psycopg.connect(centre.superuser_conninfo, autocommit=True) as server:
        server.execute("DROP DATABASE by_tls WITH (FORCE)")
        server.execute("DROP ROLE by_tls")
        for name in names:
            server.execute(sql.SQL("ALTER SYSTEM RESET {}").format(sql.Identifier(name)))
        server.execute("SELECT pg_reload_conf()")


def test_a_centre_works_with_a_broker_and_a_database_by_tls(
    centre: Instance,
    files: Certificates,
    database: str,
    open_folder: Path,
    new_instance: Callable[[Path], Instance],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = open_folder / "by-tls"
    with broker(centre, open_folder / "by-tls-nats", *by_tls(files)) as port, pytest.MonkeyPatch.context() as patch:
        patch.setenv("IOC_NATS_URL", f"tls://u:p@127.0.0.1:{port}")
        patch.setenv("IOC_DATABASE_URL", database)
        patch.setenv("IOC_TLS_CA", str(files.authority))
        patch.setenv("IOC_HOME", str(home))
        own = new_instance(home / "main")
        try:
            own.start(["nats", "timescaledb"])
            prepare(own)
            own.start_services(["aggregator"])
            (home / "first.jsonl").write_text(
                samples()["vn.ioc.payment.made.v1"]["samples/payment.made.v1.json"].replace("\n", "")
            )
            sent = CliRunner().invoke(main, ["--instance", "main", "emit", str(home / "first.jsonl")])
            assert sent.exit_code == 0, sent.output
            with psycopg.connect(settings_of(own, "aggregator").database("reader"), autocommit=True) as conn:
                until(lambda: conn.execute("SELECT count(*) FROM event").fetchone() == (1,))
            with psycopg.connect(centre.superuser_conninfo) as server:
                lines = server.execute(
                    "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'by_tls'"
                ).fetchall()
            assert lines == [(True,)]
        finally:
            own.stop()
