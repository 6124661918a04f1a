"""How long work says on its way what it does and how far it is; who calls it decides where that is shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol


class Say(Protocol):
    """Takes one line for people."""

    def __call__(self, message: str, /) -> None: ...


class Update(Protocol):
    """Takes how much is done, and of how much once that is known."""

    def __call__(self, done: int, total: int | None = None, /) -> None: ...


class Bar(Protocol):
    """Opens a bar under a title; `total` is None where it is not known beforehand."""

    def __call__(self, title: str, total: int | None = None, /) -> AbstractContextManager[Update]: ...


@dataclass(frozen=True)
class Reporter:
    """Lines and bars of progress."""

    say: Say
    bar: Bar


@contextmanager
def _no_bar(title: str, total: int | None = None) -> Iterator[Update]:
    yield lambda done, total=None: None


SILENT = Reporter(lambda message: None, _no_bar)
