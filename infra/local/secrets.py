"""The passwords of one instance: one file per credential, made at first start, readable by the owner alone."""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path


def ensure(folder: Path, credentials: Iterable[str]) -> None:
    """Make the folder (0700) and a random password file (0600) for each credential that has none yet."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    for credential in credentials:
        if not (folder / credential).exists():
            write_private(folder / credential, secrets.token_urlsafe(32))


def read(folder: Path, credential: str) -> str:
    """The password of a credential."""
    return (folder / credential).read_text().strip()


def write_private(file: Path, text: str) -> None:
    """Write `file` so that it is never, not even for a moment, readable by others or half written."""
    fresh = file.with_name(f".{file.name}.tmp")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(file)
