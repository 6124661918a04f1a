"""`ioc test --clients`: which languages are asked for, and what is said where the machine lacks one."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from services.cli.test import LANGUAGES, clients


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with Go and Node.js, and without Java."""
    for command in ("go", "npm"):
        (tmp_path / command).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


def test_languages_that_are_there_may_be_named() -> None:
    assert clients("go,node") == ["go", "node"]


@pytest.mark.parametrize("text", ["java", ",".join(LANGUAGES)])
def test_a_language_that_the_machine_lacks_is_named_and_never_passed_by(text: str) -> None:
    with pytest.raises(click.ClickException, match=r"lacks java \(a JDK, 17 or newer.*--clients go,node"):
        clients(text)


def test_a_language_without_a_program_is_refused() -> None:
    with pytest.raises(click.ClickException, match="no program in rust; there are go, node, java"):
        clients("go,rust")
