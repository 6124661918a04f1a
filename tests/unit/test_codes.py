"""The number of a case opens nothing outside: every kind of case, by every way out."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_notifier_plan import alarm

from schemas import contracts, registry
from schemas.codes import masked, masked_case, masked_id, masked_text
from schemas.types import DOSSIER, REFERENCE
from services.kit import clock
from services.kit.logs import FORMAT, Masked
from services.notifier.escalation import Occasion
from services.notifier.templates import About, Links, message

ROOT = Path(__file__).parents[2]
LINKS = Links("http://grafana", "http://notifier")
OCCASIONS: tuple[Occasion, ...] = get_args(Occasion)


def _cases() -> dict[str, str]:
    """Kind of entity -> the number of a case of it, for all kinds that a register numbers."""
    texts = [text for group in contracts.samples().values() for text in group.values()]
    events = [registry.parse(text.encode(), clock.now()) for text in texts]
    touched = {(entity.kind, entity.id) for event in events for entity in event.touches}
    return {kind: id for kind, id in sorted(touched) if re.fullmatch(DOSSIER, id) or REFERENCE.match(id)}


CASES = _cases() | {"dossier of a ministry": "000.12.34.H10-241120-12345678", "report in letters": "PA-CAUTREO"}


def logged(code: str) -> str:
    record = logging.LogRecord("x", logging.INFO, "", 0, "failed: %r at /reports/%s.", (code, code), None)
    return Masked(FORMAT).format(record)


def told_alone(code: str) -> str:
    about = alarm(kind="report", entity=code, originator=f"report:{code}/accept", vi=f"Quá hạn {code}")
    return "".join(
        part
        for occasion in OCCASIONS
        for repeat in (False, True)
        for part in message(1, [About(about, occasion)], LINKS, repeat)[:2]
    )


def told_together(code: str) -> str:
    alike = [alarm(id=n, kind="report", entity=code, originator=f"report:{code}", do_en=f"See {code}") for n in (1, 2)]
    return "".join(message(1, [About(one, occasion) for one in alike for occasion in OCCASIONS], LINKS)[:2])


WAYS: tuple[Callable[[str], str], ...] = (masked, told_alone, told_together)


def test_every_kind_that_is_numbered_is_walked() -> None:
    assert {"dossier", "report", "payment", "incident", "crisis", "disease", "outbreak", "alert"} <= CASES.keys()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("code", CASES.values(), ids=CASES.keys())
def test_no_way_out_tells_the_number(code: str, way: Callable[[str], str]) -> None:
    told, hidden = way(code), masked(code)
    assert code not in told and hidden in told and hidden.endswith("••••")
    assert code.rpartition("-")[2] not in told


@pytest.mark.parametrize("way", [logged, masked_text, masked_id])
@pytest.mark.parametrize("code", [code for code in CASES.values() if re.search(r"\d", code)])
def test_it_is_found_wherever_it_stands_in_a_text(code: str, way: Callable[[str], str]) -> None:
    for text in (code, f"{code}/overdue/2", f"/x/{code}", f"id='{code}'", f"({code}).", f"{code}, {code}-"):
        told = way(text)
        assert code not in told, text
        assert way is masked_id or masked(code) in told, text


def test_other_numbers_and_names_are_left_in_a_text() -> None:
    for text in ("12-345678-90, số 12", "UTF-8, SHA-256 và COVID-19", "2026-11-28 17:00", "nats://127.0.0.1:4222"):
        assert masked_text(text) == text


@given(st.text(alphabet="AHPX019.-_•/ ", max_size=40))
def test_masking_a_masked_text_changes_nothing(text: str) -> None:
    once = masked_text(text)
    assert masked_text(once) == once


@given(st.from_regex(rf"\A(?:{DOSSIER}|{REFERENCE.pattern[1:-1]})\Z"), st.sampled_from(["", "@phuong_chon_thanh"]))
def test_nothing_but_unit_and_year_or_the_register_is_left(code: str, office: str) -> None:
    dossier = re.fullmatch(DOSSIER, code)
    kept = code[: code.index("-") + 3] if dossier else code[: code.index("-") + 1]
    assert masked(code + office) == f"{kept}••••" + ("-••••" if dossier else "")


def test_one_module_masks() -> None:
    sources = [path for room in ("schemas", "services", "infra", "dashboards") for path in (ROOT / room).rglob("*.py")]
    told = {str(path.relative_to(ROOT)) for path in sources if "••" in path.read_text()}
    assert told == {"schemas/codes.py"}


def test_of_an_events_id_its_case_alone_is_left() -> None:
    assert masked_case("H57.25-241107-0001.accepted") == "H57.25-24••••-••••"
    assert masked_case("PA-1022.17-route/2024-11-07") == masked_case("PA-1022.18") == masked("PA-1022.17")
