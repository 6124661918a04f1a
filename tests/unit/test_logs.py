"""No line of a log opens a case."""

import logging
import sys

import pytest

from services.kit.logs import FORMAT, Masked


def line(text: str, *words: object) -> str:
    record = logging.LogRecord("deadlines", logging.INFO, "", 0, text, words, None)
    return Masked(FORMAT).format(record).partition(" deadlines ")[2]


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("H99.98-261101-000123", "H99.98-26••••-••••"),
        ("000.00.15.H08-261101-0001", "000.00.15.H08-26••••-••••"),
        ("PA-95001", "PA-••••"),
        ("TXN-9001", "TXN-••••"),
        ("BL-000777", "BL-••••"),
        ("VV-2026.000123_A", "VV-••••"),
    ],
)
def test_the_running_number_of_a_code_is_hidden(code: str, shown: str) -> None:
    assert line("%s %s", "dossier.overdue", f"{code}/overdue/2") == f"dossier.overdue {shown}/overdue/2"
    assert line(f"cannot be stored: ({code})") == f"cannot be stored: ({shown})"
    assert code not in line(f"id='{code}' subject=/x/{code}")


def test_a_trace_is_masked_too() -> None:
    try:
        raise ValueError("PA-95001 is no report")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", (), sys.exc_info())
    assert "PA-95001" not in Masked(FORMAT).format(record)


@pytest.mark.parametrize(
    "plain", ["nats://127.0.0.1:4222", "UTF-8", "12,345 messages", "2026-11-28 17:00:00", "seq 123456"]
)
def test_other_words_stay(plain: str) -> None:
    assert line(plain) == plain
