"""`python -m services.aggregator`."""

from services.kit.start import run

run("services.aggregator.app")
