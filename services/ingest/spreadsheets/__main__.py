"""`python -m services.ingest.spreadsheets`: see `answering`."""

from services.ingest.spreadsheets.answering import main

if __name__ == "__main__":
    main()
