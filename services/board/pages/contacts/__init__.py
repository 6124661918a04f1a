"""Whom to call about a unit, and what procedures are called."""
