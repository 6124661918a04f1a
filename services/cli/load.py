"""`ioc load`: a scenario's events, published in bulk. Loaded again they add nothing: ids and contents are equal."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from services.cli.chosen import as_messages, chosen_settings, explained
from services.cli.times import today

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
    from services.simulator import SCENARIOS

    if listing:
        for title, scenario in SCENARIOS.items():
            click.echo(f"{title}  {scenario.TITLE}")
        return
    if name not in SCENARIOS:
        raise click.UsageError(f"no scenario {name!r}; there are: {', '.join(SCENARIOS)}")
    with as_messages(ValueError):
        _load(name, SCENARIOS[name], shift_to)


def _load(name: str, scenario: Scenario, shift_to: str | None) -> None:
    from services.centre.scenario import load_scenario, weeks_for
    from services.cli.terminal import bar, say

    weeks = weeks_for(scenario, shift_to, today())
    with explained(), bar(name, scenario.count_estimate()) as on_progress:
        sent = load_scenario(chosen_settings(), name, weeks, on_progress, say)
    end = scenario.END + timedelta(weeks=weeks)
    click.echo(f"{name}: {sent:,} events sent; the last day is {end:%Y-%m-%d}")
