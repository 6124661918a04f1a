"""`python -m services.simulator`."""

from services.kit.start import run

run("services.simulator.app")
