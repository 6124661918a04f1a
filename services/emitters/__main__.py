"""`python -m services.emitters [NAME …]`."""

from services.emitters.app import main

main()
