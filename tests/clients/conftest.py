"""Run by `ioc test --clients` alone: the plain suite needs no other language."""

import os

collect_ignore_glob = [] if os.environ.get("CLIENTS") else ["test_*.py"]
