"""`python -m services.board`."""

from services.board.app import main

main()
