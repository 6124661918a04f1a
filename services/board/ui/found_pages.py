"""How the pages that stand alone are found: the modules of `pages`, each with a `PAGE`; what
lies there in a folder of its own is added by `app`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from services.board.access import Action
from services.board.live.query_pool import QueryPool
from services.board.ui.live_page import Pages

FOLDER = "services.board.pages"


@dataclass(frozen=True)
class Page:
    """One page: the word and the path by which all pages lead to it, what one must be allowed for it (None: nothing),
    and what registers it, with the reader that all pages share."""

    word: str
    path: str
    action: Action | None
    add: Callable[[Pages, QueryPool], None]


@cache
def find_pages() -> tuple[Page, ...]:
    """The pages of the folder, by the names of their modules. Raises `AttributeError` where one has no `PAGE`."""
    modules = iter_modules(import_module(FOLDER).__path__)
    return tuple(import_module(f"{FOLDER}.{module.name}").PAGE for module in modules if not module.ispkg)
