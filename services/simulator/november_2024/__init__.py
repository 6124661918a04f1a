"""Bình Phước in November 2024: the published figures of the province, expanded into the events behind them.

`tables/` holds the figures as printed, with the report's own contradictions, which are not repaired. What no table
says (how many dossiers a unit has, when somebody files) is chosen by a seeded chance: the same events each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import chain

from schemas.envelope import Event
from services.simulator.november_2024.continued import continued
from services.simulator.november_2024.hotline import hotline_events
from services.simulator.november_2024.life import dossier_events
from services.simulator.november_2024.moments import CLOSE, END
from services.simulator.november_2024.offered import service_events
from services.simulator.november_2024.shift import Shift
from services.simulator.november_2024.statements import statement_events

__all__ = ["CLOSE", "END", "TITLE", "continued", "count_estimate", "events", "shift_for"]

TITLE = "Bình Phước, tháng 11/2024: 57.000 hồ sơ, thanh toán, tổng đài 1022 và các chỉ tiêu đã công bố"


def events(shift_weeks: int = 0) -> Iterator[Event]:
    """All events, made one by one, part by part, each dossier's and report's in order of time; the same each time.

    Shifted, all times, days and dossier codes move by whole weeks and the origin is `shifted`. Only what is dated
    after the scenario (the year's results, figures of 2025) stays where it is: it would come to lie in the future.
    """
    shift = Shift(shift_weeks)
    return chain(service_events(shift), statement_events(shift), hotline_events(shift), dossier_events(shift))


def count_estimate() -> int:
    """About how many events there are."""
    return 283_000


def shift_for(until: date) -> int:
    """By how many weeks to shift so that the last day is as late as possible, but not after `until`."""
    return (until - END).days // 7
