"""Nothing is lost and nothing counts twice, whatever fails: every fault of the table, on real servers under load."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import cycle

import pytest
from chaos.faults import FAULTS, STORMS, Fault
from chaos.proof import Row, prove
from chaos.stage import Stage

from schemas.calendar import VN
from services.kit import clock
from services.simulator.district import Plan

NewStage = Callable[[str, int], Stage]
Report = Callable[[Row], None]
STARTED = time.monotonic()


def play(name: str, fault: Fault, stage: Stage, report: Report, seed: int) -> None:
    """Set the stage, strike under load, and hold what is there against what was meant."""
    with stage.ending:
        fault.set_up(stage)
        began = time.monotonic()
        stage.begin(plan(seed), fault.rate)
        try:
            fault.strike(stage)
        except BaseException:
            stage.load.abandon()
            raise
        row, wrong = prove(stage, name, began)
    report(row)
    assert not wrong, "\n".join(wrong)
    assert (row.lost, row.twice) == (0, 0)


def plan(seed: int) -> Plan:
    """A month ago in the morning, so that much of what was open then is overdue now."""
    day = clock.now().astimezone(VN) - timedelta(days=30)
    return Plan(seed, day.replace(hour=7, minute=0, second=0, microsecond=0), rate=1.0)


@pytest.mark.parametrize("name", FAULTS)
def test_nothing_is_lost_and_nothing_counts_twice(name: str, new_stage: NewStage, report: Report) -> None:
    seed = list(FAULTS).index(name)
    play(name, FAULTS[name], new_stage(name, seed), report, seed)


def storms(minutes: float) -> Iterator[tuple[int, str]]:
    """One victim after the other, again and again while there is time; the numbers make each one's chance another."""
    for number, name in enumerate(cycle(STORMS), start=len(FAULTS)):
        if time.monotonic() - STARTED > minutes * 60:
            return
        yield number, name


def test_storms_until_the_time_is_over(new_stage: NewStage, report: Report, minutes: float) -> None:
    """The short form has no time left for them: its storms are in the table."""
    for seed, name in storms(minutes):
        play(name, STORMS[name], new_stage(name, seed), report, seed)
