"""`python -m services.ingest [NAME …]`."""

from services.kit.start import run

run("services.ingest.app")
