"""`python -m services.upkeep`."""

from services.kit.start import run

run("services.upkeep.app")
