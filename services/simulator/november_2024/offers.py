"""What each of the 27 units offers online and how much of it is asked for: the assumptions behind the published shares.

The report prints percentages only. The numbers of dossiers and procedures are ours: plausible, and fitting the shares.
"""

from __future__ import annotations

from functools import cache
from itertools import cycle
from random import Random
from typing import Literal, NamedTuple

from services.simulator.november_2024 import tables
from services.simulator.november_2024.splits import ratio_near

Obligation = Literal["tax", "fee"]
OnlineLevel = Literal["partial", "full"]


def seeded(purpose: str) -> Random:
    """A source of chance that is the same each time, of its own for each purpose."""
    return Random(f"november-2024/{purpose}")  # noqa: S311 - nothing here is a secret


class Offer(NamedTuple):
    """A procedure that a unit offers online; `limit` in working days."""

    procedure: str
    field: str
    level: OnlineLevel
    limit: int
    obligation: Obligation | None


class Profile(NamedTuple):
    """About how many dossiers a unit receives in the month; how many procedures it offers online, how many are used."""

    unit: str
    dossiers: int
    fields: tuple[str, ...]
    offered: int
    used: int


_DISTRICT = ("justice", "land", "labour", "business", "land", "education", "construction", "health", "justice",
             "land", "culture", "business")  # fmt: skip
PROFILES = (
    Profile("so_gddt", 320, ("education",), 18, 18),
    Profile("so_ct", 1000, ("trade", "energy"), 16, 16),
    Profile("so_gtvt", 1900, ("transport",), 22, 22),
    Profile("so_khdt", 900, ("business", "investment"), 20, 20),
    Profile("so_khcn", 100, ("science",), 6, 6),
    Profile("so_ldtbxh", 930, ("labour", "social_protection"), 19, 19),
    Profile("so_nv", 260, ("home_affairs",), 12, 12),
    Profile("so_nnptnt", 420, ("agriculture", "forestry"), 17, 17),
    Profile("so_tnmt", 1800, ("land", "environment"), 24, 24),
    Profile("so_tttt", 130, ("information",), 7, 7),
    Profile("so_xd", 300, ("construction",), 13, 13),
    Profile("so_yt", 520, ("health",), 18, 18),
    Profile("so_vhttdl", 260, ("culture", "tourism"), 14, 14),
    Profile("so_tp", 1400, ("justice",), 15, 15),
    Profile("cong_an_tinh", 1500, ("residence", "security"), 11, 11),
    Profile("bql_kkt", 250, ("investment", "labour"), 9, 9),
    Profile("dong_xoai", 7600, _DISTRICT, 40, 40),
    Profile("dong_phu", 3200, _DISTRICT, 37, 34),
    Profile("chon_thanh", 5200, _DISTRICT, 14, 13),
    Profile("binh_long", 3400, _DISTRICT, 33, 33),
    Profile("phuoc_long", 2300, _DISTRICT, 21, 20),
    Profile("hon_quan", 3100, _DISTRICT, 30, 30),
    Profile("phu_rieng", 3600, _DISTRICT, 12, 11),
    Profile("bu_dop", 3600, _DISTRICT, 28, 28),
    Profile("bu_gia_map", 1700, _DISTRICT, 11, 10),
    Profile("loc_ninh", 7300, _DISTRICT, 38, 38),
    Profile("bu_dang", 4400, _DISTRICT, 35, 35),
)
"""In the order of the table of online services; the place in it is the unit's number in the dossier codes."""

_LIMITS = (1, 7, 3, 1, 10, 5, 2, 3, 15, 2, 20, 5)
_OBLIGATIONS: dict[str, tuple[Obligation | None, ...]] = {
    "land": ("tax", "fee"),
    "justice": ("fee",),
    "business": ("fee",),
    "construction": ("fee",),
    "transport": ("fee", None),
}
"""By field, repeated over its procedures; other fields' procedures cost nothing."""


@cache
def offers(profile: Profile) -> tuple[Offer, ...]:
    """The procedures that a unit offers, those that are asked for first; units with equal fields share the codes."""
    codes = _procedure_codes(profile.fields)
    obligations = {field: cycle(_OBLIGATIONS.get(field, (None,))) for field in profile.fields}
    rows = zip(codes, cycle(profile.fields), cycle(_LIMITS), range(profile.offered), strict=False)
    return tuple(
        # Ten in thirteen are offered in full: the 76.85% that the province reports for the year.
        Offer(code, field, "full" if place % 13 < 10 else "partial", limit, next(obligations[field]))
        for code, field, limit, place in rows
    )


def _procedure_codes(fields: tuple[str, ...]) -> list[str]:
    rng = seeded("+".join(fields))
    return [f"{rng.choice('112')}.0{number:05d}" for number in rng.sample(range(10**5), 100)]


class Cell(NamedTuple):
    """Dossiers of one unit received in one stretch of days, and how many of them online."""

    received: int
    online: int


class Cells(NamedTuple):
    """A unit's dossiers: carried over from October, received 1-23 November and 24-30 November."""

    october: Cell
    to_23rd: Cell
    rest: Cell

    @property
    def total(self) -> int:
        """All dossiers of the unit."""
        return sum(cell.received for cell in self)


@cache
def cells(profile: Profile) -> Cells:
    """How many dossiers: the share of online ones is the published one both up to the 23rd and in the whole month.

    Units with less than a thousand carry none over: a few dossiers more would move their share.
    """
    permille = tables.online_permille()[profile.unit]
    month, to_23rd, october = (
        Cell(*ratio_near(permille, max(profile.dossiers * percent // 100, 1))) for percent in (100, 76, 1)
    )
    rest = Cell(month.received - to_23rd.received, month.online - to_23rd.online)
    return Cells(october if profile.dossiers >= 1000 else Cell(0, 0), to_23rd, rest)
