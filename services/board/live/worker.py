"""Work that is done by a process of its own, with limits that it sets itself: it neither keeps the board waiting nor
takes its memory."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from typing import Any


async def answered(
    module: str, asked: Mapping[str, Any], seconds: float, stderr: int | None = None
) -> tuple[int, bytes]:
    """What a module says on stdout when it is run and asked, as JSON on stdin, and how it ended. TimeoutError after so
    many seconds; it ends with whoever waits for it."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, stdin=PIPE, stdout=PIPE, stderr=stderr)
    try:
        said, _ = await asyncio.wait_for(process.communicate(json.dumps(asked).encode()), seconds)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, said
