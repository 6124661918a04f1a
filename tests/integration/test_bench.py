"""The benchmarks' harness on real servers: the figures are there, agree with each other, and nothing is left behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from support import home_in, output_of

from bench import BENCHES, intake, module, report, table
from bench.consumer_run import ConsumerRun, begins_at
from bench.options import Options
from bench.result import Row, targets
from infra.local.paths import CHECKOUT
from infra.local.servers import Instance


@pytest.fixture(scope="module")
def own_home(open_folder: Path) -> Path:
    """A home of state with the fetched programs, and nothing else."""
    return home_in(open_folder, "bench")


@pytest.fixture(scope="module")
def ingested(own_home: Path) -> dict[str, Any]:
    return measured(own_home, "ingest", 8000)


def test_a_run_gives_rates_beside_its_baselines_and_their_ratios(ingested: dict[str, Any]) -> None:
    assert ingested["events"] == 8000
    rates = {key: ingested[key] for key in ("rate", "naive_rate", "pipe_rate", "two_rate")}
    assert all(rate > 0 for rate in rates.values()), rates
    assert ingested["versus_naive"] == pytest.approx(rates["rate"] / rates["naive_rate"], rel=0.02)
    assert ingested["versus_pipe"] == pytest.approx(rates["rate"] / rates["pipe_rate"], rel=0.02)
    assert ingested["versus_one"] == pytest.approx(rates["two_rate"] / rates["rate"], rel=0.02)


def test_processor_time_is_that_of_all_three_and_is_held_against_a_program_in_go(ingested: dict[str, Any]) -> None:
    parts = [ingested[f"{who}_ms"] for who in ("reader", "database", "broker")]
    assert ingested["cpu_us_per_event"] == pytest.approx(sum(parts), abs=0.1)
    assert min(parts[:2]) > 0
    if shutil.which("go"):
        assert ingested["versus_go"] == pytest.approx(sum(parts) / ingested["go_us_per_event"], rel=0.02)
    else:
        assert ingested["versus_go"] is ingested["go_us_per_event"] is ingested["go_rate"] is None


def test_a_run_says_where_it_was_taken_and_which_targets_it_met(ingested: dict[str, Any]) -> None:
    assert ingested["machine"]["cores"] >= 1
    assert {"python", "nats-server", "nats-py", "faststream", "postgresql", "timescaledb"} <= ingested[
        "versions"
    ].keys()
    for key, held in ingested["targets"].items():
        assert held["value"] == ingested[key]
        bound = float(held["target"].lstrip("≥≤ ").replace(",", ""))
        assert held["met"] == (held["value"] >= bound if "≥" in held["target"] else held["value"] <= bound)


def test_a_run_leaves_no_servers_and_no_files(ingested: dict[str, Any], own_home: Path) -> None:
    assert [file.name for file in own_home.iterdir()] == ["runtime"]
    assert not [line for line in command_lines() if str(own_home) in line]


MAY_BE_NONE = ("batch_again", "batch_broker_ms", "one_broker_ms", "batch_door_ms", "one_door_ms")
"""Processor time is told in hundredths of a second."""


def test_what_the_doors_take_is_measured_with_what_it_costs(centre: Instance) -> None:
    try:
        found = module("intake").run(centre, Options(events=400, quick=True), print)
    finally:
        centre.stop_process("emitters")
        for name in intake.HOLDERS:
            output_of(centre, "keys", "revoke", name)
    assert min(found[row.key] for row in intake.ROWS if row.key not in MAY_BE_NONE) > 0, found
    assert found["half_p50_ms"] <= found["half_p99_ms"]
    assert found["versus_broker"] == pytest.approx(found["batch_rate"] / found["broker_rate"], rel=0.02, abs=0.001)
    assert found["workbook_rows"] == 2000


def measured(own_home: Path, name: str, events: int) -> dict[str, Any]:
    """A small run on servers of its own: they are filled."""
    command = [sys.executable, "-m", "services.cli", "bench", name, "--events", f"{events}", "--quick", "--json"]
    env = os.environ | {"IOC_HOME": str(own_home)}
    done = subprocess.run(command, cwd=CHECKOUT, env=env, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_reports_of_a_month_and_a_year_are_measured(own_home: Path) -> None:
    found = measured(own_home, "reports", 2400)
    assert 1800 < found["dossiers"] < 3000
    assert {"ii06_by_unit", "ii06_by_field", "overdue", "system_procedures"} <= set(found["tables"])
    assert min(found[row.key] for row in module("reports").ROWS) > 0


def test_a_month_that_came_in_is_folded_anew_saved_and_brought_back(own_home: Path) -> None:
    found = measured(own_home, "rebuild", 4000)
    assert 3000 < found["events"] < 5000
    assert min(found[row.key] for row in module("rebuild").ROWS) > 0


def test_processor_time_is_measured_at_each_size(own_home: Path) -> None:
    found = measured(own_home, "growth", 40_000)
    sizes = [step["events"] for step in found["steps"]]
    assert sizes[0] < sizes[1] < sizes[2] and sizes[2] > 10 * sizes[0]
    assert found["growth"] == pytest.approx(found["large_us"] / found["small_us"], rel=0.01)


def test_a_centre_left_alone_is_measured_with_all_its_processes(own_home: Path) -> None:
    found = measured(own_home, "idle", 2000)
    assert {"nats", "timescaledb", "prometheus", "aggregator", "board"} <= set(found["processes"]["empty"])
    assert found["empty_mib"] > 300
    assert found["demo_percent"] is None, "a small run makes no demo"


def command_lines() -> Iterator[str]:
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield file.read_text(errors="replace")


def test_a_rate_leaves_out_the_start_of_the_process() -> None:
    assert ConsumerRun((5.0, 100), (7.0, 1100)).rate() == 500
    seen = [0, 30, 60, 900, 1100]
    assert next(done for done in seen if begins_at(done, 1100)) == 60, "a look that holds what is still warming up"
    too_quick = [0, 1000, 1100]
    assert not any(begins_at(done, 1100) for done in too_quick), "what is left may be less than a clock tells"


def test_a_target_is_met_at_its_very_value() -> None:
    rows = (Row("a", "", at_least=10), Row("b", "", at_most=10), Row("c", ""))
    found = targets(rows, {"a": 10, "b": 10.1, "c": 1})
    assert {key: held["met"] for key, held in found.items()} == {"a": True, "b": False}


@pytest.mark.parametrize("name", BENCHES)
def test_every_benchmark_says_what_its_figures_are(name: str) -> None:
    rows = module(name).ROWS
    assert any(row.target for row in rows)
    assert all(len(row.what) > 3 for row in rows)
    assert len({row.key for row in rows}) == len(rows)


def test_the_page_holds_the_saved_figures() -> None:
    page, results = report.PAGE.read_text(encoding="utf-8"), report.saved_results()
    assert page == report.filled(page, results), "run `ioc bench report`"
    assert set(results) <= set(BENCHES)
    assert [name for name in BENCHES if f"\n### {name}\n" not in page] == []


def test_a_figure_is_shown_with_its_verdict() -> None:
    rows = (Row("rate", "one", "events/s"), Row("versus", "ratio", "×", at_least=10))
    lines = list(table.markdown(rows, {"rate": 12345.6, "versus": 3.14159}))
    assert lines[2:] == ["| one | 12,346 events/s |  |  |", "| ratio | 3.14 × | ≥ 10 | **not met** |"]
