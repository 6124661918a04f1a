"""Where the parts of a centre are reached on this machine, and with which credentials."""

import os
from collections.abc import Iterator
from pathlib import Path

from psycopg.conninfo import make_conninfo

from infra.local import cluster, ports, replica, secrets
from infra.local.processes import DEFAULT_PORTS, external
from infra.timescaledb.roles import DATABASE

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 (where something listens is not where it is reached)


class Endpoints:
    """Ports, addresses and passwords of the centre whose state lies in `data`."""

    def __init__(self, data: Path) -> None:
        self.data = data.resolve()
        self.secrets = self.data / "secrets"

    @property
    def ports(self) -> dict[str, int]:
        """The port of each door, by name; the defaults where none was settled yet."""
        return DEFAULT_PORTS | ports.load(self.data / "ports.json")

    @property
    def nats_url(self) -> str:
        """The broker's address, without credentials unless the operator named a broker of theirs."""
        opened = os.environ.get("IOC_NATS_HOST")
        host = ports.LOOPBACK if opened in (None, "", *EVERYWHERE) else opened
        return external("nats") or f"{'tls' if opened else 'nats'}://{host}:{self.ports['nats']}"

    @property
    def nats_certificate(self) -> str | None:
        """By which certificate the broker is known; None: by who signed it, or it shows none."""
        own = os.environ.get("IOC_NATS_HOST") and not external("nats")
        return os.environ.get("IOC_TLS_CERTIFICATE" if own else "IOC_NATS_CERTIFICATE")

    @property
    def database_url(self) -> str:
        """The database's address, without credentials unless the operator named a database of theirs."""
        return external("timescaledb") or f"postgresql://{ports.LOOPBACK}:{self.ports['timescaledb']}/{DATABASE}"

    @property
    def reader_url(self) -> str | None:
        """Where readings are taken from: as the operator named it, else the replica if one was made; None: nowhere
        else."""
        return os.environ.get("IOC_READER_URL") or replica.reader_url(self.data, self.ports)

    @property
    def superuser_conninfo(self) -> str:
        """How to enter our own database server as its superuser, for making the database and its roles."""
        return self._superuser_at("timescaledb")

    def _superuser_at(self, server: str) -> str:
        return make_conninfo(
            host=ports.LOOPBACK,
            port=self.ports[server],
            dbname="postgres",
            user=cluster.SUPERUSER,
            password=self.password(cluster.SUPERUSER),
        )

    def password(self, credential: str) -> str:
        """The password of a credential: a user of the broker, or a role of the database."""
        return secrets.read(self.secrets, credential)

    def env(self, user: str) -> dict[str, str]:
        """The variables of a process that acts as the credential `user`."""
        return {
            "IOC_DATA": str(self.data),
            "IOC_SECRETS": str(self.secrets),
            "IOC_USER": user,
            "IOC_NATS_URL": self.nats_url,
            "IOC_DATABASE_URL": self.database_url,
            "IOC_EMITTERS_PORT": str(self.ports["emitters"]),
            "IOC_NOTIFIER_PORT": str(self.ports["notifier"]),
        } | {name: address for name, address in self._further_addresses() if address}

    def _further_addresses(self) -> Iterator[tuple[str, str | None]]:
        yield "IOC_READER_URL", self.reader_url
        yield "IOC_NATS_CERTIFICATE", self.nats_certificate
        own = "" if external("nats") else f"http://{ports.LOOPBACK}:{self.ports['nats_monitor']}"
        yield "IOC_NATS_MONITOR_URL", os.environ.get("IOC_NATS_MONITOR_URL") or own
        alertmanager = f"http://{ports.LOOPBACK}:{self.ports['alertmanager']}"
        yield "IOC_ALERTMANAGER_URL", os.environ.get("IOC_ALERTMANAGER_URL") or alertmanager
        grafana = f"http://{ports.LOOPBACK}:{self.ports['grafana']}"
        yield "IOC_GRAFANA_URL", os.environ.get("IOC_GRAFANA_URL") or grafana
