"""What must be said of data that is not real, for who asks at a terminal."""

from __future__ import annotations

from collections.abc import Iterable

ORIGINS = {"simulated": "SIMULATED", "shifted": "SHIFTED in time"}


def origins_line(origins: Iterable[str]) -> str | None:
    """Of what origin data is, where some of it is not real."""
    marks = sorted(ORIGINS[origin] for origin in {*origins} & ORIGINS.keys())
    return f"Data: {', '.join(marks)}" if marks else None
