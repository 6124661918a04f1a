"""A broker that for a while need not have each message on disk at once: for what is begun again if it is cut short."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from infra.local.processes import external
from infra.local.servers import Instance

ALWAYS, SOMETIMES = "sync_interval: always", 'sync_interval: "1s"'


@contextmanager
def relaxed_broker(instance: Instance) -> Iterator[None]:
    """Meanwhile it syncs once a second, ten times as fast; then as declared. One that we do not start stays as it is.

    It is started anew before and after. What cuts this short leaves it so until the next of these, or the next start.
    """
    file = instance.data / "nats" / "server.conf"
    if external("nats") or not file.exists():
        yield
        return
    declared = file.read_text().replace(SOMETIMES, ALWAYS)  # where one before was cut short
    _restart(instance, declared.replace(ALWAYS, SOMETIMES))
    try:
        yield
    finally:
        _restart(instance, declared)


def _restart(instance: Instance, configuration: str) -> None:
    instance.stop_process("nats")
    (instance.data / "nats" / "server.conf").write_text(configuration)
    instance.start_process("nats")
    instance.wait_ready("nats")
