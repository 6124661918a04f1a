"""Pages that stand alone are found in their folder, lead somewhere, and have words."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.board import pages
from services.board.ui import found_pages
from services.board.ui.page_layout import navigation_entries
from services.board.ui.words import WORDS


def test_every_module_of_the_folder_is_a_page() -> None:
    modules = sorted(file.stem for file in Path(pages.__file__).parent.glob("[a-z]*.py"))
    assert "sources" in modules and len(found_pages.find_pages()) == len(modules)


@pytest.mark.parametrize("page", found_pages.find_pages(), ids=lambda page: page.word)
def test_a_page_has_words_and_a_path_of_its_own_and_all_pages_lead_to_it(page: found_pages.Page) -> None:
    assert all(WORDS[page.word])
    ways = navigation_entries()
    assert ways.count((page.word, page.path, page.action)) == 1
    assert len({path for _, path, _ in ways}) == len({word for word, _, _ in ways}) == len(ways)
