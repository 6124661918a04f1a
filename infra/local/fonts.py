"""Liberation Serif 2, which has the metrics of Times New Roman and all Vietnamese letters: this machine's, or Debian's
package unpacked into the runtime folder."""

import fcntl
import shutil
import struct
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from infra.local.apt import open_archive
from infra.local.paths import SetupError, usual_modes

FACES = tuple(f"LiberationSerif-{face}.ttf" for face in ("Regular", "Bold", "Italic", "BoldItalic"))
PACKAGE = "^fonts-liberation2?$"
"""The package with the higher number has version 2 wherever there are both."""
SYSTEM = Path("/usr/share/fonts")
ADVICE = "Install fonts-liberation2 (by apt), or name a folder with Liberation Serif 2 in IOC_REPORT_FONTS."


def place(runtime: Path) -> Path:
    """The folder where the font is, or will be once it is fetched."""
    here = (file.parent for file in sorted(SYSTEM.rglob(FACES[0])))
    return next((folder for folder in (runtime / "fonts", *here) if is_whole(folder)), runtime / "fonts")


def provide(runtime: Path, progress: Callable[[str], None] = lambda text: None) -> Path:
    """The folder of the font; `SetupError` where it is neither here nor to be fetched."""
    target = place(runtime)
    if is_whole(target):
        return target
    with usual_modes():
        runtime.mkdir(parents=True, exist_ok=True)
        with (runtime / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Another start may have fetched it while this one waited.
            return target if is_whole(target) else fetch(target, progress)


def is_whole(folder: Path) -> bool:
    """Whether all four faces are there, of a version that has ơ and ư: version 1 breaks words without an error."""
    return all((folder / face).is_file() and _version(folder / face) >= 2 for face in FACES)


def _version(font: Path) -> float:
    """What the font's table `head` says."""
    raw = font.read_bytes()
    for number in range(struct.unpack_from(">H", raw, 4)[0]):
        tag, _, place, _ = struct.unpack_from(">4s3I", raw, 12 + 16 * number)
        if tag == b"head":
            return float(struct.unpack_from(">i", raw, place + 4)[0]) / 65536
    return 0.0


def fetch(target: Path, progress: Callable[[str], None]) -> Path:
    """Unpack the font's package and keep its four faces and its licence in `target`."""
    try:
        with tempfile.TemporaryDirectory(prefix="ioc-apt-") as shelf:
            apt, found = open_archive(Path(shelf), PACKAGE, progress)
            progress(f"fetching {found}")
            tree = Path(shelf) / "tree"
            apt.download(apt.closure([found]), tree)
            fresh = target.with_suffix(".new")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(parents=True)
            for file in sorted(tree.rglob("*")):
                if file.name in (*FACES, "copyright") and file.is_file() and not file.is_symlink():
                    shutil.copy(file, fresh)
            if not is_whole(fresh):
                raise SetupError(f"{found} has not all of {', '.join(FACES)} in version 2")
            shutil.rmtree(target, ignore_errors=True)
            fresh.replace(target)
    except (SetupError, OSError) as problem:
        raise SetupError(f"the font of reports can't be fetched.\n{problem}\n{ADVICE}") from problem
    return target


if __name__ == "__main__":
    fetch(Path(sys.argv[1]), print)
