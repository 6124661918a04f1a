"""A backup is its owner's alone, whatever the account's umask."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from infra.backups import drafting


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_files_and_folder_are_their_owners_alone(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with drafting(tmp_path / "backup") as draft:
            for name in ("table.csv.gz", "stream.tar"):
                with draft.file(name) as file:
                    file.write(b"rows")
    finally:
        os.umask(before)
    folder = tmp_path / "backup"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
