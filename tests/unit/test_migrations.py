"""What migrations may do to the log: a statement that passes on the Apache edition may fail on a log in columns."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from infra.timescaledb.migrate import available

CONSTANT = r"(?:'(?:[^']|'')*'|[-+]?\d[\d.]*|true|false|null)"
REFUSED = {
    "a column that is generated or counts": r"ADD (?:COLUMN )?.*\b(?:GENERATED|IDENTITY|\w*SERIAL)\b",
    "a column whose default is no constant": rf"ADD (?:COLUMN )?.*\bDEFAULT (?!{CONSTANT}(?: NOT NULL| NULL)?(?:,|$))",
    "a column that may not be null, without a default": r"ADD (?:COLUMN )?(?!.*\bDEFAULT\b).*\bNOT NULL\b",
    "a constraint": r"ADD (?:COLUMN )?.*\b(?:CONSTRAINT|CHECK|UNIQUE|PRIMARY KEY|FOREIGN KEY|REFERENCES|EXCLUDE)\b",
    "another type": r"ALTER (?:COLUMN )?\S+ (?:SET DATA )?TYPE\b",
    "a rule for old rows": r"ALTER (?:COLUMN )?\S+ SET NOT NULL\b",
    "rows by right": r".*\bROW LEVEL SECURITY\b",
}
"""What -> the part of an ALTER TABLE, refused or rewriting every row once compression is on."""
TABLE = r"(?:IF EXISTS )?(?:ONLY )?(?:public\.)?\"?event\"?(?![\w.])"


def statements(text: str) -> Iterator[str]:
    """The statements that run at once, on one line each; bodies of functions run later, those of DO blocks now."""
    text = re.sub(r"--[^\n]*|/\*.*?\*/", " ", text, flags=re.DOTALL)
    text = re.sub(
        r"(\bDO\b[^;$]*)(\$\w*\$)(?:\s*DECLARE\b.*?;)?(?:\s*BEGIN\b)?(.*?)\2", r"\1;\3", text, flags=re.DOTALL
    )
    text = re.sub(r"(\$\w*\$).*?\1", "''", text, flags=re.DOTALL)
    yield from (" ".join(part.split()) for part in text.split(";") if part.strip())


def faults(text: str) -> list[str]:
    """What a migration does to the log that fails, or takes hours, where its chunks are in columns."""
    return [fault for statement in statements(text) if (fault := fault_of(statement))]


def fault_of(statement: str) -> str | None:
    """The fault of one statement."""
    if re.search(rf"\b(?:UPDATE|MERGE INTO) {TABLE}", statement, re.IGNORECASE):
        return "rows of the log are changed"
    if re.match(rf"CREATE UNIQUE INDEX .*\bON {TABLE}", statement, re.IGNORECASE):
        return "a unique index opens compressed batches for every late event"
    altered = re.match(rf"(?:BEGIN )?ALTER TABLE {TABLE} (.*)", statement, re.IGNORECASE)
    actions = (
        re.split(r", (?=(?:ADD|ALTER|DROP|SET|RENAME|ENABLE)\b)", altered[1], flags=re.IGNORECASE) if altered else []
    )
    found = (what for action in actions for what, words in REFUSED.items() if re.match(words, action, re.IGNORECASE))
    return next(found, None)


@pytest.mark.parametrize(
    "text",
    [
        "ALTER TABLE event ADD COLUMN day date GENERATED ALWAYS AS (time::date) STORED;",
        "ALTER TABLE event ADD number bigint GENERATED ALWAYS AS IDENTITY",
        "ALTER TABLE event ADD COLUMN number bigserial",
        "ALTER TABLE public.event ADD COLUMN seen timestamptz DEFAULT now()",
        "alter table only event add column seen timestamptz default clock_timestamp()",
        "ALTER TABLE event ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid()",
        "ALTER TABLE event ADD COLUMN more jsonb DEFAULT '{}'::jsonb",
        "ALTER TABLE event ADD COLUMN note text NOT NULL",
        "ALTER TABLE event ADD COLUMN note text DEFAULT '', ADD COLUMN day date NOT NULL",
        "ALTER TABLE event ADD COLUMN note text REFERENCES unit (code)",
        "ALTER TABLE event ALTER COLUMN shiftdays TYPE bigint",
        "ALTER TABLE event ALTER shiftdays SET DATA TYPE bigint USING shiftdays::bigint",
        "ALTER TABLE event ALTER COLUMN note SET NOT NULL",
        "ALTER TABLE IF EXISTS event ADD CHECK (time > '2000-01-01')",
        "ALTER TABLE event\n    ADD CONSTRAINT once UNIQUE (time, key)",
        "ALTER TABLE event ADD PRIMARY KEY (time, key)",
        "ALTER TABLE event ENABLE ROW LEVEL SECURITY",
        "CREATE UNIQUE INDEX event_once ON event (time, key)",
        "UPDATE event SET unit = 'x'",
        "WITH w AS (SELECT 1) UPDATE event e SET unit = 'x'",
        "DO $$ BEGIN UPDATE event SET unit = 'x'; END $$;",
        "DO $$ DECLARE n int; BEGIN ALTER TABLE event ALTER COLUMN id TYPE uuid; END $$",
    ],
)
def test_what_a_log_in_columns_refuses_is_found(text: str) -> None:
    assert faults(text), text


@pytest.mark.parametrize(
    "text",
    [
        "ALTER TABLE event ADD COLUMN note text",
        "ALTER TABLE event ADD COLUMN note text DEFAULT 'none, yet', ADD COLUMN n integer NOT NULL DEFAULT 0",
        "ALTER TABLE event DROP COLUMN note",
        "ALTER TABLE event DROP CONSTRAINT event_pkey",
        "ALTER TABLE event RENAME COLUMN note TO remark",
        "ALTER TABLE event_key ADD COLUMN at timestamptz DEFAULT now()",
        "CREATE INDEX event_note ON event (note, time)",
        "UPDATE event_key SET digest = key",
        "CREATE FUNCTION mask() RETURNS void AS $$ UPDATE event SET data = '{}' WHERE time = now() $$ LANGUAGE sql",
        "-- UPDATE event SET unit = 'x'\nSELECT 1",
    ],
)
def test_what_it_takes_is_let_pass(text: str) -> None:
    assert faults(text) == []


@pytest.mark.parametrize("name", [name for name in available() if name > "0002"])
def test_every_migration_works_where_the_log_is_in_columns(name: str) -> None:
    """The first makes the log itself, before there is anything to compress."""
    assert faults(available()[name].read_text(encoding="utf-8")) == []
