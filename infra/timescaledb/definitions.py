"""The functions and views of the database: one text, applied after the migrations whenever it has changed."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

import psycopg

from schemas.codes import HIDDEN, OPEN311
from schemas.types import DOSSIER, REGISTER

FILE = Path(__file__).parent / "definitions.sql"
NAME = "definitions"


def text() -> str:
    """The statements, with the forms of numbers that the schemas know put in; `{digest}` still stands for their own."""
    found = FILE.read_text(encoding="utf-8")
    for name, value in {"dossier": DOSSIER, "register": REGISTER, "hidden": HIDDEN, "open311": OPEN311.pattern}.items():
        found = found.replace(f"{{{name}}}", value)
    return found


def digest() -> str:
    """What tells this text from any other."""
    return blake2b(text().encode(), digest_size=16).hexdigest()


def are_current(conn: psycopg.Connection) -> bool:
    """Whether the database's were made from this text."""
    if not conn.execute("SELECT FROM pg_proc WHERE oid = to_regproc(%s)", (f"public.{NAME}",)).rowcount:
        return False
    return conn.execute("SELECT definitions()").fetchone() == (digest(),)


def apply(conn: psycopg.Connection) -> None:
    """Make them as they should be, within a transaction of the caller; rights that were given stay."""
    conn.execute(text().replace("{digest}", digest()).encode())
