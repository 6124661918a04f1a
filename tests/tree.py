"""A copy of the tree that a test changes as a contributor would, and the project's own commands run in it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from shutil import copy2, copytree, ignore_patterns

ROOT = Path(__file__).resolve().parents[1]
LEFT = ignore_patterns("*.png", "*.svg", "data", "chaos", "*.egg-info", ".*")
"""What no generator and no quick check needs."""


@dataclass(frozen=True)
class Tree:
    """The copy, and what its files were when it was made: path -> digest."""

    path: Path
    before: dict[str, str]

    def changed(self) -> set[str]:
        """The files that are new, different or gone since the copy was made."""
        now = digests(self.path)
        return {path for path in self.before.keys() | now.keys() if self.before.get(path) != now.get(path)}

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text that stands in a file once."""
        text = (self.path / path).read_text("utf-8")
        assert text.count(old) == 1, f"{path}: {old!r} stands there {text.count(old)} times"
        (self.path / path).write_text(text.replace(old, new), "utf-8")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a module of Python in the copy: its own rooms are imported, not those of the checkout."""
        # What one command has compiled the next need not.
        home = {"PYTHONPATH": str(self.path), "PYTHONDONTWRITEBYTECODE": ""}
        command = [sys.executable, "-m", *arguments]
        return subprocess.run(
            command, env={**os.environ, **home}, cwd=self.path, capture_output=True, text=True, check=False
        )

    def ioc(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the `ioc` command of the copy."""
        return self.run("services.cli", *arguments)


_MADE = re.compile(r"(^|/)(\.git|__pycache__)/")


def digests(folder: Path) -> dict[str, str]:
    """The files below a folder that are somebody's work: path -> digest."""
    paths = {str(file.relative_to(folder)): file for file in folder.rglob("*") if file.is_file()}
    return {path: sha256(file.read_bytes()).hexdigest() for path, file in paths.items() if not _MADE.search(path)}


def copy(folder: Path) -> Tree:
    """Copy what is checked in, less what only a running centre needs, into an empty folder."""
    for room in ("schemas", "services", "infra", "dashboards", "bench", "generate", "docs", "tests"):
        copytree(ROOT / room, folder / room, ignore=LEFT, dirs_exist_ok=True)
    for file in ROOT.iterdir():
        if file.is_file():
            copy2(file, folder)
    return Tree(folder, digests(folder))
