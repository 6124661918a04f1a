"""The recipes of CONTRIBUTING.md work as they stand: carried out on a copy of the tree, they change so many files by
hand, `ioc generate` writes the rest, and the checks are content."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest
from tree import ROOT, Tree, copy

FRESH = "tests/unit/test_docs.py::test_every_generated_file_is_fresh"
STEP = re.compile(
    r"(New file|At the end of|In)\s`([^`\n]+)`(?:,\s(above|in place of)\s`([^`\n]+)`)?:\n\n```\w+\n(.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


class Step(NamedTuple):
    """One step of a recipe: what is done with which file, at which line, and the text."""

    how: str
    path: str
    where: str
    line: str
    text: str


@dataclass(frozen=True)
class Recipe:
    """What a recipe changes by hand and has generated (path -> files), and the tests that hold it in the copy."""

    by_hand: set[str]
    generated: set[str]
    tests: tuple[str, ...]


def dashboards(system: str) -> set[str]:
    return {f"dashboards/{language}/ioc-{system}.json" for language in ("vi", "en")}


RECIPES = {
    "An indicator: one file": Recipe(
        {"schemas/indicators/gis.py"},
        {"docs/reference.md", *dashboards("gis")},
        ("tests/unit/test_exporter_catalogue.py",),
    ),
    "An event: four files": Recipe(
        {
            "schemas/social.py",
            "schemas/contracts/samples/crisis.answered.v1.json",
            "schemas/indicators/social.py",
            "schemas/indicators/label_texts.py",
        },
        {
            "schemas/contracts/asyncapi.json",
            "schemas/contracts/events/crisis.answered.v1.schema.json",
            "docs/reference.md",
            *dashboards("social"),
        },
        ("tests/contract/test_contracts.py", "-k", "crisis or meaning or unique or fresh"),
    ),
    "A source: three files": Recipe(
        {"schemas/sources.py", "services/ingest/schools.py", "tests/integration/test_broker_rights.py"},
        {
            "docker-compose.yml",
            *(f"infra/prometheus/rules/{system}.yml" for system in (
                "procedures", "economy", "education", "health", "gis", "security", "field", "social",
            )),
        },
        ("tests/integration/test_broker_rights.py", "tests/contract/test_compose.py", "-k",
         "every_credential or own_passwords or hold_what or fresh"),
    ),
    "An alert: three files": Recipe(
        {"schemas/alerts/systems.py", "docs/runbooks/TopicsSpiking.md", "tests/prometheus/systems.yml"},
        {"infra/prometheus/rules/social.yml", "docs/runbooks/README.md", "docs/reference.md"},
        ("tests/unit/test_alerts.py",),
    ),
    "A page: two files of one name": Recipe(
        {"services/board/pages/units.py", "services/board/pages/units.toml"},
        set(),
        ("tests/unit/test_board_words.py", "tests/unit/test_board_pages_found.py"),
    ),
}  # fmt: skip


def section(title: str) -> str:
    """The text of a recipe in CONTRIBUTING.md."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    return text.partition(f"### {title}\n")[2].partition("\n### ")[0]


def steps(title: str) -> list[Step]:
    return [Step(*found) for found in STEP.findall(section(title))]


def carry_out(tree: Tree, step: Step) -> None:
    """Change a file of the copy as a step says; the line that it names must stand there once."""
    file = tree.path / step.path
    if step.how != "In":
        assert file.exists() == (step.how == "At the end of"), step.path
        before = file.read_text("utf-8") if file.exists() else ""
        file.write_text(before + step.text, "utf-8")
        return
    lines = file.read_text("utf-8").splitlines(keepends=True)
    found = [number for number, line in enumerate(lines) if line.strip().startswith(step.line)]
    assert len(found) == 1, f"{step.path}: {step.line!r} stands there {len(found)} times"
    lines[found[0] : found[0] + (step.where == "in place of")] = [step.text]
    file.write_text("".join(lines), "utf-8")


def test_every_step_of_the_recipes_is_understood() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## Recipes\n")[2]
    assert set(re.findall(r"^### (.+)$", text, re.MULTILINE)) == {*RECIPES, "A report"}
    assert len(re.findall(r"^```\w+$", text, re.MULTILINE)) == sum(len(steps(title)) for title in RECIPES)


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_works_as_it_stands(title: str, tmp_path: Path) -> None:
    recipe, tree = RECIPES[title], copy(tmp_path)
    for step in steps(title):
        carry_out(tree, step)
    assert tree.changed() == recipe.by_hand
    done = tree.ioc("generate")
    assert done.returncode == 0, done.stderr
    assert tree.changed() - recipe.by_hand == recipe.generated
    checked = tree.run("pytest", "-q", "-p", "no:cacheprovider", FRESH, *recipe.tests)
    assert checked.returncode == 0, checked.stdout[-3000:] + checked.stderr[-1000:]
