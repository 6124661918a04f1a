"""Reports in a process of their own, for a service that must neither wait nor grow: what is asked, as JSON on stdin, is
answered on stdout. `{"make": …}` gives what has to be kept, `{"verify": ISSUE}` what differs today, `{"write": ISSUE,
"form": …}` the bytes of a document. What a person can mend is `{"problem": …}`, with an exit code of 3.

The process sets its own limits of memory and time; who started it sees to it that it ends.
"""

from __future__ import annotations

import json
import resource
import sys
from datetime import date
from pathlib import Path
from typing import Any

from psycopg import Connection

from services.kit import store
from services.kit.settings import Settings
from services.reports import issues, making
from services.reports.formats import write
from services.reports.tables import TABLES
from services.reports.texts import read

MOST_MEMORY, MOST_SECONDS = 3072 * 2**20, 120
"""Of address space, several times what a month of 57,000 dossiers takes, and of the processor."""
REFUSED = 3
Answer = dict[str, Any]


class NoFont(ValueError):
    """A PDF needs a font that is not here."""


def answer(asked: Answer) -> bytes:
    """What is asked for; `ValueError` says what a person can mend."""
    settings = Settings()
    with store.connect(settings, "reader") as conn:
        conn.autocommit = True
        if "make" in asked:
            return _json(_made(conn, settings, asked["make"]))
        if "verify" in asked:
            return _json(_verdict(conn, issues.get(conn, asked["verify"])))
        return write(issues.get(conn, asked["write"]).report, asked["form"], lambda: _fonts(settings))


def _made(conn: Connection, settings: Settings, asked: Answer) -> Answer:
    period = making.period_of(date.fromisoformat(asked["first"]), date.fromisoformat(asked["last"]))
    texts = read(settings.report_texts, TABLES).of(asked["form"])
    return making.make(conn, texts, asked["unit"], period, asked["number"]).values()


def _verdict(conn: Connection, issue: issues.Issue) -> Answer:
    found = making.verify(conn, issue)
    changes = list(issues.changes(issue.report, found.again))
    late = issues.Late([], 0) if found.same_inputs else issues.recorded_since(conn, issue)
    return {
        "holds": found.holds, "same_inputs": found.same_inputs, "hash": issue.hash, "changed": len(changes),
        "changes": [change._asdict() for change in changes[: issues.SHOWN]],
        "late": [one._asdict() for one in late.own], "others": late.others,
    }  # fmt: skip


def _fonts(settings: Settings) -> Path:
    folder = settings.report_fonts
    if folder is None or not folder.is_dir():
        raise NoFont(
            "a PDF needs Liberation Serif 2: install fonts-liberation2, name its folder in IOC_REPORT_FONTS, "
            "or run `ioc report MONTH --format pdf` once, which fetches it"
        )
    return folder


def _json(values: Answer) -> bytes:
    return json.dumps(values, ensure_ascii=False).encode()


def main() -> None:
    """Answer what is asked, within the limits."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    try:
        given = answer(json.load(sys.stdin))
    except ValueError as wrong:
        sys.stdout.buffer.write(_json({"problem": str(wrong)}))
        raise SystemExit(REFUSED) from None
    except store.OUTAGE:
        sys.stdout.buffer.write(_json({"problem": "the database does not answer"}))
        raise SystemExit(REFUSED) from None
    sys.stdout.buffer.write(given)


if __name__ == "__main__":
    main()
