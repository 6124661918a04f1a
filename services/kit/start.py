"""How the process of a service begins: its modules are loaded without looks for what could be let go of meanwhile."""

from __future__ import annotations

import gc
import os
from importlib import import_module


def run(module: str) -> None:
    """Import the wiring of a service and run its `main`.

    A tenth to a seventh of a start went into walking the same objects again and again for garbage, and into the search
    of every installed package for plugins of pydantic, of which there are none.
    """
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.disable()
    wiring = import_module(module)
    gc.freeze()
    gc.enable()
    wiring.main()
