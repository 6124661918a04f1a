"""The formats of a report; each is written from the same tree, and the same tree gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from services.reports.content import Report

FORMATS = ("docx", "pdf", "xlsx", "html", "json")


def write(report: Report, form: str, fonts: Callable[[], Path]) -> bytes:
    """The report in one of the formats; `fonts` gives the folder of the font that a PDF embeds."""
    match form:
        case "docx":
            from services.reports import as_docx

            return as_docx.write(report)
        case "pdf":
            from services.reports import as_pdf

            return as_pdf.write(report, fonts())
        case "xlsx":
            from services.reports import as_xlsx

            return as_xlsx.write(report)
        case "html":
            from services.reports import as_html

            return as_html.write(report)
    from services.reports import as_json

    return as_json.write(report)
