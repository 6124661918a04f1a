"""`python -m services.exporter`."""

from services.kit.start import run

run("services.exporter.app")
