"""Through which portal a dossier came: what is said of it, else what its code tells by the table of portals."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.calendar import VN
from schemas.calendar_history import CalendarHistory
from schemas.fold import Fact, Folded, in_order
from schemas.indicators.label_texts import PORTALS as WORDS
from schemas.procedures import office_rules, portals
from schemas.procedures.dossier import fold_dossier, portals_told

MONDAY = datetime(2026, 11, 9, 9, tzinfo=VN)
FILED = {"procedure": "2.000815", "field": "justice", "channel": "online", "online_level": "full"}
PAPERS = dict.fromkeys(("components", "digitised_components", "reused_components", "store_components"), 0)


def fact(event: str, hours: float = 0, **data: Any) -> Fact:
    time = MONDAY + timedelta(hours=hours)
    return Fact(time, f"{event} {hours} {data}", f"dossier.{event}", "phuong_chon_thanh", "real", data)


def submitted(hours: float = 0, **data: Any) -> Fact:
    return fact("submitted", hours, **FILED, **data)


def accepted(hours: float = 1, **data: Any) -> Fact:
    return fact("accepted", hours, limit_days=3, **PAPERS, **data)


def fold(code: str, *life: Fact) -> Folded:
    return fold_dossier(code, in_order(life), CalendarHistory())


def counted(folded: Folded) -> dict[str, int]:
    """Portal -> dossiers received."""
    found: dict[str, int] = {}
    for p in folded.points:
        if p.measure == "dossiers_received":
            name = dict(p.labels)["portal"]
            found[name] = found.get(name, 0) + int(p.value)
    return {name: number for name, number in found.items() if number}


@pytest.mark.parametrize(
    ("number", "portal"),
    [
        ("0001", "provincial"),
        ("150001", "ministry_justice"),
        ("1800001", "ministry_health"),
        ("990001", "none"),
        ("00001", "none"),
        ("15000001", "none"),
    ],
)
def test_a_code_tells_of_the_portal_by_its_number(number: str, portal: str) -> None:
    for office in ("H10.12", "000.12.34.H10"):
        assert portals.by_code(f"{office}-261109-{number}") == portal


def test_what_is_said_wins_and_all_figures_of_a_dossier_are_split_by_it() -> None:
    code = "H10.12-261109-0001"
    folded = fold(
        code, submitted(portal="national"), accepted(), fact("resolved", 5, electronic_result=True, paper_result=True)
    )
    assert counted(folded) == {"national": 1}
    split = {p.measure for p in folded.points if ("portal", "national") in p.labels}
    assert split == {"dossiers_received", "dossiers_pressing", "dossiers_ended"}
    assert (folded.state["portal"], folded.state["portal_by"]) == ("national", "stated")
    assert counted(fold(code, accepted(portal="own"))) == {"own": 1}
    by_code = fold(code, submitted(), accepted())
    assert (by_code.state["portal"], by_code.state["portal_by"]) == ("provincial", "code")
    unknown = fold("H10.12-261109-00001", submitted())
    assert counted(unknown) == {"none": 1} and "portal" not in unknown.state


def test_what_is_said_after_the_beginning_changes_no_figure_of_before() -> None:
    life = submitted(), accepted(portal="national")
    assert counted(fold("H10.12-261109-0001", *life)) == {"provincial": 1}


def test_a_number_of_another_form_counts_alike_once_the_portal_is_said() -> None:
    """What erasing does: no code tells it any more."""
    code, alias = "H10.12-261109-0001", "H10.12-260000-12345678"
    for life in ([submitted(), accepted()], [accepted(), accepted(portal="national")], [submitted(9), accepted()]):
        told = portals_told(code, life)
        after = [f._replace(data={"portal": told[f.key]} | f.data) for f in life]
        assert [p[:7] for p in fold(alias, *after).points] == [p[:7] for p in fold(code, *life).points]


def test_an_office_adds_rows_and_takes_some_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portals, "_rules", dict(portals._rules))
    before = office_rules()
    portals.add(["number;portal", "####;none", "77######;own"])
    assert office_rules() != before, "folds of another table are other folds"
    assert counted(fold("H10.12-261109-0001", submitted())) == {"none": 1}
    assert counted(fold("H10.12-261109-77000001", submitted())) == {"own": 1}
    for wrong in ("###,own", "#########,own", "#1##,own", "####,moon", "####,own\n####,own"):
        with pytest.raises(ValueError, match="row"):
            portals.read_rules(["number,portal", *wrong.split("\n")])


def test_every_portal_has_words() -> None:
    assert set(WORDS) == set(portals.PORTALS)
