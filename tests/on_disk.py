"""What a centre keeps in its folder, looked through for what must not be there."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from infra.local.paths import CHECKOUT
from infra.local.servers import Instance


def spelled(numbers: Iterable[str]) -> dict[str, set[bytes]]:
    """Each number as it was sent, as JSON escapes it, and as its bare digits."""
    found = {}
    for number in numbers:
        bare = "".join(c for c in number if c.isalnum())
        ways = {number, json.dumps(number)[1:-1], *([bare] if len(bare) > 8 else [])}
        found[number] = {text.encode(way) for text in ways for way in ("utf-8", "utf-16-le")}
    return found


def files(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file with what is in it, unpacked."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            raw = path.read_bytes()
            yield path, gzip.decompress(raw) if path.suffix == ".gz" else raw


def found_in(folder: Path, numbers: Iterable[str]) -> list[str]:
    """Which of the numbers stand in which files."""
    meant = {way: number for number, ways in spelled(numbers).items() for way in ways}
    if not meant:
        return []
    longest_first = sorted(meant, key=lambda way: (-len(way), way))
    any_of_them = re.compile(b"|".join(map(re.escape, longest_first)))
    found = ((path, way) for path, raw in files(folder) for way in set(any_of_them.findall(raw)))
    return [f"{path.relative_to(folder)}: {meant[way]}" for path, way in found]


def back_up(centre: Instance) -> None:
    """Save the centre into its own folder."""
    env = {**os.environ, "IOC_HOME": str(centre.data.parent), "IOC_INSTANCE": centre.data.name}
    subprocess.run([sys.executable, "-m", "services.cli", "backup"], env=env, cwd=CHECKOUT, check=True)
