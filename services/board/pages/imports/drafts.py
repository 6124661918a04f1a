"""Workbooks that were uploaded and not sent yet: each a private file of one session, read by a process of its own, so
that a bad one can neither freeze the board nor take its memory."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import tempfile
from collections.abc import AsyncIterable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_urlsafe
from tempfile import TemporaryDirectory
from typing import Any

from services.board.access import Account
from services.board.live import worker
from services.kit import clock, imports

log = logging.getLogger("board")
LARGEST = 64 * 2**20
"""Bytes of a workbook, see docs/spreadsheets.md."""
MOST, MOST_OF_ONE = 40, 5
"""Drafts at a time, of all and of one session; the oldest give way."""
KEPT = timedelta(hours=2)
SWEEP_SECONDS = 60.0
FOLDER = "ioc-import-"
"""How the folder of a draft is called; then come the second of its upload, and a word made by chance."""
READERS, READ_SECONDS = 2, 90.0
"""Workbooks that are read at a time, and for how long."""
READER = "services.ingest.spreadsheets"
Answer = dict[str, Any]
Columns = dict[str, dict[str, str]]
"""Mark of a header -> its columns -> what was answered of them."""


class TooLarge(Exception):
    """The upload is larger than a workbook may be."""


class Unreadable(Exception):
    """The reader ended without an answer."""


@dataclass
class Draft:
    """A workbook that was uploaded: whose, its name, what was chosen and answered for it, and what its reader said."""

    id: str
    session: str
    name: str
    at: datetime
    folder: TemporaryDirectory[str]
    digest: str = ""
    choices: dict[str, str] = field(default_factory=dict)
    """`template`, `period`, `unit`, `published`, as far as they were chosen."""
    answers: dict[tuple[str, str], str] = field(default_factory=dict)
    """(sheet, cell) -> the answer."""
    said: Answer = field(default_factory=dict)
    busy: bool = False
    """Whether it is being read: who presses twice has it read, and sent, once."""

    @property
    def file(self) -> Path:
        """The workbook."""
        return Path(self.folder.name) / "workbook"

    @property
    def plan(self) -> Path:
        """What the reader would send, a line each."""
        return Path(self.folder.name) / "plan"

    def lines(self) -> Iterator[list[Any]]:
        """The lines of the plan: kind, entity, key, whether it is to be sent, and then its subject and the event."""
        with self.plan.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)


class Drafts:
    """All drafts of this board. They end with it; those of one that was killed end when they are too old."""

    def __init__(self) -> None:
        self._drafts: dict[str, Draft] = {}
        self._reading = asyncio.Semaphore(READERS)

    async def put(self, session: str, name: str, body: AsyncIterable[bytes]) -> Draft:
        """Keep an upload. Raises `TooLarge`."""
        self._make_room(session)
        now = clock.now()
        folder = TemporaryDirectory(prefix=f"{FOLDER}{int(now.timestamp())}-")
        draft = Draft(token_urlsafe(12), session, name, now, folder)
        digest, size = imports.hasher(), 0
        try:
            with draft.file.open("wb") as file:
                async for part in body:
                    size += len(part)
                    if size > LARGEST:
                        raise TooLarge
                    digest.update(part)
                    await asyncio.to_thread(file.write, part)
        except BaseException:
            draft.folder.cleanup()
            raise
        draft.digest = digest.hexdigest()
        self._drafts[draft.id] = draft
        return draft

    def get(self, session: str, id: str) -> Draft | None:
        """A draft of this session."""
        draft = self._drafts.get(id)
        return draft if draft and draft.session == session else None

    def drop(self, draft: Draft) -> None:
        """Forget a draft, and delete its file."""
        if self._drafts.pop(draft.id, None):
            draft.folder.cleanup()

    async def sweep_for_ever(self) -> None:
        """For ever: delete what has lain here for longer than it may, of this board and of boards that were killed."""
        while True:
            await asyncio.to_thread(sweep, self._drop_old(), clock.now())
            await asyncio.sleep(SWEEP_SECONDS)

    def _drop_old(self) -> frozenset[str]:
        """Forget what is too old; the names of the folders that are left: what is read right now is dropped after."""
        for draft in list(self._drafts.values()):
            if draft.at + KEPT < clock.now() and not draft.busy:
                self.drop(draft)
        return frozenset(Path(draft.folder.name).name for draft in self._drafts.values())

    def _make_room(self, session: str) -> None:
        self._drop_old()
        own = [draft for draft in self._drafts.values() if draft.session == session]
        for draft in own[: max(len(own) + 1 - MOST_OF_ONE, 0)]:
            self.drop(draft)
        for draft in list(self._drafts.values())[: max(len(self._drafts) + 1 - MOST, 0)]:
            self.drop(draft)

    async def read(self, draft: Draft, account: Account, columns: Columns, to_send: bool = False) -> None:
        """Have a draft read as it was answered, now and before (`columns`), compared with what the centre holds. Raises
        `Unreadable`."""
        asked = {
            "file": str(draft.file),
            "name": draft.name,
            "digest": draft.digest,
            **draft.choices,
            "answers": [[*place, text] for place, text in draft.answers.items()],
            "columns": columns,
            "scope": sorted(account.scope()) if account.units else None,
            "plan": str(draft.plan) if to_send else None,
            "settled": to_send,
        }
        draft.busy = True
        try:
            async with self._reading:
                draft.said = await _read(asked)
        finally:
            draft.busy = False


def sweep(own: Collection[str], now: datetime) -> None:
    """Delete the folders of drafts that are too old, but for our `own`: a board that was killed left them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER}*"):
        uploaded = folder.name.removeprefix(FOLDER).partition("-")[0]
        if folder.name not in own and uploaded.isdecimal() and int(uploaded) < (now - KEPT).timestamp():
            shutil.rmtree(folder, ignore_errors=True)


async def _read(asked: Answer) -> Answer:
    ended: int | None = None
    try:
        ended, said = await worker.answered(READER, asked, READ_SECONDS, stderr=asyncio.subprocess.DEVNULL)
        found: Answer = json.loads(said)
    except (TimeoutError, ValueError):
        log.warning("a workbook could not be read: its reader ended with %s", ended)
        raise Unreadable from None
    return found
