"""Units of a centre's own, from a table that IOC_UNITS names. Each in a process of its own: they are known for good."""

import os
import subprocess
import sys
from pathlib import Path

HEADER = "code,level,name_vi,name_en,parent,valid_from,valid_to,successors,spellings"
WARD = "xa_thu,commune,Xã Thử,Thu Commune,dong_nai,2025-07-01,,,Thử Nghiệm"


def run(table: Path, *command: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"IOC_UNITS": str(table)}
    return subprocess.run([sys.executable, *command], env=env, capture_output=True, text=True, timeout=60)


def known(table: Path, expression: str) -> str:
    program = "from services.kit.settings import Settings; Settings(); Settings(); from schemas import units; "
    done = run(table, "-c", f"{program}print({expression})")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def written(folder: Path, *rows: str) -> Path:
    table = folder / "own.csv"
    table.write_text("\n".join((HEADER, *rows)) + "\n", encoding="utf-8")
    return table


def test_an_added_unit_is_found_and_belongs_to_its_parent(tmp_path: Path) -> None:
    table = written(tmp_path, WARD)
    assert known(table, "units.find('thu nghiem').code") == "xa_thu"
    assert known(table, "'xa_thu' in units.scope('dong_nai'), 'xa_thu' in units.scope('binh_phuoc')") == "True False"


def test_units_are_taken_up_after_others_were_looked_up(tmp_path: Path) -> None:
    table = written(tmp_path, WARD)
    program = (
        "from schemas import units; before = units.scope('dong_nai'); "
        f"units.add(open({str(table)!r}, encoding='utf-8').read().splitlines()); "
        "print(sorted(units.scope('dong_nai') - before))"
    )
    assert run(table, "-c", program).stdout.strip() == "['xa_thu']"


def test_a_wrong_table_is_named_with_its_row_and_adds_nothing(tmp_path: Path) -> None:
    done = run(written(tmp_path, WARD, WARD.replace("commune", "village")), "-m", "services.cli", "units")
    assert done.returncode == 1
    assert "own.csv, row 3 (xa_thu): level 'village' is none of" in done.stderr
    done = run(written(tmp_path, WARD.replace("dong_nai", "nowhere")), "-m", "services.cli", "units")
    assert done.returncode == 1
    assert "names 'nowhere'" in done.stderr


def test_the_command_knows_them_too(tmp_path: Path) -> None:
    done = run(written(tmp_path, WARD), "-m", "services.cli", "units", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert "xa_thu" in done.stdout
