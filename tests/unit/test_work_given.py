"""A dossier given as work before it is overdue: the alarm that carries it is over when the dossier ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.notifier.domain import WORK, State, is_over, work

NOW = datetime(2026, 11, 25, 2, tzinfo=UTC)
CODE = "H99.1-261101-0001"


def dossier(ended: datetime | None) -> State:
    return State(1, ended, NOW + timedelta(days=3), {"stages": []}, [])


def test_it_goes_on_while_the_dossier_is_open_and_in_time() -> None:
    given = work(CODE, "phuong_chon_thanh", "real", NOW)
    assert (given.case, given.stage, given.key.originator) == (("dossier", CODE), WORK, f"dossier:{CODE}/work")
    assert given.due_at is not None
    assert not is_over("dossier", given.stage, given.due_at, dossier(None), NOW)
    assert is_over("dossier", given.stage, given.due_at, dossier(NOW), NOW)
    assert is_over("dossier", None, given.due_at, dossier(None), NOW), "an alarm of lateness is: the promise is kept"


def test_it_is_given_anew_after_it_was_closed() -> None:
    later = NOW + timedelta(minutes=5)
    assert work(CODE, "x", "real", NOW).due_at != work(CODE, "x", "real", later).due_at
