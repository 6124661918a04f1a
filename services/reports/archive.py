"""DOCX and XLSX are archives; the same content has to give the same bytes, so their parts bear no time of writing."""

from __future__ import annotations

import io
import zipfile

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that an archive can name."""


def repacked(raw: bytes) -> bytes:
    """The archive with its parts in their order, each with one time and one way of packing."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as before, zipfile.ZipFile(out, "w") as after:
        for part in before.infolist():
            entry = zipfile.ZipInfo(part.filename, EPOCH)
            entry.compress_type, entry.external_attr, entry.create_system = zipfile.ZIP_DEFLATED, 0o600 << 16, 3
            after.writestr(entry, before.read(part), compresslevel=6)
    return out.getvalue()
