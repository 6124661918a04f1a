"""Administrative units with their validity, parents and successors, so that every year is reported under its own tree.

The table `units.csv` covers the former province of Bình Phước before and after 1 July 2025. Its `valid_to` is the last
day on which a unit exists (inclusive); an empty bound is open. Wards of the former Đồng Nai are not listed.
"""

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Literal, get_args

from schemas.text import files, moments

Level = Literal["province", "department", "district", "ward", "commune", "township"]
LEVELS: tuple[Level, ...] = get_args(Level)
COLUMNS = ("code", "level", "name_vi", "name_en", "parent", "valid_from", "valid_to", "successors", "spellings")


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit as the table has it; `valid_from` and `valid_to` are both inclusive, None is open."""

    code: str
    level: Level
    name_vi: str
    name_en: str
    parent: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    successors: tuple[str, ...] = ()
    spellings: tuple[str, ...] = ()

    def valid_at(self, day: date) -> bool:
        """Whether the unit exists on that local day."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


class UnknownUnit(KeyError):
    """No unit has this code or spelling; the message names the nearest ones."""

    def __str__(self) -> str:  # a KeyError prints its message quoted
        return str(self.args[0])


class AmbiguousUnit(UnknownUnit):
    """Several units bear this name; the message names them, a day or a code decides."""


def get(code: str) -> Unit:
    """The unit with exactly this code; `UnknownUnit` if there is none."""
    try:
        return _index().units[code]
    except KeyError:
        raise _unknown(code) from None


def find(text: str, day: date | None = None) -> Unit:
    """The unit with this code, name or spelling; case and diacritics are forgiven.

    A name written with its diacritics is preferred to one that only looks alike. Of several units with one name, the
    one valid on `day` is meant; without a day the one that still exists. `AmbiguousUnit` if that leaves several.
    """
    index = _index()
    unit = index.units.get(text.strip().lower())
    if unit:
        return unit
    named = index.spelled.get(_plain(text)) or index.folded.get(_fold(text))
    if not named:
        raise _unknown(text)
    chosen = [unit for unit in named if (unit.valid_at(day) if day else unit.valid_to is None)] or named
    if len(chosen) > 1:
        raise AmbiguousUnit(f"several units are called {text!r}: {_listed(chosen)}; give the code, or a day")
    return chosen[0]


def valid_at(code: str, day: date) -> bool:
    """Whether the unit exists on that local day; `UnknownUnit` if it never does."""
    return get(code).valid_at(day)


def at(day: date) -> list[Unit]:
    """All units that exist on that local day, in the order of the table."""
    return [unit for unit in _index().units.values() if unit.valid_at(day)]


def every() -> tuple[Unit, ...]:
    """All units that exist or ever did, in the order of the table."""
    return tuple(_index().units.values())


def children(code: str) -> tuple[Unit, ...]:
    """The units directly below, whatever their validity."""
    return _index().children.get(get(code).code, ())


def predecessors(code: str) -> tuple[Unit, ...]:
    """The units that name this one among their successors."""
    return _index().predecessors.get(get(code).code, ())


def ancestors(code: str) -> tuple[Unit, ...]:
    """The units above, nearest first."""
    unit, above = get(code), []
    while unit.parent:
        unit = get(unit.parent)
        above.append(unit)
    return tuple(above)


@cache
def subtree(code: str) -> frozenset[str]:
    """The codes of the unit and of all its descendants, whatever their validity."""
    return frozenset({get(code).code}).union(*(subtree(child.code) for child in children(code)))


@cache
def scope(code: str) -> frozenset[str]:
    """The codes whose events belong to this unit over all years: its subtree and what was wholly merged into it.

    A predecessor counts, with its own scope, when this unit is its only successor. One that was split among several is
    nobody's: its figures can't be divided afterwards.
    """
    merged = (unit.code for unit in predecessors(code) if unit.successors == (code,))
    return subtree(code).union(*(scope(before) for before in merged))


def heir(code: str, day: date) -> str:
    """Who answers for the unit's open cases on a local day: itself, its only successor, or who stands above it."""
    found: str | None = code
    while found and not valid_at(found, day):
        after = get(found).successors
        found = after[0] if len(after) == 1 else get(found).parent
    return found or code


def succeeds(code: str, before: str) -> bool:
    """Whether one unit follows, directly or through others, upon another that is no more; unknown codes follow none."""
    if code == before:
        return False
    known = _index().units
    return before in known and code in _reach(known[before], _after, known)


def row_unit(code: str, root: str | None) -> str:
    """The row a unit's data belongs to: the unit below `root` (None: below the province) that it is part of."""
    chain = [code, *(above.code for above in ancestors(code))]
    if root is None:
        below = [one for one in chain if get(one).level != "province"]
        return below[-1] if below else code
    inside = [one for one in chain if one in scope(root) and one != root]
    return inside[-1] if inside else code


@dataclass(frozen=True, slots=True)
class Index:
    """The units by code, and whom they belong to; names lead to several units where several bear them."""

    units: Mapping[str, Unit]
    children: Mapping[str, tuple[Unit, ...]]
    predecessors: Mapping[str, tuple[Unit, ...]]
    spelled: Mapping[str, tuple[Unit, ...]]
    folded: Mapping[str, tuple[Unit, ...]]


_added: list[Unit] = []


def add(lines: Iterable[str], table: str = "added units") -> list[Unit]:
    """Let more units be known in this process, from a table in the form of `units.csv`; gives them back.

    They may name units of `units.csv` as parents and successors. ValueError, with nothing added, names the row that is
    wrong. Meant for the start of a process, before anything is looked up.
    """
    more = read_units(lines, table)
    build_index((*_index().units.values(), *more))
    _added.extend(more)
    for known in (_index, subtree, scope):
        known.cache_clear()
    return more


@cache
def _index() -> Index:
    text = resources.files(__package__).joinpath("units.csv").read_text(encoding="utf-8")
    return build_index((*read_units(text.splitlines()), *_added))


def read_units(lines: Iterable[str], table: str = "units.csv") -> list[Unit]:
    """The units of a table in the form of `units.csv`; ValueError names the row that is wrong."""
    units = []
    for number, row in files.rows(lines, table, COLUMNS):
        try:
            units.append(_unit(row))
        except ValueError as wrong:
            raise ValueError(f"{table}, row {number} ({row['code']}): {wrong}") from wrong
    return units


def build_index(units: Iterable[Unit]) -> Index:
    """Check that codes are unique, that parents and successors exist and that no chain runs in a circle."""
    by_code: dict[str, Unit] = {}
    for unit in units:
        if by_code.setdefault(unit.code, unit) is not unit:
            raise ValueError(f"units: the code {unit.code!r} is given twice")
    for unit in by_code.values():
        _check(unit, by_code)
    every = list(by_code.values())
    return Index(
        units=by_code,
        children=_group((unit.parent, unit) for unit in every if unit.parent),
        predecessors=_group((after, unit) for unit in every for after in unit.successors),
        spelled=_group((_plain(name), unit) for unit in every for name in _names(unit)),
        folded=_group((_fold(name), unit) for unit in every for name in _names(unit)),
    )


def _unit(row: Mapping[str, str]) -> Unit:
    if row["level"] not in LEVELS:
        raise ValueError(f"level {row['level']!r} is none of {', '.join(LEVELS)}")
    if not re.fullmatch(r"[a-z0-9_]+", row["code"]):
        raise ValueError("a code is made of a-z, 0-9 and _ (it becomes part of a subject)")
    if not row["name_vi"] or not row["name_en"]:
        raise ValueError("a unit has a name in both languages, name_vi and name_en")
    return Unit(
        code=row["code"],
        level=row["level"],
        name_vi=row["name_vi"],
        name_en=row["name_en"],
        parent=row["parent"] or None,
        valid_from=_day(row["valid_from"]),
        valid_to=_day(row["valid_to"]),
        successors=_split(row["successors"]),
        spellings=_split(row["spellings"]),
    )


def _check(unit: Unit, units: Mapping[str, Unit]) -> None:
    for other in (unit.parent, *unit.successors):
        if other and other not in units:
            raise ValueError(f"units: {unit.code!r} names {other!r}, which is no code of the table")
    if unit.valid_from and unit.valid_to and unit.valid_from > unit.valid_to:
        raise ValueError(f"units: {unit.code!r} ends before it begins")
    for follow in (_above, _after):
        if unit.code in _reach(unit, follow, units):
            raise ValueError(f"units: {unit.code!r} is its own ancestor or successor")


def _above(unit: Unit) -> tuple[str, ...]:
    return (unit.parent,) if unit.parent else ()


def _after(unit: Unit) -> tuple[str, ...]:
    return unit.successors


def _reach(unit: Unit, follow: Callable[[Unit], tuple[str, ...]], units: Mapping[str, Unit]) -> set[str]:
    seen: set[str] = set()
    ahead = list(follow(unit))
    while ahead:
        code = ahead.pop()
        if code not in seen and code in units:
            seen.add(code)
            ahead += follow(units[code])
    return seen


def _group(pairs: Iterable[tuple[str, Unit]]) -> dict[str, tuple[Unit, ...]]:
    groups: dict[str, dict[str, Unit]] = {}
    for key, unit in pairs:
        groups.setdefault(key, {})[unit.code] = unit
    return {key: tuple(members.values()) for key, members in groups.items()}


def _names(unit: Unit) -> tuple[str, ...]:
    return (unit.name_vi, unit.name_en, *unit.spellings)


def _plain(text: str) -> str:
    """One form for letter case, composed or loose accents, spaces and punctuation."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFC", text).casefold()))


def _fold(text: str) -> str:
    """As typed on a keyboard without Vietnamese: 'Đồng Xoài' and 'dong xoai' are one."""
    loose = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return _plain("".join(letter for letter in loose if not unicodedata.combining(letter)))


def _unknown(text: str) -> UnknownUnit:
    index = _index()
    near = difflib.get_close_matches(text.strip().lower(), index.units, n=3)
    named = difflib.get_close_matches(_fold(text), index.folded, n=3)
    found = {unit.code: unit for unit in [index.units[code] for code in near] + [index.folded[n][0] for n in named]}
    hint = f"nearest: {_listed(found.values())}" if found else "the table of units lists all codes"
    return UnknownUnit(f"no unit {text!r}; {hint}")


def _listed(units: Iterable[Unit]) -> str:
    return ", ".join(f"{unit.code} ({unit.name_vi})" for unit in units)


def _day(text: str) -> date | None:
    return moments.read(text).day() if text else None


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())
