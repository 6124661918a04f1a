"""A scenario's events, published in bulk. Loaded again they add nothing: ids and contents are equal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, timedelta

from schemas.text import moments
from services.centre.reporter import SILENT, Say
from services.kit import bus
from services.kit.patience import teller
from services.kit.settings import Settings
from services.simulator import SCENARIOS, Scenario


def load_scenario(
    settings: Settings,
    name: str,
    weeks: int,
    on_progress: Callable[[int], None] = lambda done: None,
    say: Say = SILENT.say,
) -> int:
    """Publish the events of the scenario `name`, shifted by `weeks`; how many were acknowledged, which is all of them.

    `on_progress` is told how many are acknowledged so far, `say` when the broker keeps it waiting. Raises
    `Unavailable`; run again, nothing is doubled.
    """
    return asyncio.run(_publish(settings, SCENARIOS[name], weeks, on_progress, say))


async def _publish(
    settings: Settings, scenario: Scenario, weeks: int, on_progress: Callable[[int], None], say: Say
) -> int:
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
