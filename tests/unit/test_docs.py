"""Nothing that users meet is without its line in the docs, and the generated page is fresh."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from generate.files import ROOT, stale
from generate.reference import HOME_SETTINGS, page
from schemas.registry import DATA_TYPES
from services.cli.app import COMMANDS, main

PAGES = ("README.md", "README.vi.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "CODE_OF_CONDUCT.md")


def test_every_generated_file_is_fresh() -> None:
    assert stale() == [], "run `ioc generate`"


def test_every_setting_read_anywhere_is_in_the_reference() -> None:
    text = page()
    files = {*ROOT.glob("services/**/*.py"), *ROOT.glob("infra/**/*.py"), ROOT / "ioc"}
    files -= {ROOT / "infra/docker/compose.py"}  # what Compose reads is in the page on deployment
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
    assert set(re.findall(r"\./ioc ([a-z0-9]+)", text)) <= set(COMMANDS)


def commands(readme: str) -> tuple[list[str], set[str], set[str]]:
    """What a README has people type or open: its blocks of commands without remarks, its code, where its links lead."""
    text = (ROOT / readme).read_text(encoding="utf-8")
    blocks = [
        re.sub(r" +# .*", "", block) for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    ]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    code = {re.sub(r"\s+", " ", span) for span in re.findall(r"`([^`]+)`", prose)}
    links = set(re.findall(r"\]\(([^)]+)\)|^\[\d\]: (.+)$", prose, re.MULTILINE))
    return blocks, code, {"".join(link) for link in links} - {"README.md", "README.vi.md"}


def test_both_readmes_have_people_type_and_open_the_same() -> None:
    english, vietnamese = commands("README.md"), commands("README.vi.md")
    assert len(english[0]) >= 6 and len(english[1]) > 50
    assert vietnamese == english


def test_hooks_before_a_commit_run_what_is_installed_and_fetch_nothing() -> None:
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    repos = yaml.safe_load(text)["repos"]
    assert [repo["repo"] for repo in repos] == ["local"] and "://" not in text
    for hook in repos[0]["hooks"]:
        folder, _, command = hook["entry"].split()[0].rpartition("/")
        assert folder == ".venv/bin" and hook["language"] == "system"
        assert (Path(sys.executable).parent / command).exists(), command


def test_the_site_is_built_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"(?:src|<link[^>]* href)=\"(?:https?:)?//[^\"]+", page) == []
    assert {file.stem for file in (ROOT / "docs").glob("*.md")} - {"index"} <= {f.name for f in tmp_path.iterdir()}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_for_contributors_fits_the_screen_and_its_links_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if len(line) > 120] == []
    links = re.findall(r"\]\(([^)#]+)", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_no_host_of_a_registry_and_no_path_of_a_machine_in_the_locks() -> None:
    for lock in Path(ROOT).glob("requirements*.txt"):
        assert not re.search(r"https?://|file:|/home/|@ ", lock.read_text(encoding="utf-8")), lock


def test_what_is_pinned_for_other_languages_names_no_host() -> None:
    locks = [*(ROOT / "docs/clients").rglob("package-lock.json"), *(ROOT / "docs/clients").rglob("go.sum")]
    assert len(locks) == 2
    assert [lock for lock in locks if re.search(r'"resolved"|proxy\.', lock.read_text(encoding="utf-8"))] == []


def test_every_program_in_another_language_is_short_and_shown() -> None:
    page = (ROOT / "docs/clients.md").read_text(encoding="utf-8")
    programs = [file for kind in ("go", "mjs", "java") for file in (ROOT / "docs/clients").glob(f"*/*.{kind}")]
    assert len(programs) == 5
    for program in programs:
        text = program.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 40, program
        assert text in page, program


def test_prose_is_no_wider_than_a_screen() -> None:
    """Tables and what stands in a box are as wide as they are."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    assert [f"{page.relative_to(ROOT)}:{n}" for page in pages for n, line in prose(page) if len(line) > 120] == []


def prose(page: Path) -> Iterator[tuple[int, str]]:
    boxed = False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        boxed ^= line.lstrip().startswith("```")
        if not boxed and not line.startswith("|"):
            yield number, line
