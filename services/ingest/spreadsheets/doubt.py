"""Why a cell cannot be read for certain."""

from __future__ import annotations

from decimal import Decimal

from schemas.text.numbers import plain


class Doubt(ValueError):
    """What is wrong with a cell; `choices`: what it could mean, as it would be answered."""

    def __init__(self, why: str, *choices: Decimal | int | str) -> None:
        super().__init__(why)
        self.why = why
        self.choices = tuple(choice if isinstance(choice, str) else plain(Decimal(choice)) for choice in choices)
