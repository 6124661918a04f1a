"""Administrative units with their validity, parents, successors and names in time: every year under its own tree.

The table `units.csv` covers the former province of Bình Phước before and after 1 July 2025, and all 95 wards and
communes of Đồng Nai since then (facts of the General Statistics Office's list of 2025; resolutions 30/2026/QH16 and
237/NQ-UBTVQH16 for 30 April 2026). Units of the former Đồng Nai below the province are not listed before 2025.

`valid_to` is the last day on which a unit exists (inclusive); an empty bound is open. There are two kinds of change:
one unit is *succeeded* by others (`successors`), or the same unit is *renamed or raised in level*: a further row with
its code says from which day (`valid_from`) it bears which name and level. Its series goes on; either name finds it.
"""

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache, lru_cache
from importlib import resources
from typing import Literal, get_args

from schemas.text import collation, files, moments
from schemas.text.letters import LOOKALIKES, bare

Level = Literal["province", "department", "district", "ward", "commune", "township", "quarter", "hamlet"]
LEVELS: tuple[Level, ...] = get_args(Level)
COLUMNS = ("code", "level", "name_vi", "name_en", "parent", "valid_from", "valid_to", "successors", "spellings")


@dataclass(frozen=True, slots=True)
class Stage:
    """What a unit was called from a day on (None: from its beginning)."""

    since: date | None
    level: Level
    name_vi: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit with its last name and level; `valid_from` and `valid_to` are both inclusive, None is open.

    `stages`: its names in time, the first first; `row`: where it was read, for messages.
    """

    code: str
    level: Level
    name_vi: str
    name_en: str
    parent: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    successors: tuple[str, ...] = ()
    spellings: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()
    row: str = field(default="", compare=False)

    def on(self, day: date) -> "Unit":
        """The unit under the name and level that it had on a local day."""
        borne = [stage for stage in self.stages if stage.since is None or stage.since <= day] or self.stages[:1]
        return self.called(borne[-1]) if borne and borne[-1] != self.stages[-1] else self

    def called(self, stage: Stage) -> "Unit":
        """The unit under a name of its own."""
        return replace(self, level=stage.level, name_vi=stage.name_vi, name_en=stage.name_en)

    def valid_at(self, day: date) -> bool:
        """Whether the unit exists on that local day."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


class UnknownUnit(KeyError):
    """No unit has this code or spelling; the message names the nearest ones, which are looked for when it is read."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"no unit {self.text!r}; {_nearest(self.text)}"


class AmbiguousUnit(UnknownUnit):
    """Several units bear this name; the message names them, a day or a code decides."""

    def __init__(self, text: str, units: Sequence[Unit]) -> None:
        super().__init__(text)
        self.units = units

    def __str__(self) -> str:
        return f"several units are called {self.text!r}: {_listed(self.units)}; give the code, or a day"


def get(code: str) -> Unit:
    """The unit with exactly this code; `UnknownUnit` if there is none."""
    try:
        return _index().units[code]
    except KeyError:
        raise UnknownUnit(code) from None


def on(code: str, day: date) -> Unit:
    """The unit with this code, under the name and level that it had on a local day."""
    return get(code).on(day)


def find(text: str, day: date | None = None) -> Unit:
    """The unit with this code, or with this name or spelling at any time; case and diacritics are forgiven.

    The level may be left out or shortened (`Lộc Ninh`, `P. Lộc Ninh`) and the unit above named (`Xã Lộc Ninh, tỉnh Đồng
    Nai`). A name written with its diacritics is preferred to one that only looks alike. Of several units with one name,
    the one valid on `day` is meant; without a day the one that still exists. `AmbiguousUnit` if that leaves several.
    """
    index = _index()
    unit = index.units.get(text.strip().lower())
    if unit:
        return unit
    named = _named(text, index)
    if not named and "," in text:
        head, _, above = text.partition(",")
        over = {one.code for one in _named(above, index)}
        named = tuple(one for one in _named(head, index) if over.intersection(up.code for up in ancestors(one.code)))
    if not named:
        raise UnknownUnit(text)
    chosen = [unit for unit in named if (unit.valid_at(day) if day else unit.valid_to is None)] or named
    if len(chosen) > 1:
        raise AmbiguousUnit(text, chosen)
    return chosen[0]


def _named(text: str, index: "Index") -> tuple[Unit, ...]:
    """The units that are or were called so: as written, else without diacritics, else without the level."""
    full = _SHORT.sub(lambda found: _LONG[found[1]] + " ", _plain(text).removeprefix("ubnd "))
    for name in (_plain(text), full):
        if found := index.spelled.get(name) or index.folded.get(_fold(name)):
            return found
    return index.bare.get(full) or index.bare.get(_fold(full)) or ()


def valid_at(code: str, day: date) -> bool:
    """Whether the unit exists on that local day; `UnknownUnit` if it never does."""
    return get(code).valid_at(day)


def at(day: date) -> list[Unit]:
    """All units that exist on that local day, as they were called then, in the order of the table."""
    return [unit.on(day) for unit in _index().units.values() if unit.valid_at(day)]


def every() -> tuple[Unit, ...]:
    """All units that exist or ever did, in the order of the table."""
    return tuple(_index().units.values())


def order(code: str) -> collation.Key:
    """What to sort a unit by: its name in the Vietnamese alphabet; another word stands by itself."""
    unit = _index().units.get(code)
    return collation.key(unit.name_vi if unit else code)


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
    bare: Mapping[str, tuple[Unit, ...]]


_added: list[Unit] = []


def add(lines: Iterable[str], table: str = "added units") -> list[Unit]:
    """Let more units be known in this process, from a table in the form of `units.csv`; gives its rows back.

    They may name units of `units.csv` as parents and successors, and say more of one that is known: see `_said`.
    ValueError, with nothing added, names the row that is wrong. Meant for the start of a process, before anything is
    looked up.
    """
    more = read_units(lines, table)
    build_index(more, _index().units)
    _added.extend(more)
    for known in (_index, _nearest, subtree, scope):
        known.cache_clear()
    return more


@cache
def _index() -> Index:
    text = resources.files(__package__).joinpath("units.csv").read_text(encoding="utf-8")
    built = build_index(read_units(files.lines(text)))
    return build_index(_added, built.units) if _added else built


def read_units(lines: Iterable[str], table: str = "units.csv") -> list[Unit]:
    """The rows of a table in the form of `units.csv`; ValueError names the row and column that is wrong."""
    units = []
    for number, row in files.rows(lines, table, COLUMNS):
        where = f"{table}, row {number} ({row['code']})"
        try:
            units.append(replace(_unit(row), row=where))
        except ValueError as wrong:
            raise ValueError(f"{where}: {wrong}") from wrong
    return units


def build_index(rows: Iterable[Unit], known: Mapping[str, Unit] | None = None) -> Index:
    """Put rows together, after those that are `known`. Check that codes are unique, that parents and successors exist
    and that no chain runs in a circle."""
    by_code, begun = dict(known or {}), set[str]()
    for row in rows:
        before = by_code.get(row.code)
        fresh = replace(row, stages=(Stage(row.valid_from, row.level, row.name_vi, row.name_en),))
        by_code[row.code] = _amended(before, fresh, again=row.code in begun) if before else fresh
        begun.add(row.code)
    for unit in by_code.values():
        _check(unit, by_code)
    every = list(by_code.values())
    return Index(
        units=by_code,
        children=_group((unit.parent, unit) for unit in every if unit.parent),
        predecessors=_group((after, unit) for unit in every for after in unit.successors),
        spelled=_group((_plain(name), unit) for unit in every for name in _names(unit)),
        folded=_group((_fold(name), unit) for unit in every for name in _names(unit)),
        bare=_group((form(bare), unit) for unit in every for bare in _bare(unit) for form in (_plain, _fold)),
    )


def _amended(unit: Unit, row: Unit, again: bool) -> Unit:
    """A unit after a further row with its code. One that begins later is its name and level from that day on; another
    (not `again` in one table) puts its names and level right. Both may end it, name its successors, add spellings."""
    begins = row.valid_from or unit.valid_from
    later = row.valid_from is not None and (unit.stages[-1].since is None or row.valid_from > unit.stages[-1].since)
    if not later and (again or (begins != unit.valid_from)):
        raise ValueError(
            f"{row.row}: units: the code {row.code!r} is given twice; column valid_from: say from when on it is called "
            f"{row.name_vi!r}, a day after {unit.stages[-1].since or 'its beginning'}"
        )
    if row.parent not in (None, unit.parent):
        raise ValueError(f"{row.row}: column parent: {row.code!r} is below {unit.parent!r}; end it, add another")
    if later and unit.valid_to and row.valid_from and row.valid_from > unit.valid_to:
        raise ValueError(f"{row.row}: column valid_from: {row.code!r} ended on {unit.valid_to}")
    stage = row.stages[0] if later else replace(row.stages[0], since=unit.stages[-1].since)
    return replace(
        unit.called(stage),
        valid_to=row.valid_to or unit.valid_to,
        successors=row.successors or unit.successors,
        spellings=tuple(dict.fromkeys((*unit.spellings, *row.spellings))),
        stages=(*(unit.stages if later else unit.stages[:-1]), stage),
        row=row.row,
    )


def _unit(row: Mapping[str, str]) -> Unit:
    if row["level"] not in LEVELS:
        raise ValueError(f"level {row['level']!r} is none of {', '.join(LEVELS)} (column level)")
    if not re.fullmatch(r"[a-z0-9_]+", row["code"]):
        raise ValueError("a code is made of a-z, 0-9 and _, as it becomes part of a subject (column code)")
    if not row["name_vi"] or not row["name_en"]:
        raise ValueError("a unit has a name in both languages (columns name_vi and name_en)")
    return Unit(
        code=row["code"],
        level=row["level"],
        name_vi=row["name_vi"],
        name_en=row["name_en"],
        parent=row["parent"] or None,
        valid_from=_day(row, "valid_from"),
        valid_to=_day(row, "valid_to"),
        successors=_split(row["successors"]),
        spellings=_split(row["spellings"]),
    )


def _check(unit: Unit, units: Mapping[str, Unit]) -> None:
    where = f"{unit.row}: " if unit.row else ""
    for column, others in (("parent", _above(unit)), ("successors", unit.successors)):
        if missing := [other for other in others if other not in units]:
            raise ValueError(
                f"{where}units: {unit.code!r} names {missing[0]!r}, which is no code of the table (column {column})"
            )
    if unit.valid_from and unit.valid_to and unit.valid_from > unit.valid_to:
        raise ValueError(f"{where}units: {unit.code!r} ends before it begins (column valid_to)")
    for column, follow in (("parent", _above), ("successors", _after)):
        if unit.code in _reach(unit, follow, units):
            raise ValueError(f"{where}units: {unit.code!r} is its own ancestor or successor (column {column})")


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
    """Every name that it bears or bore; of an abbreviation also without the marks within: `Sở TT&TT`, `Sở TTTT`."""
    names = (*(name for stage in unit.stages for name in (stage.name_vi, stage.name_en)), *unit.spellings)
    return tuple(dict.fromkeys((*names, *(re.sub(r"(?<=[^\W\d_])[&-](?=[^\W\d_])", "", name) for name in names))))


_LONG = {
    "p": "phường", "x": "xã", "tt": "thị trấn", "tx": "thị xã", "tp": "thành phố", "h": "huyện", "t": "tỉnh",
    "kp": "khu phố",
}  # fmt: skip
_SHORT = re.compile(rf"^({'|'.join(_LONG)}) ")
_LEVEL = re.compile(rf"^({'|'.join(_LONG.values())}|ấp) (?=\D)", re.IGNORECASE)


def place_of(unit: Unit) -> str:
    """What the place is called, without the level of its unit: `Chơn Thành`."""
    return _LEVEL.sub("", unit.name_vi)


def _bare(unit: Unit) -> set[str]:
    """Its names without the level."""
    return {bare for stage in unit.stages if (bare := _LEVEL.sub("", stage.name_vi)) != stage.name_vi}


def _plain(text: str) -> str:
    """One form for letter case, composed or loose accents, widths, the two looks of Đ, spaces and punctuation."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold().translate(LOOKALIKES)))


def _fold(text: str) -> str:
    """As typed on a keyboard without Vietnamese: 'Đồng Xoài' and 'dong xoai' are one."""
    return _plain(bare(_plain(text)))


@lru_cache(maxsize=1000)  # one wrong code comes with thousands of events
def _nearest(text: str) -> str:
    index = _index()
    near = difflib.get_close_matches(text.strip().lower(), index.units, n=3)
    named = difflib.get_close_matches(_fold(text), index.folded, n=3)
    found = {unit.code: unit for unit in [index.units[code] for code in near] + [index.folded[n][0] for n in named]}
    return f"nearest: {_listed(found.values())}" if found else "the table of units lists all codes"


def _listed(units: Iterable[Unit]) -> str:
    return ", ".join(f"{unit.code} ({unit.name_vi})" for unit in units)


def _day(row: Mapping[str, str], column: str) -> date | None:
    try:
        return moments.read(row[column]).day() if row[column] else None
    except moments.NoMoment as wrong:
        raise ValueError(f"{wrong} (column {column})") from None


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())
