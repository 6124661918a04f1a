"""How many examples a property is tried with: as many as its test says, the same each time, so that what passes here
passes anywhere; and many times as many, drawn anew, in the long run (`--hypothesis-profile long`, which
`ioc test --long` asks for)."""

from __future__ import annotations

from typing import Any

from hypothesis import settings

ORDINARY = 50
"""Of a property that says no number of its own."""
LONG = 40
"""So many times as many."""


def profiles() -> None:
    """Let both runs be known, and the ordinary one hold. No deadline: what is slow is the machine."""
    settings.register_profile("ordinary", deadline=None, max_examples=ORDINARY, derandomize=True)
    settings.register_profile("long", deadline=None, max_examples=ORDINARY * LONG)
    settings.load_profile("ordinary")


def examples(number: int, long: int | None = None, **more: Any) -> settings:
    """So many examples in the ordinary run; in the long one `long`, or so many times as many."""
    times = settings.default.max_examples // ORDINARY
    return settings(max_examples=long if long and times > 1 else number * times, **more)
