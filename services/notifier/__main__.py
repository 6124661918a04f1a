"""`python -m services.notifier`."""

from services.kit.start import run

run("services.notifier.app")
