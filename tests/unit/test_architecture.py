"""The arrows between the rooms: import-linter's contracts in pyproject.toml, and what they cannot say."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("schemas", "services", "infra", "dashboards", "bench", "generate")


def imports() -> Iterator[tuple[str, str]]:
    """(file, top-level module) for every import of the product and its benchmarks."""
    for file in (file for room in ROOMS for file in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            yield from ((str(file.relative_to(ROOT)), name.split(".")[0]) for name in names)


def test_the_contracts_between_the_rooms_are_kept() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run([*command, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-3000:]


def test_nothing_knows_the_tests() -> None:
    tests = {"tests", *(file.stem for file in (ROOT / "tests").glob("*.py"))}
    assert [(file, name) for file, name in imports() if name in tests] == []
