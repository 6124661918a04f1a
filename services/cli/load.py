"""`ioc load`: a scenario's events, published in bulk. Loaded again they add nothing: ids and contents are equal."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from services.simulator import Scenario


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
    from services.centre.prepare import settings_of
    from services.centre.scenario import load_scenario, weeks_for
    from services.cli.chosen import chosen_instance, explained
    from services.cli.terminal import bar, say
    from services.kit.clock import now

    weeks = weeks_for(scenario, shift_to, local_day(now()))
    with explained(), bar(name, scenario.count_estimate()) as on_progress:
        sent = load_scenario(settings_of(chosen_instance(), "cli"), name, weeks, on_progress, say)
    end = scenario.END + timedelta(weeks=weeks)
    click.echo(f"{name}: {sent:,} events sent; the last day is {end:%Y-%m-%d}")
