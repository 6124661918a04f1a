"""A district that lives: what its eight systems would send, reproducible from a seed, in any stretch of time, at any
rate. `Plan` makes it; `truth` keeps its own books of it."""

from services.simulator.district.plan import Plan, Sending

__all__ = ["Plan", "Sending"]
