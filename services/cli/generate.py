"""`ioc generate`: everything that follows from the catalogue, written into files that are checked in."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[2]
GENERATORS = {
    "services.cli.reference": "docs/reference.md: settings, commands, metrics, events, indicators",
    "infra.prometheus.rules": "Prometheus's rules, and the index of the runbooks",
    "dashboards.generate": "Grafana's dashboards in both languages",
}
"""module -> what its `files()` writes: path below the checkout -> text."""
OWNED = ("infra/prometheus/rules/*.yml", "dashboards/*/*.json")
"""Folders in which every file is generated: what no generator writes any more is removed."""


def generated() -> dict[str, str]:
    """All generated files, as they should be."""
    return {path: text for module in GENERATORS for path, text in import_module(module).files().items()}


def stale() -> list[str]:
    """The generated files that are missing, different or not wanted any more."""
    wanted = generated()
    return sorted([path for path, text in wanted.items() if _read(path) != text] + list(_left_over(wanted)))


def _left_over(wanted: dict[str, str]) -> Iterator[str]:
    for pattern in OWNED:
        for file in ROOT.glob(pattern):
            if (path := str(file.relative_to(ROOT))) not in wanted:
                yield path


def _read(path: str) -> str | None:
    file = ROOT / path
    return file.read_text(encoding="utf-8") if file.exists() else None


@click.command(
    epilog="\b\nExamples:\n  ioc generate           after a change of the catalogue, an alert, a setting\n"
    "  ioc generate --check   which files are stale?"
)
@click.option(
    "--check", is_flag=True, help="Write nothing; name the files that are stale, and exit with 1 if there are any."
)
def generate(check: bool) -> None:
    """Write what follows from the code: the reference page, Prometheus's rules, the runbooks' index, the dashboards.

    Needs what the tests need (`./ioc test` installs it). The contracts have a command of their own: `ioc contracts`.
    """
    found = stale()
    if check and found:
        raise click.ClickException("stale: " + ", ".join(found) + "; run `ioc generate`")
    wanted = generated()
    for path in found:
        _write(ROOT / path, wanted.get(path))
        click.echo(f"{'written' if path in wanted else 'removed'} {path}")
    click.echo(f"{len(wanted)} files up to date", err=True)


def _write(file: Path, text: str | None) -> None:
    if text is None:
        file.unlink()
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
