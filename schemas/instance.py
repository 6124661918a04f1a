"""How the processes of one centre know each other: three words made of one secret, of which none tells another.

A neighbour on one of the centre's ports may answer as it likes; it knows neither the path that figures are asked at nor
the mark that each of them carries.
"""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

CREDENTIAL = "instance"
"""The secret's name: made at a centre's first start."""
HEADER = "x-ioc-instance"
"""In which each answer over HTTP carries the centre's id."""
MARK = "ioc_instance"
"""The label that carries the mark from a service to Prometheus, and no further."""


class Identity(NamedTuple):
    """`id` may be known and tells centres apart; `token` opens the marked figures; `mark` is on each of them."""

    id: str
    token: str
    mark: str


def identity(secret: str) -> Identity:
    """The words of a centre."""
    id, token, mark = (sha256(f"ioc {word} {secret}".encode()).hexdigest()[:32] for word in Identity._fields)
    return Identity(id[:16], token, mark)
