"""What becomes of a message: sent, refused for certain, perhaps received; and Zalo's tokens, of which none is lost."""

from __future__ import annotations

import json
import resource
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest
from receiver import Receiver, receiving

from services.kit.health import Health
from services.kit.settings import Settings
from services.notifier import channels, zalo
from services.notifier.app import build
from services.notifier.channels import Outcome
from services.notifier.http_api import Tokens
from services.notifier.routes import Routes
from services.notifier.templates import Message

WORDS = "Phản ánh: Field report not resolved, refused; Max retries (Caused by ConnectTimeoutError(x: error=500"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def send(address: str) -> Outcome:
    return channels.send(address, Message(f"error=500 {WORDS}", WORDS, "warning"))


@pytest.mark.parametrize("kind", ["json", "xml", "form"])
def test_a_lost_answer_is_known_as_such_whatever_the_message_says(receiver: Receiver, kind: str) -> None:
    receiver.mood = "loses"
    outcome = send(f"{kind}://127.0.0.1:{receiver.port}/x")
    assert (len(receiver.got), outcome.sent, outcome.lost) == (1, False, True)


@pytest.mark.parametrize(
    ("status", "lost"),
    [(400, False), (429, False), (500, False), (503, False), (408, True), (502, True), (504, True)],
)
def test_who_answers_no_did_not_take_it_but_a_proxy_does_not_know(receiver: Receiver, status: int, lost: bool) -> None:
    receiver.mood, receiver.refusal = "refuses", status
    outcome = send(f"json://127.0.0.1:{receiver.port}/x")
    assert (outcome.sent, outcome.lost) == (False, lost) and f"error={status}" in outcome.why


def refuse_the_second(receiver: Receiver) -> None:
    while not receiver.got:
        time.sleep(0.02)
    time.sleep(0.3)  # the first is in work
    receiver.mood = "refuses"


def test_a_refusal_after_a_lost_answer_is_no_refusal(receiver: Receiver) -> None:
    receiver.mood = "loses"
    threading.Thread(target=refuse_the_second, args=(receiver,), daemon=True).start()
    outcome = send(f"json://127.0.0.1:{receiver.port}/x?retry=1&wait=1")
    assert (len(receiver.got), outcome.lost) == (2, True)


@pytest.mark.parametrize("scheme", ["json", "mailto"])
def test_who_is_not_reached_did_not_take_it(scheme: str) -> None:
    with socket.socket() as nobody:  # bound, so that nobody else is, and not listening
        nobody.bind(("127.0.0.1", 0))
        outcome = send(f"{scheme}://127.0.0.1:{nobody.getsockname()[1]}/x?from=a@b.vn&to=c@d.vn")
    assert (outcome.sent, outcome.lost) == (False, False)


class MailServer(socketserver.StreamRequestHandler):
    """Answers each command with 250; DATA's end with `verdict`, or by closing the connection; not to `stranger`."""

    verdict: ClassVar[bytes]

    def handle(self) -> None:
        self._say(b"220 here")
        for line in self.rfile:
            if line == b"data\r\n":
                self._say(b"354 go on")
                while self.rfile.readline() != b".\r\n":
                    pass
                if not self.verdict:
                    return
                self._say(self.verdict)
            else:
                self._say(b"550 nobody" if b"<stranger" in line else b"250 well")

    def _say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")


@contextmanager
def mail(verdict: bytes) -> Iterator[str]:
    """The address of a mail server without recipients."""
    kind = type("Kind", (MailServer,), {"verdict": verdict})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), kind) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"mailto://127.0.0.1:{server.server_address[1]}?from=a@b.vn&to="
        server.shutdown()


@pytest.mark.parametrize(
    ("verdict", "to", "outcome"),
    [
        (b"250 taken", "an@c.vn", (True, False)),
        (b"554 spam", "an@c.vn", (False, False)),
        (b"250 taken", "stranger@c.vn", (False, False)),
        (b"", "an@c.vn", (False, True)),
        (b"250 taken", "an@c.vn,stranger@c.vn", (False, True)),
    ],
)
def test_mail_is_refused_by_its_server_or_perhaps_received(verdict: bytes, to: str, outcome: tuple[bool, bool]) -> None:
    with mail(verdict) as address:
        assert send(address + to)[:2] == outcome


TOKENS = {"app_id": "1", "secret_key": "s", "access_token": "old", "refresh_token": "first"}


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[Path]:
    """The file of tokens of a channel of Zalo."""
    file = tmp_path / "zalo_oa"
    file.write_text(json.dumps(TOKENS))
    zalo.register(tmp_path)
    yield file
    zalo.register(None)


def by_zalo(receiver: Receiver) -> Outcome:
    """Zalo calls the access token stale and gives new ones to who asks."""
    receiver.answers = {
        "/v3.0/oa/message/cs": [{"error": -216}, {"error": 0}],
        "/v4/oa/access_token": [{"access_token": "new", "refresh_token": "s" * 600}],
    }
    own = f"http://127.0.0.1:{receiver.port}"
    return send(f"zalooa://777?tokens=zalo_oa&api={own}&oauth={own}")


def test_new_tokens_are_kept(receiver: Receiver, tokens: Path) -> None:
    assert by_zalo(receiver).sent
    assert json.loads(tokens.read_text()) == TOKENS | {"access_token": "new", "refresh_token": "s" * 600}
    assert [file.name for file in tokens.parent.iterdir()] == ["zalo_oa"]


@pytest.mark.parametrize("trouble", ["no file", "no room"])
def test_a_refresh_token_is_not_spent_where_its_successor_cannot_be_kept(
    receiver: Receiver, tokens: Path, trouble: str
) -> None:
    if trouble == "no file":
        (tokens.parent / ".zalo_oa.tmp").mkdir()
    with no_file_above(len(json.dumps(TOKENS)) if trouble == "no room" else None):
        outcome = by_zalo(receiver)
    assert [one.path for one in receiver.got] == ["/v3.0/oa/message/cs"]
    assert (outcome.sent, outcome.lost) == (False, False) and str(tokens) in outcome.why
    assert json.loads(tokens.read_text()) == TOKENS
    assert by_zalo(receiver).sent == (trouble == "no room")  # there is room again


@contextmanager
def no_file_above(size: int | None) -> Iterator[None]:
    """Nothing is written behind so many bytes of a file, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft if size is None else size, hard))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_zalo_that_is_not_reached_did_not_take_it(tokens: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        outcome = send(f"zalooa://777?tokens=zalo_oa&api=http://127.0.0.1:{nobody.getsockname()[1]}")
    assert (outcome.sent, outcome.lost) == (False, False)


def test_the_notifier_has_a_folder_of_their_own_for_channels_files(receiver: Receiver, tmp_path: Path) -> None:
    secrets, files = tmp_path / "secrets", tmp_path / "channels"
    for folder, names in ((secrets, (*Tokens._fields, "ioc_notifier")), (files, ("zalo_oa",))):
        folder.mkdir()
        for name in names:
            (folder / name).write_text(json.dumps(TOKENS))
    try:
        build(Settings(secrets=secrets, channels=files), Routes(), Health("notifier"))
        assert by_zalo(receiver).sent
    finally:
        zalo.register(None)
    assert json.loads((files / "zalo_oa").read_text())["access_token"] == "new"
