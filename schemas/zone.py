"""The zone in which local days and times are meant."""

from datetime import timedelta, timezone

VN = timezone(timedelta(hours=7))
"""Viet Nam has no daylight saving, so no database of zones is needed."""
