"""The lines for the emitters' passwords in `docker-compose.yml`; all else there is written by hand."""

from __future__ import annotations

import re
from pathlib import Path

from schemas.sources import EMITTERS

FILE = "docker-compose.yml"
ROOT = Path(__file__).resolve().parents[2]


def files() -> dict[str, str]:
    """The file with a line for each emitter in its three lists of secrets: path below the checkout -> text.

    Raises `ValueError` where one of the lists cannot be found.
    """
    names = sorted(f"emitter_{name}" for name in EMITTERS)
    lists = {
        r"(?:^      - emitter_\w+\n)+": "".join(f"      - {name}\n" for name in names),
        r"^    secrets: \[emitter_[^]]+\]\n": f"    secrets: [{', '.join(names)}]\n",
        r"(?:^  emitter_\w+: .+\n)+": "".join(f"  {name}: {{file: ./secrets/{name}}}\n" for name in names),
    }
    text = (ROOT / FILE).read_text(encoding="utf-8")
    for pattern, lines in lists.items():
        text, found = re.subn(pattern, lines, text, flags=re.MULTILINE)
        if found != 1:
            raise ValueError(f"{FILE}: {found} places like {lines.splitlines()[0].strip()!r} instead of one")
    return {FILE: text}
