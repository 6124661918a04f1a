"""Which centre a command speaks of: `main`, `demo` or another, each a folder below the home of all state."""

import re

from infra.docker.centre import NAME as CONTAINERS
from infra.docker.centre import Containers
from infra.local import paths
from infra.local.servers import Instance

DEFAULT = "main"


def open_instance(name: str | None = None) -> Instance:
    """The named instance; without a name the one that was started last, else `main`."""
    chosen = name or current()
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", chosen) or chosen == "runtime":
        raise paths.SetupError(
            f"{chosen!r} can't name an instance: use a short word in lower case, such as main or demo"
        )
    return Containers() if chosen == CONTAINERS else Instance(paths.home() / chosen)


def current() -> str:
    """The name of the instance that was started last."""
    file = paths.home() / "current"
    return file.read_text().strip() if file.exists() else DEFAULT


def remember(instance: Instance) -> None:
    """Make `instance` the one that later commands speak of when they name none."""
    instance.data.parent.mkdir(parents=True, exist_ok=True)
    (instance.data.parent / "current").write_text(instance.data.name + "\n")
