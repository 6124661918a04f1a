"""Who may do what on the board, what a screen without login hides, and the brake on those who try passwords."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from schemas.indicators import CATALOGUE
from services.board import oidc
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
    suppressed,
    veiled,
)
from services.board.login import ADDRESS, NAME, PAIR, WITHIN_SECONDS, Brake, inside, place_of
from services.board.public import shown_to
from services.kit.settings import Settings
from services.readings import Reading

MAY: dict[Role, set[str]] = {
    "public": set(),
    "viewer": {"cases"},
    "operator": {"cases", "acknowledge", "comment", "extend"},
    "supervisor": {"cases", "acknowledge", "comment", "extend", "assign", "close", "resubmit"},
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


def reading(value: int | None, code: str = "disease_cases", group: str = "") -> Reading:
    return Reading(CATALOGUE[code], group, None if value is None else Decimal(value), None, frozenset({"real"}))


@pytest.mark.parametrize(("value", "hidden"), [(0, False), (1, True), (SMALL - 1, True), (SMALL, False), (None, False)])
def test_small_counts_of_people_in_a_unit_are_hidden(value: int | None, hidden: bool) -> None:
    assert suppressed(reading(value), "phuong_chon_thanh") is hidden
    assert not suppressed(reading(value), None)
    assert not suppressed(reading(value, "dossiers_overdue"), "phuong_chon_thanh")


def test_shares_and_means_of_a_unit_do_not_tell_of_a_few() -> None:
    assert suppressed(reading(50, "reports_in_time_share"), "phuong_chon_thanh")
    assert not suppressed(reading(50, "reports_in_time_share"), None)


def test_every_figure_about_the_ill_and_the_complaining_is_known_as_such() -> None:
    assert {i.system for i in CATALOGUE.values() if is_sensitive(i)} == {"health", "field"}
    assert all(is_sensitive(i) for i in CATALOGUE.values() if i.system == "field")


def test_one_hidden_part_cannot_be_found_by_subtraction() -> None:
    parts = [reading(3, group="a"), reading(40, group="b"), reading(9, group="c"), reading(0, group="d")]
    assert [r.value for r in veiled(parts, few=True)] == [None, 40, None, 0]
    assert veiled(parts, few=True)[0].reason == FEW
    assert [r.value for r in veiled(parts, few=False)] == [3, 40, 9, 0]
    assert [r.value for r in veiled([*parts, reading(2, group="e")], few=True)] == [None, 40, 9, 0, None]


@dataclass(frozen=True)
class Page:
    """Some page's data."""

    head: Reading
    by_unit: tuple[Reading, ...]
    by_day: list[Reading]
    other: str = "text"


def test_all_that_a_page_has_read_is_covered() -> None:
    units = (reading(2, group="phuong_chon_thanh"), reading(1, group="xa_nha_bich"))
    page = Page(reading(3), units, [reading(1, group="2026-11-01")])
    assert shown_to(Account("a", "", "viewer"), page, None) is page
    whole = shown_to(PUBLIC, page, None)
    assert (whole.head.value, [r.value for r in whole.by_unit]) == (3, [None, None])
    assert [r.value for r in whole.by_day] == [1]
    one = shown_to(PUBLIC, page, "phuong_chon_thanh")
    assert (one.head.value, [r.value for r in one.by_day], one.other) == (None, [None], "text")


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
