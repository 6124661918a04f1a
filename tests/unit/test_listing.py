"""`ioc events` and `ioc units` say what can be sent, and of which units."""

import json
import subprocess
from datetime import datetime

import pytest
from click import Command
from click.testing import CliRunner, Result

from schemas import registry, units
from schemas.indicators import CATALOGUE, UnknownIndicator, find
from schemas.text.letters import bare
from services.cli import catalogue_lists
from services.kit import clock


def run(command: Command, *arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def test_events_lists_every_type_with_its_system_in_both_languages() -> None:
    shown = run(catalogue_lists.events).output
    assert all(name in shown for name in registry.DATA_TYPES)
    assert all(f"{vi} · {en} ({slug})" in shown for slug, (_, vi, en) in registry.SYSTEMS.items())
    listed = json.loads(run(catalogue_lists.events, "--format", "json").output)
    assert [item["type"] for item in listed] == list(registry.DATA_TYPES)
    assert all(item["purpose"] and item["subject"].startswith("ioc.events.{unit}.") for item in listed)


@pytest.mark.parametrize("spelling", ["payment.made", "payment.made.v1", "vn.ioc.payment.made.v1"])
def test_events_shows_one_type_by_any_of_its_names(spelling: str) -> None:
    shown = run(catalogue_lists.events, spelling).output
    assert "method       required  how it was paid" in shown
    assert "portal | bank_transfer | qr_code | card | cash" in shown


@pytest.mark.parametrize("name", registry.DATA_TYPES)
def test_the_line_that_sends_the_sample_holds_an_acceptable_event(name: str) -> None:
    shown = json.loads(run(catalogue_lists.events, name, "--format", "json").output)
    command, _, rest = shown["emit"].rpartition(" | ")
    assert rest == "ioc emit -"
    line = subprocess.run(["sh", "-c", command], capture_output=True, check=True).stdout
    assert registry.parse(line, clock.now()).type == name


def test_an_unknown_type_is_answered_with_near_ones() -> None:
    found = run(catalogue_lists.events, "dossier.acepted")
    assert found.exit_code == 1 and "did you mean dossier.accepted" in found.output


def test_an_indicator_is_known_by_its_code_and_by_its_printed_names_marks_or_none() -> None:
    for code, indicator in CATALOGUE.items():
        for name in (code, indicator.vi, indicator.en, indicator.vi.upper(), bare(indicator.vi)):
            assert [one.code for one in find(name)] == [code], name
    with pytest.raises(UnknownIndicator, match="did you mean overdue_share"):
        find("tỷ lệ hồ sơ quá hẹn")


def test_units_are_those_of_the_day() -> None:
    then = json.loads(run(catalogue_lists.units, "--date", "2024-11-30", "--format", "json").output)
    now = json.loads(run(catalogue_lists.units, "--date", "2025-07-01", "--format", "json").output)
    assert "chon_thanh" in {unit["code"] for unit in then} - {unit["code"] for unit in now}
    assert "phuong_chon_thanh" in {unit["code"] for unit in now} - {unit["code"] for unit in then}


def test_the_tree_has_every_unit_once_below_its_parent() -> None:
    lines = run(catalogue_lists.units, "--date", "2024-11-30", "--tree").output.splitlines()[1:]
    depth = {line.split()[0]: (len(line) - len(line.lstrip())) // 2 for line in lines}
    there = units.at(datetime(2024, 11, 30).date())
    assert len(lines) == len(depth) == len(there)
    assert all(depth[unit.code] == len(units.ancestors(unit.code)) for unit in there)
