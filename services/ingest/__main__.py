"""`python -m services.ingest [NAME …]`."""

from services.ingest.app import main

main()
