"""The one place that computes a figure: any indicator, period, unit, as of any past moment, with a reason where there
is none."""

from services.readings.explain import explain
from services.readings.findings import findings
from services.readings.period import Period
from services.readings.read import Reading, read, sheet

__all__ = ["Period", "Reading", "explain", "findings", "read", "sheet"]
