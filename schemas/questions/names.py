"""Which indicator is meant: the one whose name shares most with the question, rare words counting more than common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from math import log

from schemas.indicators import CATALOGUE, Indicator
from schemas.questions.words import Token, plain, settled, table, tokens
from schemas.text.letters import bare

LEAST, MOST = 0.4, 5
"""Below the first nothing is found; so many are told."""
Terms = Counter[str]


def nearest(words: list[Token]) -> list[tuple[Indicator, float]]:
    """The indicators that fit best, each with its measure from 0 to 1."""
    wanted = _terms(plain(words))
    weights, known = _index()
    own = _sum(wanted, weights)
    best: dict[str, float] = {}
    for code, terms, size in known:
        shared = _sum(wanted & terms, weights)
        if shared:
            best[code] = max(best.get(code, 0.0), 2 * shared / (own + size))
    ranked = sorted(best.items(), key=lambda one: (-round(one[1], 6), not CATALOGUE[one[0]].headline))
    return [(CATALOGUE[code], round(fit, 3)) for code, fit in ranked[:MOST] if fit >= LEAST]


def _terms(text: str) -> Terms:
    """Words and pairs of words: most Vietnamese words are two syllables."""
    words = settled(text)
    return Counter([*words, *map(" ".join, pairwise(words))])


def _sum(terms: Iterable[str], weights: dict[str, float]) -> float:
    return sum(weights.get(term, weights[""]) for term in terms)


def _names() -> Iterator[tuple[str, str]]:
    for code, indicator in CATALOGUE.items():
        said = table()["called"].get(bare(code), [])
        for name in (indicator.vi, indicator.en, code.replace("_", " "), *said):
            yield code, plain(tokens(name))


def _index() -> tuple[dict[str, float], list[tuple[str, Terms, float]]]:
    return _built(len(CATALOGUE))


@cache
def _built(_known: int) -> tuple[dict[str, float], list[tuple[str, Terms, float]]]:
    every = [(code, _terms(name)) for code, name in _names()]
    often = Counter(term for _, terms in every for term in terms)
    weights = {term: log(len(every) / number) * (0.5 if " " in term else 1.0) for term, number in often.items()}
    weights[""] = 2.5  # a word that no indicator has: a little against all
    return weights, [(code, terms, _sum(terms, weights)) for code, terms in every]
