"""Who may do what on the board, what a screen without login hides, and the brake on those who try passwords."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import pytest
from chance import examples
from hypothesis import given
from hypothesis import strategies as st

from schemas.indicators import CATALOGUE
from schemas.indicators.formula import Sum
from services.board.access import (
    FEW,
    NEEDS,
    PUBLIC,
    SMALL,
    Account,
    Grant,
    Role,
    grant_of,
    is_sensitive,
    strongest,
)
from services.board.auth import accounts, oidc
from services.board.auth.login import ADDRESS, NAME, PAIR, WITHIN_SECONDS, Brake, inside, place_of
from services.board.live.poller import Poller
from services.board.pages.actions.bulk_actions import toolbar
from services.board.pages.figures.figure import render
from services.board.ui.live_page import PageContext
from services.board.ui.redaction import shown_to
from services.board.ui.words import figure, state_of
from services.kit.settings import Settings
from services.readings import Period, Reading
from services.readings.explain import Evidence, Explanation, Part
from services.readings.explain import Source as Behind
from services.readings.finding import Finding

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)

MAY: dict[Role, set[str]] = {
    "public": set(),
    "viewer": {"cases"},
    "operator": {"cases", "acknowledge", "comment", "extend", "join", "import", "report"},
    "supervisor": {
        "cases",
        "acknowledge",
        "comment",
        "extend",
        "join",
        "import",
        "report",
        "assign",
        "close",
        "resubmit",
        "target",
    },
    "admin": set(NEEDS),
}


@pytest.mark.parametrize("role", MAY)
def test_each_role_may_what_those_before_it_may(role: Role) -> None:
    assert {action for action in NEEDS if Account("a", "", role).may(action)} == MAY[role]


def test_an_account_sees_its_units_and_all_below_them() -> None:
    bounded = Account("a", "", "viewer", ("dong_nai",))
    assert bounded.sees("phuong_chon_thanh")
    assert not Account("a", "", "admin", ("phuong_chon_thanh",)).sees("phuong_minh_hung")
    assert not Account("a", "", "viewer", ("phuong_chon_thanh",)).sees("not_known")
    assert Account("a", "", "viewer").sees("not_known")
    assert not PUBLIC.sees("phuong_chon_thanh")


@pytest.mark.parametrize(
    ("text", "grant"),
    [("viewer", Grant("viewer")), ("operator phuong_chon_thanh", Grant("operator", ("phuong_chon_thanh",)))],
)
def test_a_group_is_mapped_to_a_role_and_units(text: str, grant: Grant) -> None:
    assert grant_of(text) == grant


@pytest.mark.parametrize("text", ["public", "root", "viewer nowhere_at_all"])
def test_a_mapping_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no role|no unit"):
        grant_of(text)


def test_someone_in_several_groups_never_has_a_role_where_it_was_not_given() -> None:
    assert strongest([]) is None
    assert strongest([Grant("viewer"), Grant("operator", ("a",))]) == Grant("operator", ("a",))
    assert strongest([Grant("operator", ("b",)), Grant("operator", ("a",))]) == Grant("operator", ("a", "b"))
    assert strongest([Grant("operator", ("b",)), Grant("operator")]) == Grant("operator")


# --- what a screen without login hides ---


def reading(value: int | None, code: str = "disease_cases", group: str = "", base: int | None = None) -> Reading:
    number, rests_on = (None if n is None else Decimal(n) for n in (value, base))
    return Reading(CATALOGUE[code], group, number, None, frozenset({"real"}), rests_on)


def told(one: Reading, whole: bool = False, account: Account = PUBLIC) -> str:
    return figure(shown_to(account, one, whole), "en")


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "fewer than 5"), (4, "fewer than 5"), (5, "5"), (9, "5"), (1234, "1,230"), (-1, "fewer than 5"), (None, "–")],
)
def test_counts_of_people_are_told_in_steps(value: int | None, text: str, whole: bool) -> None:
    assert told(reading(value), whole) == text
    assert told(reading(value), whole, Account("a", "", "viewer")) == ("–" if value is None else f"{value:,}")
    assert shown_to(PUBLIC, reading(value, "dossiers_overdue"), whole) == reading(value, "dossiers_overdue")


SHARE = "reports_in_time_share"


@pytest.mark.parametrize(
    ("value", "base", "text"), [(96, SMALL, "95.00 %"), (94, 900, "90.00 %"), (96, SMALL - 1, "–"), (None, 0, "–")]
)
def test_shares_are_told_of_the_whole_locality_where_they_rest_on_enough(
    value: int | None, base: int, text: str
) -> None:
    one = reading(value, SHARE, base=base)
    assert told(one, whole=True) == text
    assert told(one) == told(replace(one, group="2026-11-01"), whole=True) == "–"
    assert shown_to(PUBLIC, one, True).base is None


def test_whether_a_target_is_reached_is_told_of_what_is_shown() -> None:
    for indicator in filter(is_sensitive, CATALOGUE.values()):
        for tenth in range(1000):
            one = Reading(indicator, "", Decimal(tenth) / 10, None, frozenset(), Decimal(SMALL))
            shown = shown_to(PUBLIC, one, True)
            assert shown.met is one.met or (shown.value is None and state_of(shown) == "neutral")


def test_every_figure_about_the_ill_and_the_complaining_is_known_as_such() -> None:
    assert {i.system for i in CATALOGUE.values() if is_sensitive(i)} == {"health", "field"}
    assert all(is_sensitive(i) for i in CATALOGUE.values() if i.system == "field")


Counts = tuple[int, ...]
SOME = st.integers(0, 60) | st.integers(0, 6)


def texts(counts: Iterable[int]) -> list[str]:
    """What a passer-by reads of counts of whatever: units, classes, days, other figures, the whole locality."""
    return [told(reading(count), whole) for count in counts for whole in (True, False)]


def alike(counts: Counts, shown: Callable[[Counts], Iterable[int]]) -> list[Counts]:
    """All that the counts may be for who reads `shown`: each within its step."""
    read, lows = texts(shown(counts)), [count - count % SMALL for count in counts]
    worlds = product(*(range(low, low + SMALL) for low in lows))
    return [world for world in worlds if texts(shown(world)) == read]


@pytest.mark.parametrize(
    "shown",
    [
        lambda c: (c[0] + c[1] + c[2], c[0], c[1]),  # a unit's own page, and another's: the third is left
        lambda c: (c[0] + c[1], c[0], c[1]),  # 22 received by hotline, 42 in all; a week of a month
        lambda c: (c[0] + c[1] + c[2], c[0] + c[1], c[0]),  # spans within spans: a day of a week of a month
    ],
)
@given(counts=st.tuples(SOME, SOME, SOME))
@examples(25)
def test_no_count_is_what_two_or_three_others_leave(counts: Counts, shown: Callable[[Counts], Iterable[int]]) -> None:
    for place, possible in enumerate(zip(*alike(counts, shown), strict=True)):
        assert len(set(possible)) > 1, f"the count at {place} can be told"


@given(counts=st.tuples(SOME, SOME, SOME, SOME))
@examples(8)
def test_nor_what_a_table_by_unit_and_class_leaves_with_all_its_sums(counts: Counts) -> None:
    def table(c: Counts) -> Iterable[int]:
        return (*c, c[0] + c[1], c[2] + c[3], c[0] + c[2], c[1] + c[3], sum(c))

    assert all(len(set(possible)) > 1 for possible in zip(*alike(counts, table), strict=True))


@dataclass(frozen=True)
class Page:
    """Some page's data."""

    head: Reading
    by_unit: tuple[Reading, ...]
    by_day: list[Reading]
    other: str = "text"


def test_all_that_a_page_has_read_is_covered() -> None:
    units = (reading(2, group="phuong_chon_thanh"), reading(12, group="xa_nha_bich"))
    page = Page(reading(14), units, [reading(1, group="2026-11-01")])
    assert shown_to(Account("a", "", "viewer"), page, True) is page
    shown = shown_to(PUBLIC, page, True)
    assert shown.head.value == 10 and shown.other == "text"
    assert [r.value for r in shown.by_unit] == [None, 10]
    assert [r.reason for r in shown.by_day] == [FEW]


def opened(events: int, value: int, code: str = "disease_cases") -> Explanation:
    """A figure opened, with one part and one source."""
    part = Part(1, "term", Sum("disease_cases"), Decimal(value), None)
    behind = Behind("/health/xa_nha_bich", "health", events, NOW, NOW)
    sample = [Evidence("/health", "CB-1", "t", "xa_nha_bich", NOW)]
    return Explanation(reading(value, code), None, Period.of(NOW), "", [part], [behind], events, sample)


def test_a_figure_of_people_opens_to_no_part_of_it_and_no_event() -> None:
    shown = shown_to(PUBLIC, opened(events=13, value=7), True)
    assert shown.reading.value == 5 and not shown.events and not shown.sample
    assert [part.value for part in shown.parts] == [None]
    assert [s.events for s in shown.sources] == [10]
    assert shown_to(PUBLIC, opened(13, 3), True).sources == [], "with a source of its own it would be more than none"
    other = shown_to(PUBLIC, opened(13, 7, "dossiers_overdue"), True)
    assert [part.value for part in other.parts] == [7] and [s.events for s in other.sources] == [10]


CONCERNED = frozenset({"disease_cases", "dossiers_overdue"})
FOUND = Finding("orphan", "Chưa có tiếp nhận: 3 phản ánh", "", None, None, None, Decimal(3), Decimal(0), "", CONCERNED)


def test_the_page_of_a_figure_of_people_prints_no_exact_number() -> None:
    def page(account: Account, code: str) -> str:
        look = PageContext(account, "vi", cast(Poller, None))
        return render(look, shown_to(account, opened(13, 7, code), True), [FOUND])

    public = page(PUBLIC, "disease_cases")
    assert ">● 5<" in public and "chính xác" not in public and "3 phản ánh" not in public
    assert ">10<" in public and ">13<" not in public
    assert "3 phản ánh" in page(PUBLIC, "dossiers_overdue") and ">10<" in page(PUBLIC, "dossiers_overdue")
    assert ">13<" in page(Account("a", "", "viewer"), "disease_cases")


def test_where_a_button_is_missing_stands_which_role_has_it() -> None:
    def tools(role: Role) -> str:
        return toolbar(
            PageContext(Account("a", "", role), "vi", cast(Poller, None)), ("comment", "assign"), "/worklist"
        )

    viewer, operator = tools("viewer"), tools("operator")
    assert "Ghi ý kiến: cần vai trò Trực ban (tài khoản này: Người xem)." in viewer
    assert "Giao xử lý: cần vai trò Lãnh đạo trực (tài khoản này: Người xem)." in viewer and "<form" not in viewer
    assert "Giao xử lý: cần vai trò Lãnh đạo trực (tài khoản này: Trực ban)." in operator
    assert "Ghi ý kiến: cần" not in operator and "/do/comment" in operator
    assert "cần vai trò" not in tools("supervisor")


# --- log-in ---


@pytest.mark.parametrize("target", ["/", "/people", "/system/health?unit=a&span=day", "/figure/ii06"])
def test_the_log_in_leads_back(target: str) -> None:
    assert inside(target) == target


@pytest.mark.parametrize(
    "target",
    ["", "people", "//evil.vn", "/\\evil.vn", "/\t/evil.vn", "\\/evil.vn", "https://evil.vn", "/a\r\nSet-Cookie: x=y",
     "/login?next=/", "/oidc/login", "javascript:alert(1)"],
)  # fmt: skip
def test_the_log_in_leads_nowhere_else(target: str) -> None:
    assert inside(target) == "/"


class Clock:
    """A clock that is set."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def tries(brake: Brake, many: int, name: str = "lan", address: str = "10.0.0.1") -> list[bool]:
    return [brake.take(name, address) for _ in range(many)]


def test_the_brake_holds_after_some_failures_and_lets_go() -> None:
    clock = Clock()
    brake = Brake(clock)
    assert tries(brake, PAIR + 2) == [True] * PAIR + [False] * 2
    assert brake.take("minh", "10.0.0.1")
    assert brake.take("lan", "10.0.0.2")
    clock.now += WITHIN_SECONDS
    assert brake.take("lan", "10.0.0.1")


def test_a_good_password_makes_up_for_the_failures_before() -> None:
    brake = Brake(Clock())
    for _ in range(3 * ADDRESS):
        assert brake.take("lan", "10.0.0.1")
        brake.forgive("lan", "10.0.0.1")


def test_many_addresses_or_many_names_are_no_way_around_the_brake() -> None:
    brake = Brake(Clock())
    assert sum(brake.take("lan", f"10.0.0.{i}") for i in range(3 * NAME)) == NAME
    assert sum(brake.take(f"name{i}", "10.0.1.1") for i in range(3 * ADDRESS)) == ADDRESS


def test_where_the_owner_was_before_strangers_elsewhere_and_beside_do_not_count() -> None:
    brake = Brake(Clock())
    for i in range(3 * NAME):
        brake.take("lan", f"10.0.0.{i}")
        brake.take(f"name{i}", "10.0.1.1")
    assert not brake.take("lan", "10.0.1.1")
    assert [brake.take("lan", "10.0.1.1", known=True) for _ in range(PAIR + 1)] == [True] * PAIR + [False]


@pytest.mark.parametrize(
    ("address", "place"),
    [("10.0.0.1", "10.0.0.1"), ("::ffff:10.0.0.1", "10.0.0.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
     ("fe80::1%eth0", "fe80::/64"), ("", ""), ("unix", "unix")],
)  # fmt: skip
def test_whoever_has_one_address_of_a_network_has_them_all(address: str, place: str) -> None:
    assert place_of(address) == place


def test_no_network_and_no_long_name_is_a_way_around_the_brake() -> None:
    brake = Brake(Clock())
    assert sum(brake.take(f"name{i}", f"2001:db8::{i:x}") for i in range(3 * ADDRESS)) == ADDRESS
    assert sum(brake.take("x" * 40 + str(i), "10.0.0.1") for i in range(3 * PAIR)) == PAIR


@pytest.mark.parametrize(
    ("address", "safe"),
    [("https://id.example.vn", True), ("http://127.0.0.1:9000", True), ("http://localhost", True),
     ("http://id.example.vn", False), ("http://127.0.0.1.example.vn", False), ("ftp://127.0.0.1", False),
     (None, False)],
)  # fmt: skip
def test_a_provider_is_asked_by_tls_or_on_this_machine(address: str | None, safe: bool) -> None:
    assert oidc.is_safe(address) is safe


@pytest.mark.parametrize(
    "wrong",
    [{"oidc_issuer": "http://id.example.vn"}, {"oidc_issuer": "https://id.example.vn", "oidc_groups": {"a": "root"}}],
)
def test_a_provider_that_is_not_to_be_trusted_stops_the_board(wrong: dict[str, Any]) -> None:
    settings = Settings(**wrong)
    with pytest.raises(SystemExit, match="board: IOC_OIDC_"):
        oidc.provider_of(settings), oidc.table_of(settings.oidc_groups)


HTTPS = {name: f"https://id.example.vn/{name}" for name in oidc.WAYS}


def test_all_ways_to_a_provider_are_to_be_safe_and_it_needs_no_way_out() -> None:
    oidc.check_ways(HTTPS)
    oidc.check_ways({name: way for name, way in HTTPS.items() if name != oidc.WAY_OUT})
    for name in oidc.WAYS:
        with pytest.raises(ValueError, match=name):
            oidc.check_ways({**HTTPS, name: f"http://id.example.vn/{name}"})
    with pytest.raises(ValueError, match="token_endpoint"):
        oidc.check_ways({name: way for name, way in HTTPS.items() if name != "token_endpoint"})


def test_the_way_out_of_a_provider_leads_back() -> None:
    back = "https://ioc.example.vn/login"
    assert oidc.way_out({}, "ioc", "a b", back) is None
    out = oidc.way_out({oidc.WAY_OUT: "https://id.example.vn/end?realm=x"}, "ioc", "a b", back)
    assert out is not None and out.startswith("https://id.example.vn/end?realm=x&")
    assert dict(parse_qsl(urlsplit(out).query)) == {
        "realm": "x", "client_id": "ioc", "logout_hint": "a b", "post_logout_redirect_uri": back,
    }  # fmt: skip


def test_an_alarm_had_better_be_given_to_its_units_own_who_have_least() -> None:
    def person(name: str, role: Role, *units: str, disabled: bool = False) -> accounts.Row:
        return accounts.Row(name, name, role, list(units), True, None, False, disabled, NOW, None)

    ward = "phuong_chon_thanh"
    viewer, gone = person("a", "viewer", ward), person("b", "operator", ward, disabled=True)
    everywhere, elsewhere = person("c", "operator"), person("d", "operator", "phuong_minh_hung")
    busy, free, head = person("e", "operator", ward), person("f", "operator", ward), person("g", "supervisor", ward)
    all_of_them = [viewer, gone, everywhere, elsewhere, head, busy, free]
    assert accounts.suggested(all_of_them, ward, {"e": 2}) == free
    assert accounts.suggested([*all_of_them[:4], head], ward, {"g": 9}) == head
    assert accounts.suggested(all_of_them, "all", {}) == everywhere
    assert accounts.suggested([viewer, gone, elsewhere], ward, {}) is None
