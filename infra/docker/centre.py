"""The centre seen from inside one of its containers: addresses and passwords are given, processes are Compose's."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from psycopg.conninfo import make_conninfo

from infra.local import cluster
from infra.local.processes import ProcessState
from infra.local.servers import Instance

NAME = "containers"
"""The instance that the image's `IOC_INSTANCE` names."""


class Containers(Instance):
    """An instance that starts and stops nothing. `KeyError` where the environment lacks one of its addresses."""

    def __init__(self) -> None:
        super().__init__(Path(os.environ["IOC_DATA"]))
        self.secrets = Path(os.environ["IOC_SECRETS"])

    @property
    def nats_url(self) -> str:
        """The broker's service."""
        return os.environ["IOC_NATS_URL"]

    @property
    def database_url(self) -> str:
        """The database's service."""
        return os.environ["IOC_DATABASE_URL"]

    @property
    def superuser_conninfo(self) -> str:
        """How to enter the database's service as its superuser."""
        who = {"user": cluster.SUPERUSER, "password": self.password(cluster.SUPERUSER)}
        return make_conninfo(self.database_url, dbname="postgres", **who)

    def is_running(self) -> bool:
        """Servers are up before a container that needs them is."""
        return True

    def processes(self) -> list[ProcessState]:
        """None to be seen from here; `docker compose ps` shows them."""
        return []

    def start(self, names: Iterable[str], progress: Callable[[str], None] = print) -> None:
        """Compose has started what is needed."""
