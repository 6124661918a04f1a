"""The page of licences: what the pinned Python packages are licensed under, as their own metadata says."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[1]
HEAD = """\
<!-- written by `ioc generate` from requirements.txt and the packages' own metadata; do not edit -->
# Licences of what runs

The centre itself is under the Apache License 2.0, see LICENSE beside the README. It stands on the Python packages
below, each in the version that `requirements.txt` pins; *direct*: asked for by `pyproject.toml`, *indirect*: by one of
those. What only the tests, the benchmarks' plots and this documentation need is not listed. Packages are installed
beside the centre, unchanged; none is copied into it.

The servers are programs of their own, as their makers built them: PostgreSQL (PostgreSQL License), TimescaleDB (only
what is under Apache-2.0 is used), Prometheus and Alertmanager (Apache-2.0) come in packages of Debian or Ubuntu, whose
`copyright` files stay beside them; a Grafana (AGPL-3.0) is used where one is installed. `patchelf`
(GPL-3.0-or-later) is run as a program while servers are unpacked, and is no part of what runs.

| package | version | licence | |
|---|---|---|---|
"""
SPDX = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "GNU General Public License (GPL)": "GPL",
    "MIT License": "MIT",
}
"""How licences' names among the classifiers are written here."""


class Unlisted(click.ClickException):
    """A package whose licence cannot be told; the message says which, where and what to do."""


def files() -> dict[str, str]:
    """The page as the one file it is: path below the checkout -> text. Raises `Unlisted`."""
    return {"docs/licences.md": HEAD + "".join(_rows())}


def _rows() -> Iterator[str]:
    direct = asked_for(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"])
    for name, version in pinned((ROOT / "requirements.txt").read_text("utf-8")).items():
        yield f"| {name} | {version} | {licence(name, version)} | {'direct' if name in direct else 'indirect'} |\n"


def asked_for(requirements: list[str]) -> set[str]:
    """The names in requirements such as `psycopg[binary,pool]>=3.3,<4`."""
    return {re.split(r"[^A-Za-z0-9._-]", text)[0] for text in requirements}


def pinned(lock: str) -> dict[str, str]:
    """name -> version of every package that a lock file pins, whatever machine it is for."""
    return dict(re.findall(r"^([A-Za-z0-9._-]+)(?:\[.*?\])?==([^\s;\\]+)", lock, re.MULTILINE))


def licence(name: str, version: str) -> str:
    """A package's licence as its installed metadata states it. Raises `Unlisted` where that is no statement."""
    try:
        stated: dict[str, Any] = metadata.metadata(name).json
    except metadata.PackageNotFoundError:
        raise Unlisted(f"requirements.txt: {name} is pinned but not installed; run `./ioc test --help`") from None
    if stated["version"] != version:
        here = f"{version} is pinned but {stated['version']} installed"
        raise Unlisted(f"requirements.txt: of {name} {here}; run `./ioc test --help`")
    if name_of_licence := stated_in(stated):
        return name_of_licence
    lack = f"{name} {version} states no licence in its metadata"
    raise Unlisted(f"requirements.txt: {lack}; read its files, then leave it out or pin a version that states one")


def stated_in(stated: Mapping[str, Any]) -> str:
    """The licence in a package's metadata: the expression, else a short name, else the classifiers; else nothing."""
    free = str(stated.get("license", "")).partition("(")[0].strip()
    short = free if re.fullmatch(r"[\w.+-]+", free) else ""
    names = [text.rpartition(" :: ")[2] for text in stated.get("classifier", ()) if text.startswith("License :: ")]
    classified = ", ".join(sorted(SPDX.get(name, name) for name in names))
    return str(stated.get("license_expression") or short or classified or free.partition("\n")[0])
