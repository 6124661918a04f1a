"""The ports of one instance: kept in `ports.json`, all on loopback, replaced when a stranger holds them."""

import json
import socket
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

LOOPBACK = "127.0.0.1"
SEARCHED = 2000  # how far above a taken port a free one is looked for


class Claims:
    """Ports that are given to an instance while it starts, so that no other takes them before its servers listen.

    A claim is a name in the kernel's abstract space, which one process alone can have, whatever its account, and which
    is free again when the process ends. Claims last as long as the outermost `with` of `held()`.
    """

    def __init__(self) -> None:
        self._sockets: dict[int, socket.socket] = {}
        self._depth = 0

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep what is claimed meanwhile."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                self.release()

    def take(self, port: int) -> bool:
        """Whether the port is this instance's now: no other has claimed it, and nobody listens on it."""
        if port in self._sockets:
            return is_free(port)
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0ioc-port-{port}")
        except OSError:
            claim.close()
            return False
        if not is_free(port):
            claim.close()
            return False
        self._sockets[port] = claim
        return True

    def release(self) -> None:
        """Give all claims up."""
        for claim in self._sockets.values():
            claim.close()
        self._sockets.clear()


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        # The servers reuse addresses in TIME_WAIT, so the probe must too, or a quick restart would move ports.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_port(above: int, taken: Collection[int], claims: Claims | None = None) -> int:
    """The first free port after `above` that is not in `taken`; `claims` keep it."""
    claims = claims or Claims()
    with claims.locked():
        for port in range(above + 1, min(above + SEARCHED, 65535)):
            if port not in taken and claims.take(port):
                return port
    raise OSError(f"no free port between {above} and {above + SEARCHED} on {LOOPBACK}")


def load(file: Path) -> dict[str, int]:
    """The ports kept in `file`; none yet when it is missing."""
    return {str(name): int(port) for name, port in json.loads(file.read_text()).items()} if file.exists() else {}


def save(file: Path, ports: Mapping[str, int]) -> None:
    """Keep `ports`; the rename leaves either the old file or the new one, never half a file."""
    fresh = file.with_suffix(".tmp")
    fresh.write_text(json.dumps(dict(sorted(ports.items())), indent=2) + "\n")
    fresh.replace(file)


def settle(
    ports: Mapping[str, int], defaults: Mapping[str, int], claims: Claims | None = None
) -> tuple[dict[str, int], dict[str, tuple[int, int]]]:
    """Give each name of `defaults` a free port, which `claims` keep for it.

    Returns all ports, and those that had to move as name -> (wanted, given).
    """
    claims = claims or Claims()
    settled, moved = dict(ports), {}
    with claims.locked():
        for name, default in defaults.items():
            wanted = settled.get(name, default)
            others = {port for other, port in settled.items() if other != name}
            given = wanted if wanted not in others and claims.take(wanted) else free_port(wanted, others, claims)
            settled[name] = given
            if given != wanted:
                moved[name] = (wanted, given)
    return settled, moved
