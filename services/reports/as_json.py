"""A report as JSON: the tree itself; numbers are text, so that none of their digits is lost."""

from __future__ import annotations

import json

from services.reports.content import REPORT, Report


def write(report: Report) -> bytes:
    """The same report gives the same bytes."""
    values = REPORT.dump_python(report, mode="json")
    return (json.dumps(values, ensure_ascii=False, indent=2) + "\n").encode()


def read(raw: bytes) -> Report:
    """The report that was written."""
    return REPORT.validate_json(raw)
