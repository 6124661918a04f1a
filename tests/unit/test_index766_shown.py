"""How index 766 is shown where something of it is missing: on its page and by the commands."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from html import unescape
from typing import cast
from urllib.parse import parse_qsl

from schemas.index766 import words
from schemas.index766.rules import rule_set
from schemas.index766.scoring import CountPair
from services.board.access import Account
from services.board.live.poller import Poller
from services.board.pages.index766.index766_data import Choice, Stand
from services.board.pages.index766.index766_view import render
from services.board.ui.live_page import PageContext
from services.board.ui.periods import PeriodChoice
from services.readings.evaluate import ComponentCount
from services.readings.index766 import UnitIndex, score_of
from services.readings.index766_dossiers import Costly, CostlyDossiers
from services.readings.lines import shortest_lines, what_if_lines
from services.readings.period import Period
from services.readings.reasons import Reason
from services.readings.tables import scores_table
from services.readings.whatif import Shortest, WhatIf

DAY, WARD = date(2026, 11, 20), "phuong_chon_thanh"
PERIOD = Period(date(2026, 11, 1), DAY, datetime(2026, 11, 20, 5, tzinfo=UTC))
RULES = rule_set("portal", DAY)
OF_WARD = Choice(WARD, "portal")
NONE_OF_NONE = re.compile(r"0[.,]00</?[^>]*> ?/ ?0|0[.,]00 ?(?:/|of) ?0(?!\d)")
"""Points of none that could have been had."""


def index(unit: str, **counts: tuple[int, int]) -> UnitIndex:
    """The index of a ward of which these components are counted, and no other has ever been told of."""
    never = ComponentCount(None, Reason("never"), frozenset())
    known = {m: ComponentCount(CountPair(Decimal(n), Decimal(of)), None, frozenset()) for m, (n, of) in counts.items()}
    found = dict.fromkeys(RULES.components, never) | known
    return UnitIndex(unit, "ward", score_of(RULES, unit, found), found)


def page(*indices: UnitIndex, choice: Choice = OF_WARD, costly: CostlyDossiers | None = None) -> str:
    own = indices[0]
    before = WhatIf(PERIOD, own, own, ())
    shown = Stand(PERIOD, own, 0, indices, Shortest(before, ()), costly)
    context = PageContext(Account("an", "", "admin"), "vi", cast(Poller, None))
    return render(context, choice, shown)


def test_a_group_without_data_says_so_and_is_no_0_of_0() -> None:
    found = page(index(WARD), index("phuong_minh_hung", ON_TIME=(19, 20)))
    assert not NONE_OF_NONE.search(found), NONE_OF_NONE.search(found)
    assert "TIẾN ĐỘ" in found.upper() and found.count("chưa có số liệu") > 21, "each group and each component"
    assert "19,00 / 20" in found, "what is known of another stands"


def test_all_dossiers_that_cost_points_are_listed_page_by_page() -> None:
    some = [Costly(f"H10.12-261101-{n:04}", WARD, "accepted", None, None) for n in range(51, 101)]
    choice = Choice(WARD, "decree", "ON_TIME", PeriodChoice(month=date(2026, 11, 1)), page=2)
    found = page(index(WARD, ON_TIME=(9, 130)), choice=choice, costly=CostlyDossiers(121, some))
    pages = [dict(parse_qsl(unescape(of).partition("?")[2])) for of in re.findall(r'href="([^"]+page=\d)"', found)]
    same = {"unit": WARD, "rules": "decree", "component": "ON_TIME", "month": "2026-11"}
    assert pages == [same | {"page": "1"}, same | {"page": "3"}]
    assert found.count("/worklist/dossier/") == 50 and "121 hồ sơ làm mất điểm" in found
    assert "page=" not in page(index(WARD, ON_TIME=(9, 10)), costly=CostlyDossiers(50, some), choice=choice)


def test_commands_say_that_nothing_is_known() -> None:
    some = [index(WARD), index("phuong_minh_hung")]
    rows = [cell for row in scores_table(RULES, some, PERIOD).rows if row for cell in row.cells]
    said = [words.verdict(some[0].score), *map(words.given, some[0].score.groups), *rows]
    gains = Shortest(WhatIf(PERIOD, some[0], some[0], ()), ())
    said += [*what_if_lines(gains.what_if), *shortest_lines(gains)]
    assert not [line for line in said if NONE_OF_NONE.search(line)]
    assert "nothing known" in rows and words.verdict(some[0].score) == "chưa có số liệu · nothing given"
    partly = index(WARD, ON_TIME=(19, 20))
    assert words.known(partly.score) == "19.00 of 20"
