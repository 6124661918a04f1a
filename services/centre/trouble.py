"""What a person can mend about files and disks, in words: every command says it instead of a trace."""

from __future__ import annotations

import errno
import os
import pwd
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
TOLD = (
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.ELOOP,
    errno.EBUSY,
    errno.EIO,
    errno.EMFILE,
    errno.ENFILE,
)


def advice(problem: OSError) -> str | None:
    """What went wrong, where, and what to do; None for what no operator mends."""
    where = os.fsdecode(problem.filename) if problem.filename else ""
    if isinstance(problem, PermissionError):
        return _forbidden(where)
    if problem.errno in FULL:
        at = f" ({where})" if where else ""
        return f"the disk is full{at}: make room (`df -h` shows where), then run this again"
    if problem.errno == errno.EROFS:
        return f"{where or 'the folder'} lies on a disk that can only be read: name a folder on another one"
    return f"{where}: {problem.strerror}" if where and problem.errno in TOLD else None


def _forbidden(where: str) -> str:
    me = _name(os.geteuid())
    if not where:
        return f"the account {me} may not do this: run it as the account that started the centre"
    place, owner = _owner(Path(where))
    if owner == me:
        return f"{where} is closed to its own account {me}: open it with chmod u+rwX {place}"
    whose = f"{place} belongs to {owner}"
    return f"{where} is closed to the account {me}; {whose}: run this as {owner}, or use a folder of {me}'s own"


def _owner(path: Path) -> tuple[Path, str]:
    """The nearest place on the way to `path` that can be looked at, and the name of its owner."""
    for place in (path, *path.parents):
        try:
            return place, _name(place.stat().st_uid)
        except OSError:
            continue
    return path, "another account"


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"number {uid}"
