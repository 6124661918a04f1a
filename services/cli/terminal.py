"""What a command says while it works: lines and bars on standard error, so that its output stays clean."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from services.centre.reporter import Reporter, Update


def tell(line: str) -> None:
    """A line on standard error; above the bar, if one is drawn: that takes what is printed, not what click writes."""
    print(line, file=sys.stderr)


def say(message: str) -> None:
    """A line about what goes on."""
    tell(click.style(f"· {message}", dim=True) if sys.stderr.isatty() else f"· {message}")


@contextmanager
def bar(title: str, total: int | None = None, of_bytes: bool = False) -> Iterator[Update]:
    """A bar of progress where standard error is a terminal, else nothing. Lines that are said meanwhile stand above."""
    from rich import progress as parts
    from rich.console import Console

    extent: list[parts.ProgressColumn] = [parts.TaskProgressColumn() if total is None else parts.MofNCompleteColumn()]
    if of_bytes:
        extent = [parts.DownloadColumn(), parts.TransferSpeedColumn()]
    columns = (parts.TextColumn("{task.description}"), parts.BarColumn(), *extent, parts.TimeRemainingColumn())
    with parts.Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(title, total=total)

        def update(done: int, of: int | None = None, /) -> None:
            whole = total if of is None else of
            progress.update(task, completed=done, total=None if whole is None else max(whole, done))

        yield update
        if total is None:
            update(done := max(int(progress.tasks[0].completed), 1), done)


TERMINAL = Reporter(say, bar)
