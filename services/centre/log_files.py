"""The logs of a centre's processes as they grow."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

FOLLOW_SECONDS = 0.3


def log_files(folder: Path) -> dict[str, Path]:
    """name -> log of each process that ever ran, in the data folder of a centre."""
    return {file.stem: file for file in sorted((folder / "logs").glob("*.log"))}


def follow(files: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    """(name, line) of every line that is written from now on, for ever."""
    positions = {name: file.stat().st_size for name, file in files.items()}
    while True:
        for name, file in files.items():
            lines, positions[name] = _new_lines(file, positions[name])
            yield from ((name, line) for line in lines)
        time.sleep(FOLLOW_SECONDS)


def _new_lines(file: Path, position: int) -> tuple[list[str], int]:
    """The whole lines behind a position, and where they end."""
    size = file.stat().st_size if file.exists() else 0
    # A file shorter than before was rotated: go on from its beginning.
    position = position if position <= size else 0
    if size == position:
        return [], position
    with file.open("rb") as stream:
        stream.seek(position)
        complete = stream.read().rpartition(b"\n")[0]
    if not complete:
        return [], position
    return complete.decode(errors="replace").splitlines(), position + len(complete) + 1
