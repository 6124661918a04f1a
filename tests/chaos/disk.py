"""A disk that can be filled and emptied, by the strongest way that this machine allows.

Root mounts a small file system over the folder. Another account mounts it where only a process of its own sees it,
and reaches it through that process's root. Where neither is allowed, as in many containers, there is no disk of our
own: the server's processes are forbidden to write beyond a few bytes, which they meet as a write that fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from infra.local.paths import run_as

MOUNT = ("mount", "-t", "tmpfs", "-o")
IN_A_NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")
SCRIPT = 'mount -t tmpfs -o "size=$1" tmpfs "$2" && echo made && exec sleep infinity'


class Ballast:
    """Fills a small file system to its last byte."""

    def __init__(self, disk: Path) -> None:
        self._file = disk / "ballast"

    def fill(self) -> None:
        """Leave no room."""
        with self._file.open("ab", buffering=0) as file:
            try:
                while file.write(b"\0" * 4096):
                    pass
            except OSError:
                return

    def free(self) -> None:
        """Give all of it back."""
        self._file.unlink()


class Ban:
    """Forbids a server and its children to write files, also those that are started in its place; `head` gives its
    process id, or None while there is none."""

    def __init__(self, head: Callable[[], int | None]) -> None:
        self._head = head
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="ban")

    def fill(self) -> None:
        """From now on."""
        self._thread.start()

    def free(self) -> None:
        """No more."""
        self._over.set()
        self._thread.join()
        self._limit("unlimited")

    def _keep(self) -> None:
        while not self._over.wait(0.1):
            self._limit("4096")

    def _limit(self, size: str) -> None:
        # A database's processes belong to another account, and not every root may limit those: they do it themselves.
        own = run_as()
        identity = {"user": own.pw_uid, "group": own.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        for pid in family(self._head() or 0):
            command = ["prlimit", f"--fsize={size}:", "--pid", str(pid)]
            if subprocess.run(command, stderr=subprocess.DEVNULL).returncode and identity:
                subprocess.run(command, stderr=subprocess.DEVNULL, **identity)  # type: ignore[call-overload]


def family(head: int) -> list[int]:
    """A process and its children; none when it is gone."""
    try:
        children = Path(f"/proc/{head}/task/{head}/children").read_text().split()
    except OSError:
        return []
    return [head, *map(int, children)]


@contextmanager
def small_disk(folder: Path, size: int, head: Callable[[], int | None]) -> Iterator[Ballast | Ban]:
    """A disk of `size` bytes with what lies in `folder`, which belongs to the server whose process id `head` gives."""
    with ExitStack() as ending:
        disk = folder.with_name(f"{folder.name}.disk")
        disk.mkdir()
        place = next((found for way in WAYS if (found := way(disk, size, ending))), None)
        if place is None:
            yield Ban(head)
            return
        owner = folder.stat()
        os.chown(place, owner.st_uid, owner.st_gid)
        place.chmod(owner.st_mode & 0o777)
        subprocess.run(["cp", "-a", f"{folder}/.", place], check=True)
        shutil.rmtree(folder)
        folder.symlink_to(place)
        yield Ballast(place)


def _mounted(disk: Path, size: int, ending: ExitStack) -> Path | None:
    """Seen by all."""
    if subprocess.run([*MOUNT, f"size={size}", "tmpfs", disk], stderr=subprocess.DEVNULL).returncode:
        return None
    ending.callback(lambda: subprocess.run(["umount", "--lazy", disk], check=True))
    return disk


def _hidden(disk: Path, size: int, ending: ExitStack) -> Path | None:
    """Seen by a process that waits, and by who knows it."""
    command = [*IN_A_NAMESPACE, SCRIPT, "sh", str(size), str(disk)]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    ending.enter_context(holder)
    ending.callback(holder.kill)
    made = holder.stdout is not None and holder.stdout.readline() == b"made\n"
    return Path(f"/proc/{holder.pid}/root{disk}") if made else None


WAYS = (_mounted,) if os.geteuid() == 0 else (_hidden,)
