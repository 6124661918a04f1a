"""`ioc generate`: everything that follows from the tables of the code, written into files that are checked in."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[2]
GENERATORS = {
    "schemas.contracts": "the contracts: a JSON Schema for each event type, and AsyncAPI",
    "services.cli.reference": "docs/reference.md: settings, commands, metrics, events, indicators",
    "services.cli.programs": "docs/clients.md: the programs in other languages, from their files",
    "services.cli.licences": "docs/licences.md: under what the packages are that run",
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


@click.command(
    epilog="\b\nExamples:\n  ioc generate           after a change of an event, an indicator, an alert, a setting\n"
    "  ioc generate --check   what is missing, and which files are stale?"
)
@click.option("--check", is_flag=True, help="Write nothing; name what is missing or stale, and exit with 1 if any is.")
@click.option("--force", is_flag=True, help="Write contracts that break a promise; for types that nobody uses yet.")
def generate(check: bool, force: bool) -> None:
    """Write what follows from the code: contracts, the reference, licences, rules, runbooks' index, dashboards.

    Where a table of the code lacks something, it says what, where and what to do, and writes nothing. Needs what the
    tests need (`./ioc test` installs it).
    """
    with _placed():
        from services.cli.omissions import omissions

        _fail_if(omissions(), "missing")
        wanted = generated()
        found = stale(wanted)
    if check and found:
        raise click.ClickException("stale: " + ", ".join(found) + "; run `ioc generate`")
    if not force:
        _fail_if(_broken(wanted), "broken: give the changed type a new version, or use --force where nobody uses it")
    for path in found:
        _write(ROOT / path, wanted.get(path))
        click.echo(f"{'written' if path in wanted else 'removed'} {path}")
    click.echo(f"{len(wanted)} files up to date", err=True)


@contextmanager
def _placed() -> Iterator[None]:
    """A mistake in a table of the code is told by its place and in one line, not by a trace."""
    try:
        yield
    except click.ClickException:
        raise
    except Exception as error:
        text = str(error) if isinstance(error, ValueError | LookupError) else f"{type(error).__name__}: {error}"
        raise click.ClickException(f"{place(error)}: {text}\nMend it there, then run `ioc generate` again.") from error


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


def _broken(wanted: Mapping[str, str]) -> list[str]:
    """The promises of contracts that what is about to be written would break, one line each."""
    from schemas.contracts import FOLDER, SAMPLES, check, stored

    kept = {path: text for path, text in stored().items() if not path.startswith(SAMPLES)}
    new = {path.removeprefix(FOLDER): text for path, text in wanted.items() if path.startswith(FOLDER)}
    return [FOLDER + line for line in check(kept, new)]


def _fail_if(lines: list[str], what: str) -> None:
    if lines:
        raise click.ClickException(f"{len(lines)} {what}; nothing written\n" + "\n".join(f"  {line}" for line in lines))


def _write(file: Path, text: str | None) -> None:
    if text is None:
        file.unlink()
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
