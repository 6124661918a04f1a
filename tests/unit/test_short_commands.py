"""A command that lives for a moment spends it on what it was asked."""

from __future__ import annotations

import subprocess
import sys

READS_SETTINGS = """
import gc, sys
from services.cli.app import main

sys.argv = ["ioc", "units", "--format", "json"]
try:
    main()
finally:
    from pydantic.plugin import _loader
    from services.kit.settings import Settings

    Settings()
    print(gc.get_stats()[0]["collections"], _loader._plugins is None, file=sys.stderr)
"""


def test_it_neither_walks_what_it_imports_again_and_again_nor_searches_packages_for_plugins() -> None:
    done = subprocess.run([sys.executable, "-c", READS_SETTINGS], capture_output=True, text=True, check=True)
    walks, unsearched = done.stderr.split()
    assert int(walks) < 50  # 31, and 100 by Python's own threshold
    assert unsearched == "True"
