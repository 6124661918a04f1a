"""Lengths of time as people write and read them."""

from __future__ import annotations

import re
from datetime import timedelta

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def read(text: object) -> timedelta:
    """`90s`, `15m`, `1h`, `2d` -> the time that is meant; ValueError."""
    written = re.fullmatch(r"(\d{1,6})([smhd])", text) if isinstance(text, str) else None
    if not written:
        raise ValueError(f"{text!r} is no length of time; write 90s, 15m, 1h or 2d")
    return timedelta(seconds=int(written[1]) * SECONDS[written[2]])


def coarse(passed: timedelta) -> tuple[int, str]:
    """The number and name (d, h, min, s) of the largest unit of which there are two; nothing is negative."""
    seconds = max(int(passed.total_seconds()), 0)
    units = (("d", 86_400), ("h", 3600), ("min", 60))
    return next(((seconds // length, name) for name, length in units if seconds >= 2 * length), (seconds, "s"))
