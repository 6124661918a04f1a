"""Wiring of the exporter: its rounds, and the registry that a scrape is answered from."""

from __future__ import annotations

from contextlib import closing

from prometheus_client import REGISTRY

from services.exporter.collector import Rounds
from services.kit import bus
from services.kit.health import Health
from services.kit.service import live
from services.kit.settings import Settings


async def run(settings: Settings, health: Health) -> None:
    """Look again and again; a scrape gives out what was seen last."""
    async with bus.attached(settings, "exporter") as client:
        with closing(Rounds(settings, client, health)) as rounds:
            REGISTRY.register(rounds.snapshot)
            await rounds.go()


def main() -> None:
    """Run until told to stop."""
    live("exporter", run, stalled_after=120)
