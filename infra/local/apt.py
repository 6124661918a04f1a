"""Debian packages into a private folder: apt with state of its own, so the system is neither changed nor locked.

The machine's own mirrors, keys and proxies are used; only the suite's name may differ from the machine's.
"""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from infra.local.paths import SetupError, checked

Entry = dict[str, str]

# TimescaleDB entered the archives with these suites; older ones are not worth asking.
FIRST_SUITES = {"debian": ("trixie", "forky", "sid"), "ubuntu": ("resolute", "questing", "plucky")}
OLDER_SUITES = ("buster", "bullseye", "bookworm", "focal", "jammy", "noble", "oracular")
ALIASES = ("stable", "oldstable", "testing", "unstable")
COMPONENTS = {"debian": "main", "ubuntu": "main universe"}
ETC = Path("/etc/apt")

UNREACHED = re.compile(
    r"name resolution|not resolve|resolving '|connection (refused|reset|timed|failed)|not connect|unreachable|timeout",
    re.IGNORECASE,
)
NO_NETWORK = (
    "This machine does not reach its package mirror: look at its network, its name servers (/etc/resolv.conf) and its "
    "proxy (http_proxy, https_proxy), then run this again."
)

# Hooks of the machine's configuration act on the system's own cache, so they are cleared.
CONFIGURATION = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
Dir::State "{folder}/state";
Dir::State::Lists "{folder}/lists";
Dir::State::Status "{folder}/status";
Dir::Cache "{folder}/cache";
Dir::Log "{folder}/log";
Dir::Etc::SourceList "{folder}/ioc.sources";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Acquire::Languages "none";
APT::Update::Error-Mode "any";
Acquire::Retries "3";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::CNF::DefaultEnabled "false";
APT::Sandbox::User "{sandbox}";
Debug::NoLocking "true";
"""


def distribution() -> tuple[str, str]:
    """This machine's family ("debian" or "ubuntu") and suite."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    likes = f"{release.get('ID', '')} {release.get('ID_LIKE', '')}".split()
    suite = release.get("UBUNTU_CODENAME") or release.get("VERSION_CODENAME", "")
    for family in ("ubuntu", "debian"):
        if family in likes and shutil.which("apt-get"):
            return family, suite
    raise SetupError("this machine has no apt of Debian or Ubuntu")


def candidate_suites(family: str, suite: str) -> list[str]:
    """The suites to ask for TimescaleDB, the machine's own first when it may have it."""
    own = [] if suite in OLDER_SUITES else [suite]
    return list(dict.fromkeys([*own, *FIRST_SUITES[family]]))


def parse_deb822(text: str) -> Iterator[Entry]:
    """The stanzas of a `.sources` file, field names in lower case."""
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", lines):
        fields = re.findall(r"^([\w-]+):[ \t]*(.*(?:\n[ \t]+.*)*)", stanza, re.MULTILINE)
        entry = {name.lower(): value.strip() for name, value in fields}
        if "deb" in entry.get("types", "").split() and entry.get("enabled", "yes").lower() != "no":
            yield entry


def parse_list(text: str) -> Iterator[Entry]:
    """The lines of a `sources.list` file, in the form of deb822 stanzas."""
    for line in text.splitlines():
        found = re.match(r"\s*deb\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)", line)
        if found:
            options, uri, suite, components = found.groups()
            signed = re.search(r"signed-by=(\S+)", options or "")
            entry = {"uris": uri, "suites": suite, "components": components.strip()}
            yield entry | ({"signed-by": signed.group(1)} if signed else {})


def machine_sources(etc: Path = ETC) -> list[Entry]:
    """All package sources that this machine is configured with."""
    lists = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*.list"))]
    stanzas = sorted((etc / "sources.list.d").glob("*.sources"))
    entries = [entry for file in lists if file.is_file() for entry in parse_list(file.read_text())]
    return entries + [entry for file in stanzas for entry in parse_deb822(file.read_text())]


def archive_sources(entries: Iterable[Entry], family: str, suite: str, target: str) -> str:
    """The entries of the distribution's own archive, rewritten to the suite `target`, as deb822 text.

    Other vendors' entries are told apart by their key: the archive's entries have none or the archive's.
    """
    stanzas = []
    for entry in entries:
        key = entry.get("signed-by", "")
        suites = [_renamed(name, suite, target) for name in entry.get("suites", "").split()]
        kept = [name for name in suites if name]
        if kept and "main" in entry.get("components", "").split() and (not key or f"{family}-archive" in key):
            stanzas.append(_stanza(entry["uris"], kept, family, key))
    return "\n".join(dict.fromkeys(stanzas))


def _renamed(name: str, suite: str, target: str) -> str:
    """`bookworm-security` -> `trixie-security`; empty for other suites than the main, update and security ones."""
    base, _, pocket = name.partition("-")
    known = base in (suite, *ALIASES) and pocket in ("", "updates", "security")
    return "" if not known or (pocket and target == "sid") else f"{target}-{pocket}".rstrip("-")


def _stanza(uris: str, suites: Iterable[str], family: str, key: str) -> str:
    keyring = key or _archive_keyring(family)
    signed = f"Signed-By: {keyring}\n" if keyring else ""
    return f"Types: deb\nURIs: {uris}\nSuites: {' '.join(suites)}\nComponents: {COMPONENTS[family]}\n{signed}"


def _archive_keyring(family: str) -> str:
    known = (Path("/usr/share/keyrings") / f"{family}-archive-keyring.{kind}" for kind in ("gpg", "pgp"))
    return next((str(file) for file in known if file.is_file()), "")


class Apt:
    """Apt with sources, lists, cache and (empty) package state below `folder`, whose path may have no quotes."""

    def __init__(self, folder: Path, sources: str) -> None:
        for name in ("state", "lists/partial", "cache/archives/partial", "log", "packages"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "status").touch()
        (folder / "ioc.sources").write_text(sources)
        # Apt as root would drop to an account that can't write here.
        sandbox = "root" if os.geteuid() == 0 else ""
        (folder / "apt.conf").write_text(CONFIGURATION.format(folder=folder, sandbox=sandbox))
        self.folder = folder

    def update(self) -> None:
        """Fetch the package lists."""
        self._run("apt-get", "update")

    def highest(self, pattern: str) -> str | None:
        """The package whose name matches `pattern` with the highest number in its name."""
        names = re.findall(pattern, self._run("apt-cache", "pkgnames"), re.MULTILINE)
        return max(names, key=lambda name: [int(n) for n in re.findall(r"\d+", name)], default=None)

    def closure(self, packages: Iterable[str]) -> list[str]:
        """The packages and all that they depend on."""
        plan = self._run("apt-get", "install", "--simulate", "--yes", "--no-install-recommends", *packages)
        return re.findall(r"^Inst (\S+)", plan, re.MULTILINE)

    def download(self, packages: Iterable[str], target: Path) -> list[Path]:
        """Fetch packages (checked against the signed lists) and unpack them below `target`."""
        shelf = self.folder / "packages"
        self._run("apt-get", "download", *packages, cwd=shelf)
        files = sorted(shelf.glob("*.deb"))
        for file in files:
            checked("dpkg-deb", "-x", file, target)
            file.unlink()
        return files

    def _run(self, program: str, *arguments: str, cwd: Path | None = None) -> str:
        command = [program, "-q", "-c", str(self.folder / "apt.conf"), *arguments]
        environment = os.environ | {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr or done.stdout).strip() or f"it ended with {done.returncode} and said nothing"
            advice = f"\n{NO_NETWORK}" if UNREACHED.search(said) else ""
            raise SetupError(f"{program} {arguments[0]} failed:\n{said}{advice}")
        return done.stdout


def open_archive(folder: Path, wanted: str, progress: Callable[[str], None]) -> tuple[Apt, str]:
    """Apt on the first suite that has a package matching the pattern `wanted`, and that package's name."""
    family, suite = distribution()
    problems = []
    for target in candidate_suites(family, suite):
        sources = archive_sources(machine_sources(), family, suite, target)
        if not sources:
            raise SetupError(f"the apt sources of this machine name no archive of {family} {suite}")
        progress(f"reading the package lists of {family} {target}")
        try:
            apt = Apt(folder / target, sources)
            apt.update()
        except SetupError as problem:
            problems.append(str(problem))
            continue
        found = apt.highest(wanted)
        if found:
            return apt, found
        problems.append(f"{family} {target} has no package like {wanted}")
    raise SetupError("\n".join(problems))
