"""`python -m services.deadlines`."""

from services.kit.start import run

run("services.deadlines.app")
