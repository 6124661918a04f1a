"""The ports of one instance: kept in `ports.json`, all on loopback, replaced when a stranger holds them."""

import json
import socket
from collections.abc import Collection, Mapping
from pathlib import Path

LOOPBACK = "127.0.0.1"
SEARCHED = 2000  # how far above a taken port a free one is looked for


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


def free_port(above: int, taken: Collection[int]) -> int:
    """The first free port after `above` that is not in `taken`."""
    for port in range(above + 1, min(above + SEARCHED, 65535)):
        if port not in taken and is_free(port):
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


def settle(ports: Mapping[str, int], defaults: Mapping[str, int]) -> tuple[dict[str, int], dict[str, tuple[int, int]]]:
    """Give each name of `defaults` a free port.

    Returns all ports, and those that had to move as name -> (wanted, given).
    """
    settled, moved = dict(ports), {}
    for name, default in defaults.items():
        wanted = settled.get(name, default)
        others = {port for other, port in settled.items() if other != name}
        given = wanted if wanted not in others and is_free(wanted) else free_port(wanted, others)
        settled[name] = given
        if given != wanted:
            moved[name] = (wanted, given)
    return settled, moved
