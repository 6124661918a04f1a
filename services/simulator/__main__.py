"""`python -m services.simulator`."""

from services.simulator.app import main

main()
