"""`ioc load`: a scenario's events, published in bulk. Loaded again they add nothing: ids and contents are equal."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import TYPE_CHECKING

import click

from schemas.text import moments

if TYPE_CHECKING:
    from services.kit.settings import Settings
    from services.simulator import Scenario


def load_scenario(
    settings: Settings, name: str, weeks: int, on_progress: Callable[[int], None] = lambda done: None
) -> int:
    """Publish the events of the scenario `name`, shifted by `weeks`; how many were acknowledged, which is all of them.

    `on_progress` is told how many are acknowledged so far. Raises `Unavailable`; run again, nothing is doubled.
    """
    from services.simulator import SCENARIOS

    return asyncio.run(_publish(settings, SCENARIOS[name], weeks, on_progress))


async def _publish(settings: Settings, scenario: Scenario, weeks: int, on_progress: Callable[[int], None]) -> int:
    from services.cli.lifecycle import say
    from services.cli.patience import teller
    from services.kit import bus

    async with bus.connected(settings, "load") as client:
        return await bus.publish_many(client.jetstream(), scenario.events(weeks), on_progress, on_wait=teller(say))


def weeks_for(scenario: Scenario, shift_to: str | None, today: date) -> int:
    """The shift that `--shift-to` asks for; `now` stands for yesterday, the last day that is over.

    `today` is the local day. ValueError where some events would lie in the future.
    """
    yesterday = today - timedelta(days=1)
    weeks = (
        scenario.shift_for(yesterday if shift_to == "now" else moments.read(shift_to, today).day()) if shift_to else 0
    )
    if (end := scenario.END + timedelta(weeks=weeks)) > yesterday:
        raise ValueError(f"the scenario would end on {end}, which is not over; the latest is --shift-to {yesterday}")
    return weeks


@contextmanager
def progress_bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error where that is a terminal, else nothing; gives the function to tell how many are done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(title, total=total)
        yield lambda done: progress.update(task, completed=done, total=max(total, done))


@click.command(
    epilog="\b\nExamples:\n  ioc load november-2024\n  ioc load november-2024 --shift-to now\n  ioc load --list"
)
@click.argument("name", metavar="SCENARIO", required=False)
@click.option(
    "--shift-to", metavar="DATE", help="Move it by whole weeks to end on this day at the latest; `now`: yesterday."
)
@click.option("--list", "listing", is_flag=True, help="Name the scenarios and leave.")
def load(name: str | None, shift_to: str | None, listing: bool) -> None:
    """Publish all events of a scenario. A second load of the same changes nothing."""
    from services.kit.errors import Unavailable
    from services.simulator import SCENARIOS

    if listing:
        for known, scenario in SCENARIOS.items():
            click.echo(f"{known}  {scenario.TITLE}")
        return
    if name not in SCENARIOS:
        raise click.UsageError(f"no scenario {name!r}; there are: {', '.join(SCENARIOS)}")
    try:
        _load(name, SCENARIOS[name], shift_to)
    except (ValueError, Unavailable) as problem:
        raise click.ClickException(str(problem)) from problem


def _load(name: str, scenario: Scenario, shift_to: str | None) -> None:
    from schemas.calendar import local_day
    from services.cli.lifecycle import chosen_instance, explained
    from services.cli.prepare import settings_of
    from services.kit.clock import now

    weeks = weeks_for(scenario, shift_to, local_day(now()))
    with explained(), progress_bar(name, scenario.count_estimate()) as on_progress:
        sent = load_scenario(settings_of(chosen_instance(), "cli"), name, weeks, on_progress)
    end = scenario.END + timedelta(weeks=weeks)
    click.echo(f"{name}: {sent:,} events sent; the last day is {end:%Y-%m-%d}")
