"""`python -m services.deadlines`."""

from services.deadlines.app import main

main()
