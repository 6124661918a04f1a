"""Every text that a person types is looked at before it is kept, and a password is the same however it is typed."""

from __future__ import annotations

import asyncio
import io
import logging
import unicodedata
from typing import Any

import click
import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from services.board.auth import accounts
from services.cli.quarantine import quarantine
from services.cli.sources import sources
from services.cli.user_option import impersonal
from services.kit import logs
from services.notifier.actions import Act, Assign, Close, Comment
from services.notifier.webhook import Payload, understand

PERSONAL = ("0912 345 678", "０９１２３４５６７８", "079 304 001 234", "93P1-123.45")


@pytest.mark.parametrize("text", [*PERSONAL, "an@example.vn"])
@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (Act, {"user": "an", "note": "gọi {}"}),
        (Comment, {"user": "an", "note": "gọi {}"}),
        (Close, {"user": "an", "note": "gọi {}"}),
        (Assign, {"user": "an", "assignee": "binh", "note": "gọi {}"}),
    ],
)
def test_no_note_on_an_alarm_is_personal(kind: type[Act], fields: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match="remove it and send again"):
        kind(**{name: value.format(text) for name, value in fields.items()})


@pytest.mark.parametrize("text", PERSONAL)
@pytest.mark.parametrize("field", ["user", "assignee"])
def test_nobody_is_named_by_a_number(field: str, text: str) -> None:
    with pytest.raises(ValidationError, match="remove it and send again"):
        Assign(**{"user": "an", "assignee": "binh", field: text})


def test_an_account_may_be_named_by_an_address() -> None:
    assert Assign(user="an@ubnd.example.vn", assignee="b@ubnd.example.vn").user == "an@ubnd.example.vn"


def test_what_others_write_into_an_alert_is_masked() -> None:
    labels = {"alertname": "Odd 0912345678", "severity": "warning", "caller": "0912 345 678", "unit": "0912345678"}
    texts = {"summary": "gọi 0912 345 678", "action_vi": "viết cho an@example.vn"}
    alert = {"status": "firing", "labels": labels, "annotations": texts}
    (alarm,) = understand(Payload.model_validate({"version": "4", "alerts": [alert]})).raised
    assert "345" not in str(alarm) and "example" not in str(alarm)
    assert alarm.en == "gọi [phone]"


def test_what_a_command_keeps_is_looked_at() -> None:
    with pytest.raises(click.UsageError, match="--why: holds a phone number"):
        impersonal("--why", "gọi 0912 345 678")
    runner = CliRunner()
    for command, words in (
        (sources, ["end", "/x", "--why", "gọi 0912 345 678", "--user", "an"]),
        (sources, ["end", "/x", "--why", "thử", "--user", "0912 345 678"]),
        (quarantine, ["discard", "1", "--reason", "của an@example.vn", "--user", "an"]),
    ):
        done = runner.invoke(command, words)
        assert done.exit_code == 2 and "remove it and send again" in done.output
        assert "345" not in done.output and "example" not in done.output


COMPOSED = "mật-khẩu-Chơn-Thành"
FORMS = [COMPOSED, unicodedata.normalize("NFD", COMPOSED)]


@pytest.mark.parametrize("set_as", FORMS)
@pytest.mark.parametrize("typed", FORMS)
def test_an_accented_password_is_the_same_in_either_form(set_as: str, typed: str) -> None:
    kept = asyncio.run(accounts.hashed("an", set_as))
    assert asyncio.run(accounts.is_password(kept, typed))
    assert not asyncio.run(accounts.is_password(kept, typed.replace("ậ", "â").replace("â", "a") + "x"))


@pytest.mark.parametrize("set_as", FORMS)
@pytest.mark.parametrize("typed", FORMS)
def test_a_hash_from_before_still_opens(set_as: str, typed: str) -> None:
    kept = accounts._hasher.hash(set_as)
    assert asyncio.run(accounts.is_password(kept, typed))


def test_a_password_that_holds_the_name_in_the_other_form_is_refused() -> None:
    with pytest.raises(accounts.Refused):
        asyncio.run(accounts.hashed("nguyễn", unicodedata.normalize("NFD", "nguyễn-van-an-2026")))


def test_no_line_of_a_log_holds_a_number_not_even_a_traceback() -> None:
    before = logging.getLogger().handlers[:]
    try:
        logs.configure()
        (handler,) = logging.getLogger().handlers
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(kept := io.StringIO())
        try:
            raise ValueError("invalid input: 0912 345 678")
        except ValueError:
            logging.getLogger("x").exception("cannot store %r", {"cccd": "079304001234"})
        assert "345" not in kept.getvalue() and "304001" not in kept.getvalue()
        assert "[phone]" in kept.getvalue() and kept.getvalue().startswith("20")
    finally:
        logging.getLogger().handlers[:] = before
