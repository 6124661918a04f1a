"""What a command says while it works: lines and bars on standard error, so that its output stays clean."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from services.centre.reporter import Reporter, Update


def say(message: str) -> None:
    """A line about what goes on."""
    click.secho(f"· {message}", err=True, dim=True)


@contextmanager
def bar(title: str, total: int | None = None) -> Iterator[Update]:
    """A bar of progress where standard error is a terminal, else nothing."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    extent = TaskProgressColumn() if total is None else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), extent, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(title, total=total)

        def update(done: int, of: int | None = None, /) -> None:
            whole = total if of is None else of
            progress.update(task, completed=done, total=None if whole is None else max(whole, done))

        yield update
        if total is None:
            update(done := max(int(progress.tasks[0].completed), 1), done)


TERMINAL = Reporter(say, bar)
