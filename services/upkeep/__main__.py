"""`python -m services.upkeep`."""

from services.upkeep.app import main

main()
