"""The folder of a backup: complete or absent. Its manifest names every file with its size and sha256.

A backup is written beside its place, under a name that starts with a dot, and renamed when all of it is on disk.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import BaseModel, ConfigDict, ValidationError

FORMAT = 1
MANIFEST = "manifest.json"
BLOCK = 1024 * 1024
FAST = 1
"""The level of gzip: three times as fast as the usual one, for a tenth more bytes."""


class BadBackup(Exception):
    """The folder is no backup, an incomplete or damaged one, or one that this version cannot read."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Sealed(_Part):
    """A file's size in bytes and the sha256 of its content, in hex."""

    bytes: int
    sha256: str


class Table(_Part):
    """A table's rows: gzipped text of COPY in the file named, columns in the order of `columns`."""

    file: str
    columns: list[str]
    rows: int


class Database(_Part):
    """The database at one moment: `positions` says for each consumer up to which message its events are stored."""

    migrations: list[str]
    fold_version: str
    positions: dict[str, int]
    tables: dict[str, Table]


class Stream(_Part):
    """A stream's snapshot as the broker made it, with its configuration and state (`messages`, `last_seq`, …)."""

    file: str
    config: dict[str, Any]
    state: dict[str, Any]


class Manifest(_Part):
    """What a backup holds. All that the broker had acknowledged by `taken_at` is in it.

    `marks`: consumer -> time of the message at its position, which tells one history of a stream from another.
    """

    format: int = FORMAT
    taken_at: datetime
    database: Database
    marks: dict[str, str | None]
    streams: dict[str, Stream]
    files: dict[str, Sealed]

    @property
    def bytes(self) -> int:
        """The size of all files."""
        return sum(sealed.bytes for sealed in self.files.values())


class _Sealing(io.RawIOBase):
    """Writes through to a file, counting and hashing what is written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._hash, self._bytes = file, hashlib.sha256(), 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._file.write(data)
        self._hash.update(data)
        self._bytes += len(data)
        return len(data)

    def sealed(self) -> Sealed:
        return Sealed(bytes=self._bytes, sha256=self._hash.hexdigest())


class BackupWriter:
    """A backup being written into `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, Sealed] = {}

    @contextmanager
    def file(self, name: str) -> Iterator[BinaryIO]:
        """A new file, on disk and sealed when the block ends; gzipped where its name ends in `.gz`."""
        with open(self.folder / name, "xb", opener=_private) as raw:
            sealing = _Sealing(raw)
            if name.endswith(".gz"):
                zipped = gzip.GzipFile(filename="", mode="wb", compresslevel=FAST, fileobj=sealing, mtime=0)
                with zipped, io.BufferedWriter(zipped, BLOCK) as buffered:
                    yield buffered
            else:
                yield sealing  # type: ignore[misc]
            _to_disk(raw)
        self.files[name] = sealing.sealed()

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, the last file."""
        with open(self.folder / MANIFEST, "x", encoding="utf-8", opener=_private) as file:
            file.write(manifest.model_dump_json(indent=1) + "\n")
            _to_disk(file)


@contextmanager
def drafting(folder: Path) -> Iterator[BackupWriter]:
    """A draft that becomes `folder` when the block ends well, and vanishes when it does not.

    FileExistsError where there is something already; what is raised inside comes out.
    """
    if folder.exists():
        raise FileExistsError(f"{folder} exists already; name a folder that does not")
    fresh = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(fresh, ignore_errors=True)  # left by a backup that was killed
    fresh.mkdir(mode=0o700, parents=True)
    fresh.chmod(0o700)
    try:
        yield BackupWriter(fresh)
        _folder_to_disk(fresh)
        fresh.rename(folder)
        _folder_to_disk(folder.parent)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def read(folder: Path) -> Manifest:
    """The manifest of a backup; `BadBackup` where there is none that this version understands."""
    try:
        text = (folder / MANIFEST).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise BadBackup(f"{folder} is no backup: it has no {MANIFEST}") from None
    try:
        if (version := _Version.model_validate_json(text).format) > FORMAT:
            raise BadBackup(f"{folder} has format {version}, this version reads up to {FORMAT}: use a newer version")
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "its JSON"
        raise BadBackup(f"{folder / MANIFEST} is damaged at {where}: {first['msg']}") from None


class _Version(_Part):
    format: int


def verify(folder: Path, manifest: Manifest, progress: Callable[[int], None] = lambda done: None) -> None:
    """Read every file and hold it against the manifest; `progress` is told the bytes read. Raises `BadBackup`."""
    done = 0
    for name, sealed in manifest.files.items():
        found, size = hashlib.sha256(), 0
        try:
            with (folder / name).open("rb") as file:
                while block := file.read(BLOCK):
                    found.update(block)
                    size += len(block)
                    progress(done + size)
        except FileNotFoundError:
            raise BadBackup(f"{folder} is incomplete: {name} is missing") from None
        if size != sealed.bytes:
            raise BadBackup(f"{folder / name} is damaged: {size:,} bytes, the manifest says {sealed.bytes:,}")
        if found.hexdigest() != sealed.sha256:
            raise BadBackup(
                f"{folder / name} is damaged: its content is not what the manifest says; use another backup"
            )
        done += size


def _private(path: str, flags: int) -> int:
    """Open a file that is its owner's alone, whatever the account's umask."""
    descriptor = os.open(path, flags, 0o600)
    os.fchmod(descriptor, 0o600)
    return descriptor


def _to_disk(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())


def _folder_to_disk(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
