"""What is sent next, and what becomes of a message that is not taken."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from test_notifier_plan import MONDAY, alarm

from services.notifier.queue import LATER, LATEST, Attempt, Row, all_failed, attempt, choose

PAUSES = (timedelta(seconds=5), timedelta(seconds=30))
SECOND = timedelta(seconds=1)


def row(id: int, about: int = 0, **changes: Any) -> Row:
    values = {
        "occasion": "raised:r/0", "person": "an", "digest": False, "try_at": MONDAY, "message": None, "tries": 0,
        "repeat": False, "alarm": alarm(id=about or id),
    }  # fmt: skip
    return Row(id=id, **(values | changes))


def chosen(*rows: Row) -> list[list[int]]:
    return [[one.id for one in message] for message in choose(rows, MONDAY, lambda one: one.tries >= 6)]


def test_a_channel_is_tried_with_pauses_then_the_next_then_all_again_later() -> None:
    found = [attempt(tries, 2, PAUSES) for tries in range(8)]
    none = timedelta()
    assert found[:6] == [Attempt(0, none), Attempt(0, PAUSES[0]), Attempt(0, PAUSES[1]), Attempt(1, none),
                         Attempt(1, PAUSES[0]), Attempt(1, PAUSES[1])]  # fmt: skip
    assert found[6:] == [Attempt(0, LATER), Attempt(0, PAUSES[0])]
    assert [all_failed(tries, 2, PAUSES) for tries in (5, 6)] == [False, True]
    assert attempt(6 * 100, 2, PAUSES) == Attempt(0, LATEST)
    assert attempt(1, 1, ()) == Attempt(0, LATER)


def test_one_message_to_each_person_and_one_alarm_in_it() -> None:
    assert chosen(row(1), row(2), row(3, about=1), row(4, person="binh")) == [[1, 3], [4]]


def test_many_at_once_are_joined_and_digests_come_last() -> None:
    many = [row(number) for number in range(1, 8)]
    assert chosen(*many, row(9, digest=True)) == [[1, 2, 3, 4, 5, 6, 7]]
    assert chosen(row(1, digest=True), row(2, digest=True)) == [[1, 2]]
    assert chosen(row(1, digest=True), row(2)) == [[2]]
    assert chosen(row(1, try_at=MONDAY + SECOND)) == []


def test_who_waits_for_a_message_to_be_tried_again_gets_no_other_before_unless_all_channels_fail() -> None:
    later = MONDAY + SECOND
    assert chosen(row(1, message=1, tries=1, try_at=later), row(2)) == []
    assert chosen(row(1, message=1, tries=1), row(5, message=1, tries=1), row(2)) == [[1, 5]]
    assert chosen(row(1, message=1, tries=6), row(2)) == [[2]]
    assert chosen(row(1, message=1, tries=6), row(2, message=2, tries=6)) == [[1]]


@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from("ab"), st.booleans()), max_size=30))
def test_in_the_end_everything_is_sent_once(given_rows: list[tuple[int, str, bool]]) -> None:
    left = [row(n, about, person=who, digest=small) for n, (about, who, small) in enumerate(given_rows, 1)]
    sent: list[int] = []
    while left:
        messages = choose(left, MONDAY, lambda one: False)
        assert messages and len({message[0].person for message in messages}) == len(messages)
        sent += [one.id for message in messages for one in message]
        left = [one for one in left if one.id not in sent]
    assert sorted(sent) == list(range(1, len(given_rows) + 1))


def test_alike_cases_of_a_unit_are_one_message_and_another_matter_is_its_own() -> None:
    def case(id: int, unit: str = "phuong_chon_thanh", kind: str = "dossier") -> Row:
        return row(id, alarm=alarm(id=id, unit=unit, kind=kind, entity=f"H99.1-260301-{id:04}"))

    assert chosen(case(1), case(2), case(3, unit="phuong_minh_hung"), case(4)) == [[1, 2, 4]]
    assert chosen(case(1, kind="incident"), case(2, kind="incident")) == [[1]]
    seven = [case(id) for id in range(1, 8)]
    assert chosen(*seven, row(9)) == [[1, 2, 3, 4, 5, 6, 7]]
