"""What the tables of the code are written into: what is stale of it, what breaks a promise, where a mistake lies."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GENERATORS = {
    "schemas.contracts": "the contracts: a JSON Schema for each event type, and AsyncAPI",
    "generate.reference": "docs/reference.md: settings, commands, metrics, events, indicators",
    "generate.programs": "docs/clients.md: the programs in other languages, from their files",
    "generate.licences": "docs/licences.md: under what the packages are that run",
    "infra.prometheus.rules": "Prometheus's rules, and the index of the runbooks",
    "infra.docker.compose": "docker-compose.yml: our services, and every credential",
    "dashboards.generate": "Grafana's dashboards in both languages",
}
"""module -> what its `files()` writes: path below the checkout -> text."""
OWNED = ("schemas/contracts/events/*.json", "infra/prometheus/rules/*.yml", "dashboards/*/*.json")
"""Folders in which every file is generated: what no generator writes any more is removed."""


def generated() -> dict[str, str]:
    """All generated files, as they should be."""
    return {path: text for module in GENERATORS for path, text in import_module(module).files().items()}


def stale(wanted: Mapping[str, str] | None = None) -> list[str]:
    """The generated files that are missing, different or not wanted any more."""
    wanted = generated() if wanted is None else wanted
    return sorted([path for path, text in wanted.items() if _read(path) != text] + list(_left_over(wanted)))


def _left_over(wanted: Mapping[str, str]) -> Iterator[str]:
    for pattern in OWNED:
        for file in ROOT.glob(pattern):
            if (path := str(file.relative_to(ROOT))) not in wanted:
                yield path


def _read(path: str) -> str | None:
    file = ROOT / path
    return file.read_text(encoding="utf-8") if file.exists() else None


def place(error: Exception) -> str:
    """file:line of the mistake: of the row, where a table could not be made; else of the innermost line of ours."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_short(error.filename)}:{error.lineno}"
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_ours(frame.filename)]
    rows = [frame for frame in ours if frame.name == "<module>"]
    innermost = (rows or ours)[-1]
    return f"{_short(innermost.filename)}:{innermost.lineno}"


def _is_ours(filename: str) -> bool:
    return Path(filename).is_relative_to(ROOT) and ".venv" not in Path(filename).parts


def _short(filename: str) -> str:
    return str(Path(filename).relative_to(ROOT)) if _is_ours(filename) else filename


def broken(wanted: Mapping[str, str]) -> list[str]:
    """The promises of contracts that what is about to be written would break, one line each."""
    from schemas.contracts import FOLDER, SAMPLES, check, stored

    published = {path: text for path, text in stored().items() if not path.startswith(SAMPLES)}
    new = {path.removeprefix(FOLDER): text for path, text in wanted.items() if path.startswith(FOLDER)}
    return [FOLDER + line for line in check(published, new)]


def write(path: str, text: str | None) -> None:
    """Write a file below the checkout; None removes it."""
    file = ROOT / path
    if text is None:
        file.unlink()
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
