"""`python -m services.board`."""

from services.kit.start import run

run("services.board.app")
