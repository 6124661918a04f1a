"""Nothing that users meet is without its line in the docs, and the generated page is fresh."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner

from schemas.registry import DATA_TYPES
from services.cli.app import COMMANDS, main
from services.cli.generate import ROOT, stale
from services.cli.reference import HOME_SETTINGS, page


def test_every_generated_file_is_fresh() -> None:
    assert stale() == [], "run `ioc generate`"


def test_every_setting_read_anywhere_is_in_the_reference() -> None:
    text = page()
    files = [*ROOT.glob("services/**/*.py"), *ROOT.glob("infra/**/*.py"), ROOT / "ioc"]
    used = {name for f in files for name in re.findall(r"\bIOC_[A-Z_]+[A-Z]\b", f.read_text(encoding="utf-8"))}
    assert sorted(name for name in used if f"`{name}`" not in text) == []
    assert HOME_SETTINGS.keys() <= used


def test_every_command_explains_itself() -> None:
    for name in COMMANDS:
        if name == "test":
            continue  # its --help is pytest's
        answer = CliRunner().invoke(main, [name, "--help"])
        assert answer.exit_code == 0, name
        assert len(answer.output) > 100, name


def test_every_event_says_what_it_means() -> None:
    assert [name for name, data in DATA_TYPES.items() if not (data.__doc__ or "").strip()] == []


def test_readme_names_only_commands_that_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\./ioc ([a-z]+)", text)) <= set(COMMANDS)


def test_no_host_of_a_registry_and_no_path_of_a_machine_in_the_locks() -> None:
    for lock in Path(ROOT).glob("requirements*.txt"):
        assert not re.search(r"https?://|file:|/home/|@ ", lock.read_text(encoding="utf-8")), lock
