"""What the board's look reads again: what has news, and nothing where nothing is stored."""

from __future__ import annotations

from datetime import UTC, datetime

from schemas.registry import SYSTEMS
from services.board.live.poller import Revision, _changed

AT = datetime(2026, 3, 2, tzinfo=UTC)


def test_the_first_look_is_at_all_systems_and_the_next_at_those_with_news() -> None:
    before = {"health": Revision(7, AT), "field": Revision(3, AT)}
    assert _changed(before, None) == list(SYSTEMS)
    assert _changed(before | {"health": Revision(8, AT)}, before) == ["health"]


def test_an_empty_centre_is_not_read_again_and_again() -> None:
    """It took a fifth of a core: that nothing was stored was taken for that nothing was looked at."""
    assert _changed({}, None) == list(SYSTEMS)
    assert _changed({}, {}) == []
