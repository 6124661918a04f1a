"""A dossier's clock: what stops it, what starts it again, by which date it is judged. All moments are of November 2026,
local; the 24th is a day off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.calendar import VN
from schemas.calendar_history import CalendarHistory
from schemas.fold import Fact, Folded, in_order
from schemas.procedures import payment_clock
from schemas.procedures.dossier import fold_dossier
from schemas.procedures.noted import noted_dossier

A, B, C = "phuong_chon_thanh", "phuong_minh_hung", "xa_nha_bich"
RESULT = {"paper_result": True, "electronic_result": False}
FAR = datetime(2027, 6, 1, tzinfo=VN)


def at(day: int, hour: float = 9, month: int = 11) -> datetime:
    return datetime(2026, month, day, tzinfo=VN) + timedelta(hours=hour)


def fact(event: str, time: datetime, unit: str = A, **data: Any) -> Fact:
    name = event if "." in event else f"dossier.{event}"
    return Fact(time, f"{name} {time.isoformat()} {data}", name, unit, "real", data)


def accepted(time: datetime, unit: str = A, **data: Any) -> Fact:
    flags = dict.fromkeys(("components", "digitised_components", "reused_components", "store_components"), 0)
    return fact("accepted", time, unit, **flags, **(data or {"limit_days": 3}))


def asked(time: datetime, kind: str = "fee", amount: int = 50_000) -> Fact:
    return fact("payment_requested", time, kind=kind, amount=amount)


def paid(time: datetime, kind: str = "fee", amount: int = 50_000, method: str = "cash") -> Fact:
    return fact("payment.made", time, kind=kind, amount=amount, method=method)


def resolved(time: datetime, unit: str = A) -> Fact:
    return fact("resolved", time, unit, **RESULT)


def step(name: str, day: int, hour: float = 9) -> Fact:
    return fact(name, at(day, hour))


def fold(*life: Fact) -> Folded:
    return fold_dossier("H10.12-261109-0001", in_order(life), CalendarHistory())


def noted(*life: Fact) -> list[str]:
    return [note.key for note in noted_dossier("H10.12-261109-0001", in_order(life), CalendarHistory()).notes]


def due(*life: Fact) -> datetime | None:
    found = fold(*life).due_at
    return found and found.astimezone(VN)


def count(life: Sequence[Fact], measure: str, until: datetime = FAR, unit: str | None = None, **labels: str) -> int:
    return sum(
        int(p.value)
        for p in fold(*life).points
        if p.measure == measure
        and p.time <= until
        and unit in (None, p.unit)
        and labels.items() <= dict(p.labels).items()
    )


def overdue(life: Sequence[Fact], until: datetime) -> int:
    return count(life, "dossiers_pressing", until, stage="overdue")


def outcome(*life: Fact) -> dict[str, int]:
    found = Counter[str]()
    for p in fold(*life).points:
        if p.measure == "dossiers_ended":
            found[dict(p.labels)["outcome"]] += int(p.value)
    return {name: number for name, number in found.items() if number}


def test_a_pause_that_is_left_is_no_end() -> None:
    life = [accepted(at(16)), step("stopped", 17), step("processing_started", 18)]
    folded = fold(*life)
    assert (folded.ended_at, folded.status, folded.due_at) == (None, "processing_started", at(20))
    assert [count(life, "dossiers_ended", moment) for moment in (at(17), at(18, 8.9), at(18))] == [1, 1, 0]
    assert [overdue(life, moment) for moment in (at(20, 23), at(21, 0))] == [0, 1]
    assert folded.state["waits"] == [["pause", *(f.time.isoformat() for f in life[1:])]]


def test_a_stop_that_nobody_leaves_is_an_end_and_a_second_one_ends_what_went_on() -> None:
    life = [accepted(at(16)), step("stopped", 17)]
    assert outcome(*life) == {"early": 1}
    life += [step("processing_started", 18), step("stopped", 19)]
    assert fold(*life).ended_at == at(19)
    assert count(life, "dossiers_ended", result="stopped") == 1


def test_a_payment_awaited_stops_the_clock() -> None:
    life = [accepted(at(9)), asked(at(10)), paid(at(20)), resolved(at(21))]
    assert due(*life) == at(25)
    assert outcome(*life) == {"early": 1}
    assert count(life, "processing_minutes") == 840, "a day before the wait, the rest of Friday, none on Saturday"


@pytest.mark.parametrize("method", ["cash", "portal", "card"])
def test_a_payment_by_any_method_and_handling_that_goes_on_end_the_wait(method: str) -> None:
    begun = [accepted(at(9)), asked(at(10))]
    assert fold(*begun).state["waiting"]
    assert due(*begun, paid(at(12), method=method)) == at(16)
    assert due(*begun, step("processing_started", 12)) == at(16)
    assert outcome(*begun, resolved(at(19))) == {"early": 1}


def test_what_was_paid_before_it_was_asked_for_is_not_awaited() -> None:
    life = [accepted(at(9)), paid(at(10)), asked(at(11))]
    assert due(*life) == at(12)
    assert not fold(*life).state["waiting"]
    assert fold(*life, asked(at(11, 10))).state["waiting"], "a second fee is another one"


def test_a_payment_asked_for_twice_is_one_wait_and_another_kind_another() -> None:
    life = [accepted(at(9)), asked(at(10)), asked(at(11))]
    assert due(*life, paid(at(12))) == at(16)
    life = [accepted(at(9)), asked(at(10)), asked(at(11), "tax"), paid(at(12))]
    assert fold(*life).state["waiting"]
    assert due(*life, paid(at(13), "tax")) == at(17)


def test_a_payment_is_awaited_until_all_of_it_is_paid() -> None:
    begun = [accepted(at(9)), asked(at(10)), paid(at(11), amount=20_000)]
    assert fold(*begun).state["waiting"]
    assert due(*begun, paid(at(12), amount=30_000)) == at(16)
    assert due(*begun, step("processing_started", 12)) == at(16)
    assert due(accepted(at(9)), paid(at(10), amount=20_000), asked(at(11)), paid(at(12), amount=30_000)) == at(13)


def test_a_payment_that_comes_after_handling_went_on_answers_what_had_been_asked_for() -> None:
    begun = [accepted(at(9)), asked(at(10)), step("processing_started", 11), paid(at(11, 10))]
    assert due(*begun) == at(13)
    assert fold(*begun, asked(at(12))).state["waiting"], "a second fee is another one"


def test_the_clock_runs_again_when_all_waits_are_over_and_none_is_counted_twice() -> None:
    life = [accepted(at(9)), step("supplement_requested", 10), asked(at(11)), step("supplement_received", 12)]
    assert due(*life, paid(at(13))) == at(17)
    life = [accepted(at(9)), step("supplement_requested", 10), step("stopped", 11), step("processing_started", 12)]
    assert fold(*life).state["waiting"]
    assert due(*life, step("supplement_received", 13)) == at(17)
    received = [accepted(at(9)), step("stopped", 10), step("supplement_requested", 11), step("supplement_received", 12)]
    assert due(*received, step("processing_started", 13)) == at(17)


def test_two_supplements_in_a_row_each_move_the_date() -> None:
    life = [accepted(at(9)), step("supplement_requested", 10), step("supplement_received", 11)]
    life += [step("supplement_requested", 11, 10), step("supplement_received", 12, 10)]
    assert due(*life) == at(16)


def test_handling_that_goes_on_after_papers_were_asked_for_has_them() -> None:
    assert due(accepted(at(9)), step("supplement_requested", 10), step("processing_started", 12)) == at(16)


def test_an_extension_or_a_new_promise_does_not_end_a_wait() -> None:
    begun = [accepted(at(9)), step("supplement_requested", 10)]
    begun.append(fact("extended", at(11), promised_at=at(16, 17).isoformat()))
    assert fold(*begun).state["waiting"]
    assert overdue(begun, at(19)) == 0
    life = [*begun, step("supplement_received", 20)]
    assert due(*life) == at(26, 17), "seven working days after the 16th, the 24th is off"
    again = [accepted(at(9)), step("supplement_requested", 10), accepted(at(11), promised_at=at(16, 17).isoformat())]
    assert fold(*again).state["waiting"]


def test_a_wait_over_tet_moves_the_date_by_working_time_alone() -> None:
    begun, came = datetime(2027, 2, 3, 9, tzinfo=VN), datetime(2027, 2, 15, 9, tzinfo=VN)
    life = [accepted(datetime(2027, 2, 2, 9, tzinfo=VN)), fact("supplement_requested", begun)]
    left = CalendarHistory().at(came).add_working_time(came, timedelta(hours=16))
    assert due(*life, fact("supplement_received", came)) == left


def test_a_wait_that_begins_too_late_undoes_no_lateness() -> None:
    life = [accepted(at(9)), asked(at(16)), paid(at(18))]
    assert [overdue(life, moment) for moment in (at(13), at(17), at(19))] == [1, 1, 1]
    assert outcome(*life, resolved(at(18, 10))) == {"overdue": 1}


def test_a_wait_that_begins_on_the_due_day_after_closing_keeps_the_day() -> None:
    begun = [accepted(at(9), promised_at=at(12, 17).isoformat()), asked(at(12, 18))]
    assert [overdue(begun, moment) for moment in (at(13), at(17))] == [0, 0]
    assert outcome(*begun, resolved(at(17))) == {"on_time": 1}
    assert outcome(*begun, paid(at(17)), resolved(at(17, 10))) == {"on_time": 1}


def test_a_wait_that_begins_between_the_due_day_and_the_next_opening_mends_nothing() -> None:
    begun = [accepted(at(9), promised_at=at(12, 17).isoformat()), asked(at(13, 6)), paid(at(17))]
    assert [overdue(begun, moment) for moment in (at(13, 1), at(17))] == [1, 1]
    assert outcome(*begun, resolved(at(17, 10))) == {"overdue": 1}


def test_a_wait_without_length_and_papers_that_nobody_asked_for_change_nothing() -> None:
    now = at(10)
    assert due(accepted(at(9)), asked(now), paid(now)) == at(12)
    assert due(accepted(at(9)), fact("supplement_requested", now), fact("supplement_received", now)) == at(12)
    assert due(accepted(at(9)), step("supplement_received", 10)) == at(12)


def test_withdrawn_during_a_wait_it_ended_in_time() -> None:
    life = [accepted(at(9)), step("supplement_requested", 10), step("withdrawn", 20)]
    assert outcome(*life) == {"early": 1}
    assert fold(*life).state["waits"][0][2] is not None


def test_an_office_says_for_which_procedures_a_payment_stops_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payment_clock, "_rules", dict(payment_clock._rules))
    payment_clock.add(["procedure,stops_clock", "2.000815,0"])
    begun = [accepted(at(9), limit_days=3, procedure="2.000815"), asked(at(10)), paid(at(12))]
    assert due(*begun) == at(12)
    for wrong in ("2.000815,2", "rubbish,1", "2.000815,1\n2.000815,0"):
        with pytest.raises(ValueError, match="row"):
            payment_clock.read_rules(["procedure,stops_clock", *wrong.split("\n")])


def test_a_promise_made_again_moves_no_due_date_and_is_counted() -> None:
    later = accepted(at(17), promised_at=at(25, 17).isoformat())
    life = [accepted(at(9)), later]
    folded = fold(*life)
    assert folded.due_at == at(12)
    assert [overdue(life, moment) for moment in (at(16), at(18))] == [1, 1]
    assert count(life, "dossiers_repromised") == 1
    assert datetime.fromisoformat(folded.state["promised"]) == at(25, 17)
    [[code, key, details]] = folded.state["findings"]
    assert (code, key, details["unit"]) == ("repromised", later.key, A)
    assert datetime.fromisoformat(details["old"]) == at(12)
    assert outcome(*life, resolved(at(18))) == {"overdue": 1}


@pytest.mark.parametrize(
    "again",
    [
        accepted(at(10), promised_at=at(11, 17).isoformat()),
        accepted(at(10), promised_at=at(20, 17).isoformat()),
        accepted(at(10), B, promised_at=at(20, 17).isoformat()),
        accepted(at(10), limit_days=9),
    ],
)
def test_a_promise_made_again_earlier_before_it_is_due_or_by_another_unit(again: Fact) -> None:
    life = [accepted(at(9)), again]
    assert fold(*life).due_at == at(12)
    assert count(life, "dossiers_repromised") == 1


def test_the_same_date_again_is_a_repetition() -> None:
    life = [accepted(at(9)), accepted(at(10), promised_at=at(12, 17).isoformat()), accepted(at(9, 10))]
    assert count(life, "dossiers_repromised") == 0
    assert "findings" not in fold(*life).state
    waited = [accepted(at(9)), asked(at(10)), paid(at(12)), accepted(at(13), promised_at=at(16, 17).isoformat())]
    assert count(waited, "dossiers_repromised") == 0, "the date as the wait has moved it"


def codes(*life: Fact) -> list[str]:
    return [code for code, _, _ in fold(*life).state.get("findings", [])]


def test_what_a_supervisor_should_see_is_named() -> None:
    first, second = (fact("extended", at(day), promised_at=at(10 + day, 17).isoformat()) for day in (11, 12))
    assert codes(accepted(at(9)), first) == []
    assert codes(accepted(at(9)), first, second) == ["extended_again"]
    assert codes(accepted(at(9)), resolved(at(11)), resolved(at(13))) == ["ended_again"]
    assert codes(accepted(at(9)), resolved(at(11)), step("processing_started", 12)) == ["went_back"]


@pytest.mark.parametrize(
    ("code", "office"),
    [
        ("H19-261109-0001", False), ("H19.00-261109-0001", False), ("000.00.00.H19-261109-0001", False),
        ("H19.12-261109-0001", True), ("H19.00.7-261109-0001", True), ("000.01.12.H19-261109-0001", True),
    ],
)  # fmt: skip
def test_an_acceptance_by_a_unit_that_nothing_joins_to_the_first_is_shown_where_the_code_names_no_office(
    code: str, office: bool
) -> None:
    def shown(*life: Fact) -> list[str]:
        state = fold_dossier(code, in_order(life), CalendarHistory()).state
        return [key for found, key, _ in state.get("findings", []) if found == "accepted_elsewhere"]

    mine, theirs, third = accepted(at(9)), accepted(at(9, 10), B), accepted(at(10), C)
    assert shown(mine, theirs) == ([] if office else [theirs.key])
    assert len(shown(mine, theirs, third, accepted(at(10, 11)))) == (0 if office else 2)
    assert shown(mine, accepted(at(9, 10))) == [], "the same unit again"
    assert len(shown(mine, accepted(at(9), B))) == 1, "nothing is handed on in no time, whatever the code names"
    assert shown(accepted(at(9), "dong_nai"), accepted(at(9), B)) == [], "told by both offices on its way"
    assert shown(accepted(at(9), "dong_nai"), accepted(at(9, 10), B)) == [], "handed down"
    assert shown(accepted(at(9), B), accepted(at(9, 10), "dong_nai")) == [], "taken up"
    early = datetime(2025, 6, 27, 9, tzinfo=VN)
    assert shown(accepted(early, "chon_thanh_minh_hung"), accepted(at(9), B)) == [], "its successor"


def test_a_letter_of_apology_that_is_told_again_under_another_id_is_one() -> None:
    letter, corrected = (fact("extended", at(11), promised_at=at(day, 17).isoformat()) for day in (18, 19))
    again = letter._replace(key=letter.key + "z")
    life = [accepted(at(9)), letter, again]
    assert (count(life, "dossiers_extended"), codes(*life), noted(*life)) == (1, [], [again.key])
    life = [accepted(at(9)), letter, corrected]
    assert (count(life, "dossiers_extended"), codes(*life), noted(*life)) == (2, ["extended_again"], [])
    assert fold(*life).due_at == at(19, 17)


def test_what_is_told_during_a_pause_is_not_too_late() -> None:
    asked_for, received = step("supplement_requested", 11), step("supplement_received", 12)
    ended = [accepted(at(9)), step("stopped", 10), asked_for, received]
    assert (codes(*ended), noted(*ended)) == (["went_back"], [])
    assert fold(*ended).state["waits"] == [["supplement", *(f.time.isoformat() for f in (asked_for, received))]]
    paused = [*ended, step("processing_started", 13)]
    assert (codes(*paused), noted(*paused)) == ([], [])
    waited = [accepted(at(9)), step("supplement_requested", 10), step("stopped", 11), received]
    assert noted(*waited) == noted(*waited, step("processing_started", 13)) == []
    assert noted(*ended[:2], received) == [received.key], "papers that nobody had asked for"


def test_a_filing_that_is_told_as_later_than_what_followed_is_no_step_back() -> None:
    filed = fact("submitted", at(9, 10), procedure="2.000815", field="justice", channel="online")
    assert fold(accepted(at(9)), filed).status == "accepted"
    assert fold(filed).status == "submitted"


@pytest.mark.parametrize("filed", [True, False])
def test_what_was_resolved_before_it_was_accepted_ended_early_and_took_no_time(filed: bool) -> None:
    filing = [fact("submitted", at(9), procedure="2.000815", field="justice", channel="online")] if filed else []
    life = [*filing, resolved(at(10)), accepted(at(11), promised_at=at(20, 17).isoformat())]
    assert outcome(*life) == {"early": 1}
    assert (count(life, "dossiers_processed"), count(life, "processing_minutes")) == (0, 0)


def balance(life: Sequence[Fact], unit: str, until: datetime) -> tuple[int, int]:
    return count(life, "dossiers_received", until, unit), count(life, "dossiers_ended", until, unit)


def test_who_accepts_a_dossier_handles_it_from_then_on() -> None:
    filed = fact("submitted", at(9), procedure="2.000815", field="justice", channel="online")
    life = [filed, accepted(at(10), B), resolved(at(17), B)]
    assert fold(*life).unit == B
    assert [balance(life, unit, at(9, 10)) for unit in (A, B)] == [(1, 0), (0, 0)]
    assert [balance(life, unit, at(16)) for unit in (A, B)] == [(0, 0), (1, 0)]
    assert [balance(life, unit, FAR) for unit in (A, B)] == [(0, 0), (1, 1)]
    assert [count(life, "dossiers_pressing", at(16), unit, stage="overdue") for unit in (A, B)] == [0, 1]


def test_who_takes_up_what_its_predecessor_began_has_it() -> None:
    opened = datetime(2025, 6, 27, 9, tzinfo=VN)
    life = [accepted(opened, "chon_thanh_minh_hung", promised_at=(opened + timedelta(days=20)).isoformat())]
    life.append(resolved(opened + timedelta(days=10), B))
    assert fold(*life).unit == B
    assert [balance(life, unit, FAR) for unit in ("chon_thanh_minh_hung", B)] == [(0, 0), (1, 1)]
    assert fold(life[0], resolved(at(10), C)).unit == "chon_thanh_minh_hung", "a stranger's word hands nothing over"


# --- index 766 ---


def asked_again(life: Sequence[Fact], until: datetime = FAR, state: str = "open") -> int:
    return count(life, "dossiers_asked_again", until, state=state)


TWICE = (accepted(at(2)), step("supplement_requested", 3), step("supplement_requested", 4))
"""Accepted on the 2nd with three days, which stand from the 3rd on."""


def test_a_dossier_asked_for_supplements_more_than_once_counts_until_its_end() -> None:
    once = TWICE[:2]
    assert asked_again(once) == asked_again(TWICE, at(4, 8)) == 0 and asked_again(TWICE, at(4)) == 1
    done = (*TWICE, resolved(at(5)))
    assert (asked_again(done, at(4, 23)), asked_again(done, at(5)), asked_again(done, state="ended")) == (1, 0, 0)
    for end in ("refused", "withdrawn", "stopped"):
        left = (*TWICE, step(end, 5))
        assert (asked_again(left), asked_again(left, state="ended")) == (0, 1), end
    late = (*TWICE, step("supplement_received", 4, 10), step("withdrawn", 28))
    assert outcome(*late) == {"overdue": 1} and asked_again(late, state="ended") == 0, "it is overdue already"


def test_a_dossier_asked_again_and_overdue_counts_once() -> None:
    life = (*TWICE, step("supplement_received", 4, 10))
    for day in range(4, 25):
        assert asked_again(life, at(day, 23)) + overdue(life, at(day, 23)) == 1, day
    assert overdue(life, at(20)) == 1
    extended = (*life, fact("extended", at(20), promised_at=at(27, 17).isoformat()))
    assert [asked_again(extended, at(day, 23)) for day in (19, 20, 26, 28)] == [0, 1, 1, 0]
    assert overdue(extended, at(28, 23)) == 1


def test_a_dislike_counts_once_and_only_of_what_was_not_late() -> None:
    bad, worse = (fact("rated", at(day), score=score) for day, score in ((6, 2), (7, 1)))
    in_time = (accepted(at(2)), resolved(at(3)), bad, worse)
    assert (count(in_time, "dossiers_disliked", at(5)), count(in_time, "dossiers_disliked")) == (0, 1)
    assert count((accepted(at(2)), resolved(at(3)), fact("rated", at(6), score=3)), "dossiers_disliked") == 0
    assert count((accepted(at(2)), bad), "dossiers_disliked") == 0, "it has not ended"
    assert count((accepted(at(2)), resolved(at(16)), fact("rated", at(17), score=1)), "dossiers_disliked") == 0


def test_procedures_with_a_fee_are_told_apart_by_whether_it_was_paid_online() -> None:
    about = {"procedure": "1.000001", "limit_days": 3}
    life = (accepted(at(2), **about), asked(at(3)), paid(at(4), method="portal"))
    assert [count(life, "procedure_fees", paid=how, procedure="1.000001") for how in ("any", "online")] == [1, 1]
    assert count((accepted(at(2), **about), paid(at(4))), "procedure_fees", paid="online") == 0
    assert count((accepted(at(2)), asked(at(3))), "procedure_fees") == 0, "of no known procedure"


@pytest.mark.parametrize("event", ["resolved", "returned", "refused", "withdrawn", "stopped", "extended"])
@pytest.mark.parametrize(("unit", "shown"), [(A, False), ("dong_nai", False), (B, True)])
def test_what_decides_over_lateness_is_seen_where_a_stranger_tells_it(event: str, unit: str, shown: bool) -> None:
    """Whoever may speak for one ward could end the late dossiers of another."""
    more = {"extended": {"promised_at": at(30, 17).isoformat()}, "resolved": RESULT}.get(event, {})
    told = fact(event, at(13), unit, **more)
    found = [key for code, key, _ in fold(accepted(at(9)), told).state.get("findings", []) if code == "told_elsewhere"]
    assert found == ([told.key] if shown else [])
    handed_on = fold(accepted(at(9)), accepted(at(12), B), told).state.get("findings", [])
    assert "told_elsewhere" not in [code for code, _, _ in handed_on]
