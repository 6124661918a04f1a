"""What is said of a figure beside another period: points, per cent, or the difference where a base was none."""

from __future__ import annotations

from decimal import Decimal

from schemas.indicators import CATALOGUE
from services.readings import Reading
from services.readings.comparison import Change, change
from services.readings.published import Cell

CASES = (
    ("dossiers_received", 150, 100, Change(Decimal(50), "percent", None)),
    ("dossiers_received", 34_000, 30, Change(Decimal(33_970), "number", None)),
    ("dossiers_received", 3, 0, Change(Decimal(3), "number", None)),
    ("dossiers_received", 40, 29, Change(Decimal(11), "number", None)),
    ("dossiers_open_overdue", 20, 40, Change(Decimal(-50), "percent", True)),
    ("dossiers_open_overdue", 0, 0, Change(Decimal(0), "number", None)),
    ("payments_amount", 150, 0, Change(Decimal(150), "number", None)),
    ("payments_amount", 3, 2, Change(Decimal(50), "percent", None)),
    ("on_time_share", 97, 98, Change(Decimal(-1), "points", False)),
    ("on_time_share", 97, None, None),
)


def reading(code: str, value: int | None, base: int | None = None) -> Reading:
    shown = None if value is None else Decimal(value)
    return Reading(CATALOGUE[code], "", shown, None, frozenset(), None if base is None else Decimal(base))


def test_a_change_is_said_in_what_means_something() -> None:
    for code, now, before, expected in CASES:
        assert change(reading(code, now), reading(code, before)) == expected, (code, now, before)
    few = change(reading("on_time_share", 97, base=12), reading("on_time_share", 98, base=4_000))
    assert few == Change(Decimal(-1), "points", None), "of a dozen cases nothing is better or worse"


def test_a_published_cell_agrees_as_far_as_it_was_printed() -> None:
    cells = (("96.3", "96.26", True), ("96.3", "96.24", False), ("100", "99.5", True), ("12", None, False))
    for stated, counted, agrees in cells:
        cell = Cell("dong_xoai", Decimal(stated), None if counted is None else Decimal(counted))
        assert cell.agrees is agrees, cell
