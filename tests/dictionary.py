"""The Vietnamese syllables of Debian's dictionary, and how a word is looked up in it."""

from __future__ import annotations

import shutil
import tempfile
import unicodedata
from functools import cache
from pathlib import Path

from infra.local.apt import open_archive
from infra.local.paths import home, usual_modes

SYSTEM = Path("/usr/share/hunspell/vi_VN.dic")
MARKS = (("oa", "óòỏõọ", "áàảãạ"), ("oe", "óòỏõọ", "éèẻẽẹ"), ("uy", "úùủũụ", "ýỳỷỹỵ"))
"""Where the mark may stand on either letter: the house writes it on the first, as decrees do (`hóa`), the dictionary
mostly on the second (`hoá`)."""


@cache
def syllables() -> frozenset[str]:
    """Those of the package hunspell-vi: this machine's, or fetched into the runtime folder."""
    kept = home() / "runtime" / "hunspell-vi" / SYSTEM.name
    if not SYSTEM.exists() and not kept.exists():
        with usual_modes(), tempfile.TemporaryDirectory(prefix="ioc-apt-") as shelf:
            apt, found = open_archive(Path(shelf), "^hunspell-vi$", print)
            apt.download([found], Path(shelf) / "tree")
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(next((Path(shelf) / "tree").rglob(SYSTEM.name)), kept.with_suffix(".new"))
            kept.with_suffix(".new").rename(kept)
    lines = (SYSTEM if SYSTEM.exists() else kept).read_text(encoding="utf-8").splitlines()
    return frozenset(plain(line.partition("/")[0]) for line in lines)


def known(word: str) -> bool:
    """Whether the dictionary has a plain word, the mark on either of two vowels."""
    return not syllables().isdisjoint({word, _moved(word)})


def plain(word: str) -> str:
    """A word as the dictionary is asked for it."""
    return unicodedata.normalize("NFC", word).casefold()


def _moved(word: str) -> str:
    """The same with the mark on the other of two vowels at its end; itself where there are none."""
    for (first, second), left, right in MARKS:
        for a, b in zip(left, right, strict=True):
            if word.endswith(a + second):
                return word[: -len(second) - 1] + first + b
            if word.endswith(first + b) and not word.startswith("q"):
                return word[:-2] + a + second
    return word
