"""docs/clients.md shows the programs in other languages as their own files have them."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = "docs/clients.md"
_ROOT = Path(__file__).resolve().parents[1]
_SHOWN = re.compile(r"(<!-- (docs/clients/\S+): written by `ioc generate` -->\n```\w+\n).*?(?=^```$)", re.DOTALL | re.M)


def files() -> dict[str, str]:
    """The page, with each program in its place."""
    text = (_ROOT / PAGE).read_text(encoding="utf-8")
    return {PAGE: _SHOWN.sub(lambda shown: shown[1] + (_ROOT / shown[2]).read_text(encoding="utf-8"), text)}
