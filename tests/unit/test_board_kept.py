"""Answers that many readers share: asked for once, each by itself, and no more often than they can be given."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from services.board.live import cache, change_cache
from services.board.live.cache import SHARE, SharedCache
from services.board.live.change_cache import ChangeCache
from services.board.live.patience import PATIENCE, Patience, in_patience
from services.board.live.query_pool import TooMuch
from services.board.pages.imports import drafts
from services.board.pages.imports.drafts import FOLDER, KEPT, Drafts
from services.board.pages.map.overlays import Folder
from services.kit import clock


def test_nobody_waits_for_the_answer_to_another_question() -> None:
    async def look() -> str:
        kept, never = SharedCache[str](60), asyncio.Event()
        slow = asyncio.create_task(kept.get("slow", lambda: answer(never)))
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            quick = await kept.get("quick", lambda: answer(None))
        slow.cancel()
        return quick

    async def answer(first: asyncio.Event | None) -> str:
        if first:
            await first.wait()
        return "told"

    assert asyncio.run(look()) == "told"


def test_those_who_ask_the_same_at_once_share_one_answer_though_the_first_of_them_goes_away() -> None:
    asked = 0

    async def answer() -> int:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.01)
        return asked

    async def look() -> list[int]:
        kept = SharedCache[int](60)
        first, *others = (asyncio.create_task(kept.get("same", answer)) for _ in range(4))
        await asyncio.sleep(0)
        first.cancel()
        return [*await asyncio.gather(*others), await kept.get("same", answer)]

    assert asyncio.run(look()) == [1, 1, 1, 1]


def test_an_error_is_told_to_all_who_waited_and_the_next_asks_again() -> None:
    asked = 0

    async def answer() -> int:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        if asked == 1:
            raise TooMuch("once")
        return asked

    async def look() -> None:
        kept = SharedCache[int](60)
        waited = await asyncio.gather(*(kept.get("same", answer) for _ in range(3)), return_exceptions=True)
        assert [type(each) for each in waited] == [TooMuch] * 3
        assert await kept.get("same", answer) == 2

    asyncio.run(look())


def test_what_takes_long_is_kept_for_longer() -> None:
    asked = 0

    async def answer() -> int:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.1)
        return asked

    async def look() -> int:
        kept = SharedCache[int](0)
        await kept.get("heavy", answer)
        end = time.monotonic() + 0.1 * SHARE / 2
        while time.monotonic() < end:
            await kept.get("heavy", answer)
            await asyncio.sleep(0.01)
        return asked

    assert asyncio.run(look()) == 1


def test_what_fails_is_asked_no_more_often_than_what_succeeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_cache, "PAUSE_SECONDS", 0.2)
    began: list[float] = []

    async def answer() -> int:
        began.append(time.monotonic())
        raise TooMuch("always")

    async def look() -> None:
        shared = ChangeCache(answer, lambda: 0)
        for _ in range(2):
            with pytest.raises(TooMuch):
                await shared.get()

    asyncio.run(look())
    assert began[1] - began[0] >= 0.19


def test_what_was_long_in_coming_because_the_database_stood_still_is_asked_soon_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A page was "busy" for minutes after a database that had stood still for one."""
    monkeypatch.setattr(cache, "LONGEST_REST_SECONDS", 0.1)
    asked = 0

    async def answer() -> int:
        nonlocal asked
        asked += 1
        if asked == 1:
            await asyncio.sleep(1)
        return asked

    async def look(board: Callable[[], Awaitable[int]]) -> float:
        nonlocal asked
        asked, came = 0, 0.0
        while asked < 2:
            await board()
            came = came or time.monotonic()
            await asyncio.sleep(0.01)
        return time.monotonic() - came

    async def both() -> tuple[float, float]:
        shared, changed = SharedCache[int](0), ChangeCache(answer, time.monotonic)
        return await look(lambda: shared.get("", answer)), await look(changed.get)

    assert max(asyncio.run(both())) < 2.5  # five times as long as the second that it took, otherwise


def test_shapes_are_looked_at_anew_when_a_file_has_changed_and_not_before(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    point = {"type": "Point", "coordinates": [106.6, 11.4]}
    folder.put("a", json.dumps(point).encode())
    first = folder.packed()
    assert folder.packed() is first
    folder.put("a", json.dumps({**point, "coordinates": [106.7, 11.4]}).encode())
    folder.put("b", json.dumps(point).encode())
    assert [f["geometry"]["coordinates"][0] for f in json.loads(folder.packed())["features"]] == [106.7, 106.6]
    folder.remove("a")
    assert json.loads(folder.packed()) == folder.shapes()


def test_whose_patience_is_over_is_given_the_answer_before_and_of_when_it_is() -> None:
    async def look() -> None:
        kept, never = SharedCache[str](0), asyncio.Event()
        first, before = clock.now(), await kept.get("same", lambda: answer("first"))
        await asyncio.sleep(0.01)
        PATIENCE.set(patience := Patience(asyncio.get_running_loop().time() + 0.05))
        assert await kept.get("same", lambda: answer("second", never)) == before == "first"
        assert patience.of and first <= patience.of < clock.now()
        with pytest.raises(TimeoutError):
            await in_patience(kept.get("unknown", lambda: answer("nothing", never)))
        never.set()
        PATIENCE.set(patience := Patience.begins())
        assert await kept.get("same", lambda: answer("third")) == "second", "it went on coming"
        assert patience.of is None

    async def answer(what: str, first: asyncio.Event | None = None) -> str:
        if first:
            await first.wait()
        return what

    asyncio.run(look())


@pytest.mark.parametrize("error", [TooMuch("much"), OSError("away")])
def test_who_is_patient_is_told_the_error_and_a_page_what_was_known(error: Exception) -> None:
    async def look() -> None:
        given: list[str | Exception] = ["known"]
        shared, kept = ChangeCache(lambda: answer(given), lambda: len(given)), SharedCache[str](0)
        for get in (shared.get, lambda: kept.get("same", lambda: answer(given))):
            del given[1:]
            assert await get() == "known"
            given.append(error)
            await asyncio.sleep(0.01)
            with pytest.raises(type(error)):
                await get()
            PATIENCE.set(patience := Patience(asyncio.get_running_loop().time() + 5))
            assert await get() == "known" and patience.of
            PATIENCE.set(None)

    async def answer(given: list[str | Exception]) -> str:
        if isinstance(given[-1], Exception):
            raise given[-1]
        return given[-1]

    asyncio.run(look())


def test_of_another_mark_none_is_fresh() -> None:
    async def look() -> list[int]:
        kept, asked = SharedCache[int](60), iter(range(9))

        async def answer() -> int:
            return next(asked)

        return [await kept.get("same", answer, mark) for mark in ("a", "a", "b", "b")]

    assert asyncio.run(look()) == [0, 0, 1, 1]


async def workbook() -> AsyncIterator[bytes]:
    yield b"names and phones"


KILLED = """
import asyncio, os, signal
from test_board_kept import workbook
from services.board.pages.imports.drafts import Drafts
board = Drafts()
asyncio.run(board.put("session", "x.xlsx", workbook()))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_workbooks_lie_here_for_two_hours_also_where_a_board_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(drafts, "SWEEP_SECONDS", 0.01)
    env = {
        **os.environ,
        "TMPDIR": str(tmp_path),
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
    }
    killed = subprocess.run([sys.executable, "-c", KILLED], env=env)
    assert killed.returncode == -signal.SIGKILL and len(list(tmp_path.glob(f"{FOLDER}*/workbook"))) == 1
    for other in ("ioc-test-1", f"{FOLDER}x-y", f"{FOLDER}old"):
        (tmp_path / other).mkdir()
    first, real = clock.now(), clock.now
    others = {"ioc-test-1", f"{FOLDER}x-y", f"{FOLDER}old"}

    def lying() -> set[str]:
        return {path.name for path in tmp_path.iterdir()} - others

    async def until_lying(number: int) -> None:
        for _ in range(1000):
            if len(lying()) == number:
                break
            await asyncio.sleep(0.01)
        assert len(lying()) == number

    async def follow() -> None:
        board = Drafts()
        sweeping = asyncio.create_task(board.sweep_for_ever())
        old, busy = [await board.put("session", "x.xlsx", workbook()) for _ in range(2)]
        busy.busy = True
        await asyncio.sleep(0.1)
        assert len(lying()) == 3
        monkeypatch.setattr(clock, "now", lambda: first + KEPT + timedelta(minutes=1))
        new = await board.put("other", "x.xlsx", workbook())
        await until_lying(2)
        assert lying() == {Path(one.folder.name).name for one in (busy, new)}
        assert board.get("session", old.id) is None
        busy.busy = False
        await until_lying(1)
        sweeping.cancel()

    asyncio.run(follow())
    monkeypatch.setattr(clock, "now", real)
    assert others <= {path.name for path in tmp_path.iterdir()}
