"""The stage of each fault, and the table of counts that stands at the end of a run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from chaos.proof import Row, line
from chaos.stage import Stage

from infra.local.servers import Instance


@pytest.fixture(scope="session")
def minutes() -> float:
    """How long the long form may take; 0 in the short form."""
    return float(os.environ.get("CHAOS_MINUTES", "0"))


@pytest.fixture(scope="session")
def new_stage(new_centre: Callable[[Path], Instance], open_folder: Path, minutes: float) -> Callable[[str, int], Stage]:
    """Makes a stage for the fault of this name, with chance from this seed."""

    def make(name: str, seed: int) -> Stage:
        folder = open_folder / ("chaos-" + "".join(c if c.isalnum() else "-" for c in name.lower()) + f"-{seed}")
        return Stage(new_centre(folder), seed, minutes)

    return make


@pytest.fixture
def report(pytestconfig: pytest.Config, minutes: float, request: pytest.FixtureRequest) -> Callable[[Row], None]:
    """Takes the row of a fault: shown at once in the long form, and kept with the test's report for the end."""
    manager = pytestconfig.pluginmanager
    terminal, capture = manager.get_plugin("terminalreporter"), manager.get_plugin("capturemanager")

    def keep(row: Row) -> None:
        request.node.user_properties.append(("chaos", line(row)))
        if minutes and terminal and capture:
            with capture.global_and_fixture_disabled():
                terminal.ensure_newline()
                terminal.write_line(line(row))
                terminal.flush()

    return keep


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table of all faults, also of those that ran in other processes."""
    reports = [r for some in terminalreporter.stats.values() for r in some if getattr(r, "when", "") == "call"]
    rows = [text for report in reports for name, text in report.user_properties if name == "chaos"]
    if rows:
        terminalreporter.section("chaos: faults and counts")
        for text in (line(), *rows):
            terminalreporter.write_line(text)
