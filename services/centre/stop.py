"""A centre's end: on demand, on Ctrl-C and SIGTERM, and when its start fails."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from infra.local.servers import Instance
from services.centre.reporter import Say


@contextmanager
def stopping_on_failure(instance: Instance, say: Say) -> Iterator[None]:
    """Ctrl-C and SIGTERM stop the centre; so does a failure, unless it was running before."""
    was_running = instance.is_running()
    try:
        with _stoppable():
            yield
    except KeyboardInterrupt:
        stop(instance, say)
        raise SystemExit(130) from None
    except BaseException:
        if not was_running:
            stop(instance, say)
        raise


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM ends `ioc up` as Ctrl-C does."""

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def stop(instance: Instance, say: Say) -> None:
    """Stop everything of a centre; a second Ctrl-C does not leave half of it running."""
    say("stopping everything")
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        instance.stop()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    say("stopped")
