"""Apt sources are read in both of their forms, other vendors are left out, and the suite's name is swapped."""

from pathlib import Path

import pytest

from infra.local import apt

DEB822 = """\
# The archive
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: https://vendor.example/apt
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
"""

ONE_LINE = """\
# deb http://commented.example/debian bookworm main
deb http://mirror.example/debian bookworm main contrib # the archive
deb [arch=amd64 signed-by=/usr/share/keyrings/vendor.gpg] https://vendor.example/apt bookworm main
deb-src http://mirror.example/debian bookworm main
deb [ signed-by=/usr/share/keyrings/debian-archive-keyring.gpg ] http://mirror.example/security bookworm-security main
"""


def machine(tmp_path: Path, one_line: str = "", deb822: str = "") -> list[apt.Entry]:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(one_line)
    (tmp_path / "sources.list.d" / "debian.sources").write_text(deb822)
    return apt.machine_sources(tmp_path)


@pytest.mark.parametrize("form", ["one_line", "deb822"])
def test_the_archives_entries_are_kept_and_renamed(tmp_path: Path, form: str) -> None:
    entries = machine(tmp_path, **{form: ONE_LINE if form == "one_line" else DEB822})
    text = apt.archive_sources(entries, "debian", "bookworm", "trixie")
    assert "URIs: http://mirror.example/debian\n" in text
    assert "trixie-security" in text
    assert "bookworm" not in text
    assert "backports" not in text
    assert not any(stranger in text for stranger in ("vendor", "off.example", "commented", "deb-src"))


def test_every_kept_entry_is_signed_by_the_archives_key(tmp_path: Path) -> None:
    entries = list(
        apt.parse_deb822(apt.archive_sources(machine(tmp_path, deb822=DEB822), "debian", "bookworm", "trixie"))
    )
    assert [entry["suites"] for entry in entries] == ["trixie trixie-updates", "trixie-security"]
    assert entries[0]["signed-by"] == "/usr/share/keyrings/debian-archive-keyring.gpg"


def test_ubuntu_needs_universe() -> None:
    entries = apt.parse_list("deb http://mirror.example/ubuntu noble main restricted")
    assert "Components: main universe" in apt.archive_sources(entries, "ubuntu", "noble", "resolute")


def test_a_machine_with_other_vendors_only_has_no_archive() -> None:
    entries = apt.parse_list("deb [signed-by=/k/vendor.gpg] https://vendor.example/apt bookworm main")
    assert apt.archive_sources(entries, "debian", "bookworm", "trixie") == ""


@pytest.mark.parametrize(
    ("family", "suite", "first"),
    [("debian", "bookworm", "trixie"), ("debian", "trixie", "trixie"), ("debian", "duke", "duke")],
)
def test_suites_too_old_to_have_timescaledb_are_not_asked(family: str, suite: str, first: str) -> None:
    assert apt.candidate_suites(family, suite)[0] == first
    assert suite == first or suite not in apt.candidate_suites(family, suite)
