"""`ioc contracts`: make sure that the published contracts keep their promises; `ioc generate` writes them."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

import click

from services.kit import clock


@click.group()
def contracts() -> None:
    """The published contracts: JSON Schemas, AsyncAPI and golden samples."""


@contracts.command("check")
@click.option(
    "--against",
    metavar="GITREF",
    help="Compare with this commit, or with the contracts in this folder; HEAD in a git checkout when not said.",
)
def check_command(against: str | None) -> None:
    """Fail if files are stale, a sample is refused, or a change within a version breaks what relied on it."""
    from schemas.contracts import check, stale, stored, unaccepted

    published = stored()
    if lines := stale(published):
        _fail(lines, "stale: run `ioc generate`")
    if lines := unaccepted(published, clock.now()):
        _fail(lines, "a sample must be accepted for ever: mend the model, not the sample")
    reference = against or "HEAD"
    before = stored_contracts(Path(reference)) if Path(reference).is_dir() else committed(_folder(), reference)
    if before is None and against:
        raise click.ClickException(f"{against!r} is neither a commit that git knows here nor a folder")
    if lines := check(before or {}, published):
        _fail(lines, f"incompatible with {reference}: give the changed type a new version")
    compatible = "" if before is None else f", compatible with {reference}"
    click.echo(f"contracts: {len(published)} files in order{compatible}")


def stored_contracts(folder: Path) -> Mapping[str, str]:
    """The contracts in a folder, such as `schemas/contracts` of another version: relative path -> text."""
    return {str(file.relative_to(folder)): file.read_text(encoding="utf-8") for file in folder.rglob("*.json")}


def committed(folder: Path, reference: str) -> Mapping[str, str] | None:
    """The files of a folder as of a git commit: relative path -> text; None without such a commit, or without git."""
    try:
        commit = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}")
    except FileNotFoundError:
        return None
    if commit.returncode:
        return None
    archive = _git(folder, "archive", "--format=tar", commit.stdout.decode().strip())
    if archive.returncode:
        return {}  # the commit is older than the folder
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        members = [(m.name, tar.extractfile(m)) for m in tar if m.isfile() and m.name.endswith(".json")]
        return {name: file.read().decode() for name, file in members if file}


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=False)


def _folder() -> Path:
    from schemas import contracts as package

    return Path(package.__file__).parent


def _fail(lines: list[str], advice: str) -> None:
    for line in lines:
        click.echo(line, err=True)
    raise click.ClickException(f"{len(lines)} found. {advice[0].upper()}{advice[1:]}")
