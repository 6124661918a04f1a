"""The image: pinned and small, and with every file that the services import or read."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from composefile import DOCKERFILE, ROOT, SERVICES


def _copied() -> list[str]:
    """What the Dockerfile copies from the checkout into the image that runs."""
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    lines = [line.split()[1:] for line in last.splitlines() if line.startswith("COPY ")]
    return [source for line in lines if not line[0].startswith("--from") for source in line[:-1]]


def test_the_dockerfile_is_pinned_small_and_ends_as_an_ordinary_account() -> None:
    stages = re.findall(r"^FROM (\S+)", DOCKERFILE, re.M)
    assert len(stages) == 2 and len(set(stages)) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", stages[0])
    users = re.findall(r"^USER (\S+)", DOCKERFILE, re.M)
    assert users == ["10001:10001"] == [SERVICES["aggregator"]["user"]]
    assert not re.search(r"^ADD |https?://|curl|wget|apt-get|--trusted-host|:latest", DOCKERFILE, re.M)
    assert "--require-hashes" in DOCKERFILE and "--only-binary=:all:" in DOCKERFILE
    assert DOCKERFILE.index("\nUSER ") > DOCKERFILE.rindex("\nRUN ")


def test_every_requirement_is_a_wheel_or_can_be() -> None:
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pins = re.findall(r"^(\S+?)==", lock, re.M)
    assert len(pins) == len(re.findall(r"^\S+==\S+.*\\\n\s+--hash=sha256:", lock, re.M)) > 20


def test_the_ignore_file_lets_through_what_is_copied_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert next(line for line in lines if not line.startswith("#")) == "*"
    let_through = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert let_through == {*_copied(), "requirements.txt"}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with exactly what the image holds of ours."""
    folder = tmp_path_factory.mktemp("image")
    for source in _copied():
        target = folder / source
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        else:
            shutil.copy(ROOT / source, target)
    return folder


def _in_image(image: Path, *arguments: str) -> str:
    """What Python says there, with no module of the checkout in reach."""
    # -P and no site hook: the checkout is installed in this environment by a path file, which must not help.
    site = next(path for path in sys.path if path.endswith("site-packages"))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{image}:{site}", "HOME": str(image)}
    environment |= dict(re.findall(r"(IOC_\w+)=(\S+)", DOCKERFILE))
    done = subprocess.run(
        [sys._base_executable, "-S", *arguments],  # type: ignore[attr-defined]
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_image_holds_all_that_the_services_import_and_read(image: Path) -> None:
    modules = sorted(
        ".".join(file.relative_to(image).with_suffix("").parts)
        for file in image.glob("services/**/*.py")
        if file.name not in ("__main__.py", "__init__.py")
    )
    code = f"""
import importlib, json, pathlib, sys
for name in {modules}: importlib.import_module(name)
ours = [m for m in sys.modules.values() if m.__name__.split(".")[0] in ("schemas", "services", "infra", "dashboards")]
print(json.dumps(sorted({{str(pathlib.Path(m.__file__)) for m in ours if m.__file__}})))
"""
    files = json.loads(_in_image(image, "-c", code))
    assert len(files) >= len(modules) and all(file.startswith(str(image)) for file in files)


def test_the_command_answers_in_the_image(image: Path) -> None:
    assert "compose" in _in_image(image, "-m", "services.cli", "--help")
    assert "chon_thanh" in _in_image(image, "-m", "services.cli", "units")
    assert "november-2024" in _in_image(image, "-m", "services.cli", "load", "--list")


def test_files_of_every_kind_are_in_the_image(image: Path) -> None:
    for pattern in ("infra/timescaledb/**/*.sql", "infra/prometheus/rules/*.yml", "docs/runbooks/*.md"):
        here = {file.name for file in ROOT.glob(pattern)}
        assert here and here == {file.name for file in image.glob(pattern)}, pattern
