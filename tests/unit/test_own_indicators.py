"""Indicators of an office's own. Each table in a process of its own: they are known for good."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from schemas.economy import RENAMED
from schemas.indicators import CATALOGUE, find, own
from schemas.indicators.formula import Statement

HEADER = "code;VI;En;unit;system;better;target;decimals;over_units;statistic"
GRDP = "cashew_exports;Kim ngạch xuất khẩu hạt điều;Cashew exports;%;;higher;8,5;2;;"


def test_a_row_is_an_indicator() -> None:
    (found,) = own.read([HEADER, GRDP], "own.csv", CATALOGUE)
    assert found.formula == Statement("cashew_exports")
    assert (found.system, found.better, found.target, found.decimals) == ("economy", "higher", Decimal("8.5"), 2)
    (plain,) = own.read(["code,vi,en,unit,statistic,over_units", "a,A,A,x,b,sum"], "own.csv", CATALOGUE)
    assert (plain.formula, plain.target, plain.better) == (Statement("b", over_units="sum"), None, None)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("visits;A;A;x", "taken .*column code"),
        ("1a;A;A;x", "no code.*column code"),
        ("a;;A;x", "column vi"),
        ("a;A;A;x;weather", "'weather' is none of procedures.*column system"),
        ("a;A;A;x;;up", "'up' is none of higher, lower .*column better"),
        ("a;A;A;x;;;1.234", "two ways.*column target"),
        ("a;A;A;x;;;many", "no number.*column target"),
        ("a;A;A;x;;;;9", "decimals"),
        ("a;A;A;x;;;;;max", "'max' is none of sum, mean"),
        ("a;A;A;x;;;;;;B C", "column statistic"),
    ],
)
def test_a_wrong_row_is_named_with_its_column(row: str, why: str) -> None:
    with pytest.raises(ValueError, match=rf"own.csv, row 3 .*{why}"):
        own.read([HEADER, GRDP, row], "own.csv", CATALOGUE)


def test_a_code_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"row 3 .*taken"):
        own.read([HEADER, GRDP, GRDP], "own.csv", CATALOGUE)


def run(table: Path, *command: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"IOC_INDICATORS": str(table)}
    return subprocess.run([sys.executable, *command], env=env, capture_output=True, text=True, timeout=60)


def test_the_command_and_the_exporter_know_them(tmp_path: Path) -> None:
    table = tmp_path / "own.csv"
    table.write_text(f"{HEADER}\n{GRDP}\n", encoding="utf-8-sig")
    done = run(table, "-m", "services.cli", "indicators", "--system", "economy", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert "cashew_exports" in {row["code"] for row in json.loads(done.stdout)}
    program = (
        "from services.kit.settings import Settings; Settings(); from services.exporter.catalogue import metrics; "
    )
    told = run(table, "-c", f"{program}print([m.labels for m in metrics() if 'cashew_exports' in m.name])")
    assert told.stdout.strip() == "[('unit', 'period')]", told.stderr
    table.write_text(f"{HEADER}\n{GRDP}\nvisits;A;A;x\n", encoding="utf-8")
    wrong = run(table, "-m", "services.cli", "indicators")
    assert wrong.returncode == 1
    assert "own.csv, row 3 (visits)" in wrong.stderr


def test_codes_hold_no_year_and_old_ones_are_found() -> None:
    assert not [code for code in CATALOGUE if "_20" in code]
    for before, now in RENAMED.items():
        assert [indicator.code for indicator in find(before)] == [now]
