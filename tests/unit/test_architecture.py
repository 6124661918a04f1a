"""The arrows between the rooms: who may import whom."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVICES = sorted(p.name for p in (ROOT / "services").iterdir() if (p / "__init__.py").exists())


def imports(folder: Path) -> Iterator[tuple[str, str]]:
    """(file, imported module of ours) for every import below a folder."""
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
            for name in names:
                if name.split(".")[0] in ("schemas", "services", "infra", "dashboards", "tests"):
                    yield str(file.relative_to(ROOT)), name


def test_schemas_know_only_themselves() -> None:
    assert [(f, n) for f, n in imports(ROOT / "schemas") if not n.startswith("schemas")] == []


@pytest.mark.parametrize("room", ["infra", "dashboards"])
def test_infra_and_dashboards_know_schemas_alone(room: str) -> None:
    assert [(f, n) for f, n in imports(ROOT / room) if not n.startswith(("schemas", room))] == []


def test_the_kit_knows_no_service() -> None:
    assert [
        (f, n) for f, n in imports(ROOT / "services" / "kit") if not n.startswith(("schemas", "services.kit"))
    ] == []


@pytest.mark.parametrize("service", [s for s in SERVICES if s not in ("kit", "cli", "centre")])
def test_services_import_readings_and_the_kit_only(service: str) -> None:
    allowed = ("schemas", "services.kit", "services.readings", f"services.{service}")
    assert [
        (f, n) for f, n in imports(ROOT / "services" / service) if not n.startswith(allowed) and n != "services"
    ] == []
