"""Whole numbers that give a published figure back: parts of a sum, and counts whose ratio is a printed percentage."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from random import Random

_AMOUNT_WEIGHTS = (4, 4, 5, 5, 6, 6, 8, 8, 10, 10, 12, 15, 15, 20, 30, 40, 90)
_LEAST_WINDOW = 8


def amounts(total: int, count: int, rng: Random) -> list[int]:
    """`count` positive amounts in whole đồng that make `total` exactly; all but the last are whole thousands.

    The mean must be some thousands at least.
    """
    if not count:
        return []
    ends = list(accumulate(rng.choice(_AMOUNT_WEIGHTS) for _ in range(count)))
    cuts = [total * end // ends[-1] // 1000 * 1000 for end in ends[:-1]]
    return [after - before for before, after in pairwise((0, *cuts, total))]


def ratio_near(permille: int, about: int) -> tuple[int, int]:
    """(n, k): of all whole n near `about` the one with a whole k so that k / n is nearest to `permille` thousandths."""
    window = max(about * 7 // 100, _LEAST_WINDOW)
    candidates = range(max(about - window, 1), about + window + 1)

    def distance(n: int) -> tuple[float, int]:
        rest = permille * n % 1000
        return min(rest, 1000 - rest) / n, abs(n - about)

    n = min(candidates, key=distance)
    return n, (permille * n + 500) // 1000


def shares(total: int, weights: Sequence[int]) -> list[int]:
    """`total` divided among `weights` in whole numbers: none is more than 1 off, the sum is exact."""
    ends = list(accumulate(weights, initial=0))
    cuts = [(2 * total * end + ends[-1]) // (2 * ends[-1]) for end in ends]
    return [after - before for before, after in pairwise(cuts)]
