"""What a command says while the broker keeps it waiting."""

from __future__ import annotations

import time
from collections.abc import Callable

WORD_SECONDS = 5.0


def teller(tell: Callable[[str], None], before: int = 0) -> Callable[[int, float], None]:
    """For `bus.publish_raw`: a line every few seconds, with all that is acknowledged, `before` that call too."""
    notified_at = time.monotonic()

    def on_wait(done: int, seconds: float) -> None:
        nonlocal notified_at
        if min(seconds, time.monotonic() - notified_at) > WORD_SECONDS:
            notified_at = time.monotonic()
            tell(f"waiting for the broker: {before + done:,} acknowledged, no other for {seconds:.0f} s")

    return on_wait
