"""`python -m services.cli`: the `ioc` command without its bootstrap."""

from services.cli.app import main

main()
