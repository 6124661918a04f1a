"""What a key lets its holder say, and how the broker is told so."""

from __future__ import annotations

import asyncio
import json
import re
from base64 import b32decode, urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from nats.js.api import RawStreamMsg

from schemas import units
from schemas.broker_tokens import claims, signer
from schemas.envelope import Event
from schemas.keys import CENTRE, NAME, Bounds, Owners, parted, problem, subject_by, subject_of
from schemas.registry import DATA_TYPES, SYSTEMS, parse
from schemas.sources import EMITTERS, NOTICES, OF_ALL, OWN_ALONE, OWNED, RETRACTIONS, may_say, trespass
from schemas.streams import MOST_BYTES
from services.aggregator.aside import _reason
from services.board.pages.actions import decisions
from services.deadlines import notices
from services.ingest.callout import Callout, permissions
from services.ingest.keyring import Keyring
from services.ingest.onestop import events as onestop
from services.ingest.procedures import STATUSES
from services.ingest.spreadsheets.template import templates
from services.kit import clock, imports
from services.kit.keys import Key, digest
from services.simulator.district import truth
from services.simulator.november_2024 import shift

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
WARD = "phuong_chon_thanh"
CLINIC = Bounds("tram", "/tram", ("health",), (WARD,))


def event(**changed: Any) -> Event:
    said = {
        "specversion": "1.0",
        "id": "1",
        "source": "/tram",
        "type": "vn.ioc.visits.reported.v1",
        "time": "2026-11-24T10:00:00+07:00",
        "unit": WARD,
        "data": {"facility": "tram", "day": "2026-11-24", "visits": 2, "insured": 1},
    }
    return parse(json.dumps(said | changed).encode(), NOW)


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({}, None),
        ({"source": "/tram/khoa-noi"}, None),
        ({"source": "/tram2"}, "source"),
        ({"source": "/khac"}, "source"),
        ({"unit": "phuong_minh_hung"}, "unit"),
        (
            {
                "type": "vn.ioc.attendance.reported.v1",
                "data": {"school": "th_1", "day": "2026-11-24", "level": "primary", "enrolled": 2, "present": 1},
            },
            "type",
        ),
    ],
)
def test_a_key_speaks_as_itself_of_its_systems_and_units(changed: dict[str, Any], names: str | None) -> None:
    why = CLINIC.refusal(event(**changed))
    assert (why is None) if names is None else (why or "").startswith(names), why


def test_a_key_reports_the_past_of_what_its_unit_followed_upon() -> None:
    before = {"unit": "chon_thanh_minh_hung", "time": "2025-03-03T10:00:00+07:00"}
    said = event(**before, data={"facility": "tram", "day": "2025-03-03", "visits": 2, "insured": 1})
    above = Bounds("huyen", "/tram", ("health",), ("chon_thanh",))
    assert above.refusal(said) is None
    assert CLINIC.refusal(said) is not None


def test_what_holds_for_every_unit_is_no_key_of_some_units_to_say() -> None:
    """A ward that calls yesterday a day off would move the due dates of all others."""
    day_off = event(
        source="/mot-cua",
        type="vn.ioc.calendar.changed.v1",
        data={"day": "2026-11-25", "working": False, "name": "Nghỉ"},
    )
    ward, all_units = (Bounds("mot-cua", "/mot-cua", ("procedures",), units) for units in ((WARD,), ()))
    assert (ward.refusal(day_off) or "").startswith("type: calendar.changed holds for every unit")
    assert (Owners([ward]).trespass(day_off, "mot-cua") or "").startswith("type: ")
    assert all_units.refusal(day_off) is None


def key_of(bounds: Bounds) -> Key:
    return Key(bounds, 1, NOW, NOW, None, None, {})


def permits(rights: dict[str, list[str]], subject: str) -> bool:
    """As the broker reads a list of what is allowed and one of what is denied."""

    def is_among(patterns: list[str]) -> bool:
        return any(re.fullmatch(re.escape(one).replace(r"\*", "[^.]+"), subject) for one in patterns)

    return is_among(rights["allow"]) and not is_among(rights["deny"])


@pytest.mark.parametrize("systems", [("procedures",), ("health", "field"), tuple(SYSTEMS)], ids=len)
@pytest.mark.parametrize("roots", [(), (WARD,), ("binh_phuoc",)], ids=str)
def test_a_key_publishes_what_it_may_say_and_hears_its_own_answers(
    systems: tuple[str, ...], roots: tuple[str, ...]
) -> None:
    bounds = Bounds("mot-cua", "/mot-cua", systems, roots)
    rights = permissions(key_of(bounds))
    assert rights["sub"] == {"allow": ["_INBOX_mot-cua.>"]}
    for unit in (WARD, "phuong_minh_hung", "chon_thanh_minh_hung", "phuong_binh_phuoc"):
        for data in DATA_TYPES.values():
            subject = f"ioc.events.{unit}.{data.system}.{data.event}"
            may = data.system in systems and data.event not in OWN_ALONE
            may = may and (not roots or (unit in bounds.scope and data.event not in OF_ALL))
            assert permits(rights["pub"], subject_by(subject, "mot-cua")) == may, subject
            assert not permits(rights["pub"], subject)
            assert not permits(rights["pub"], subject_by(subject, "another"))
            assert not permits(rights["pub"], subject_by(subject, "mot-cua") + ".more")
    assert not permits(rights["pub"], "ioc.quarantine.health")
    assert not any(subject.endswith(NOTICES) for subject in bounds.subjects())


ROOTS = [unit.code for unit in units.every() if unit.parent is None]


@pytest.mark.parametrize("systems", [tuple(SYSTEMS), tuple(SYSTEMS)[1:], tuple(SYSTEMS)[:1]], ids=len)
@pytest.mark.parametrize("root", ROOTS)
def test_the_rights_of_every_root_fit_into_a_message_of_the_broker(root: str, systems: tuple[str, ...]) -> None:
    """They are told in a token within a token; the longest name that a key may have stands in each."""
    key, sign = key_of(Bounds("x" * 40, "/x", systems, (root,))), signer("password")
    answer = sign.token({"nats": {"jwt": sign.token({"nats": permissions(key)}, 0)}}, 0)
    assert len(answer) < 0.9 * MOST_BYTES


@pytest.mark.parametrize(("most", "enters"), [(MOST_BYTES, True), (500, False)])
def test_whose_rights_fit_into_no_message_is_refused_with_the_reason(
    most: int, enters: bool, caplog: pytest.LogCaptureFixture
) -> None:
    secret, now, sign = "iock_" + "x" * 43, clock.now(), signer("password")
    until = now + timedelta(days=1)
    keyring, answers = Keyring(cast(Any, None), 1e6), list[bytes]()
    keyring.know([Key(CLINIC, 1, now, until, None, None, {digest(secret): until})])

    async def nobody_is_connected(*_: Any, **__: Any) -> Any:
        return SimpleNamespace(data=b'{"server": {"id": "N"}, "data": {"connections": []}}')

    async def respond(answer: bytes) -> None:
        answers.append(answer)

    shown = {"server_id": {"id": "N"}, "user_nkey": "U", "connect_opts": {"user": CLINIC.name, "pass": secret}}
    asked = SimpleNamespace(data=sign.token({"nats": shown}, 0).encode(), respond=respond)
    broker, system = SimpleNamespace(max_payload=most), SimpleNamespace(request=nobody_is_connected)
    asyncio.run(Callout(sign, keyring, cast(Any, broker), cast(Any, system))._answer(cast(Any, asked)))
    said = claims(answers[0])["nats"]
    assert ("jwt" in said, "error" in said) == (enters, not enters)
    assert ("key tram: its rights are" in caplog.text) == (not enters)


def test_a_source_is_its_keys_alone() -> None:
    owners = Owners([CLINIC, Bounds("other", "/other", ("health",), ("phuong_minh_hung",))])
    assert owners.trespass(event(), "tram") is None
    assert owners.trespass(event(), None) is not None
    assert owners.trespass(event(), "other") is not None
    assert owners.trespass(event(), "unheard-of") is not None
    assert owners.trespass(event(source="/nobody"), None) is None
    assert owners.trespass(event(source="/nobody"), "tram") is not None
    assert owners.trespass(event(source="/tram/x", unit="phuong_minh_hung"), "tram") is not None
    assert Owners().trespass(event(), None) is None
    assert Owners().trespass(event(), "tram") is not None
    assert owners.names == {"tram", "other"}


MADE = {
    **{f"/{name}/{WARD}": (name, {d.event for d in DATA_TYPES.values()} - set(OWN_ALONE)) for name in EMITTERS},
    notices.SOURCE: ("deadlines", set(NOTICES)),
    decisions.SOURCE: (
        "board",
        {"dossier.extended", "report.refused", "indicator.target_set", "indicator.target_retracted"},
    ),
    onestop.SOURCE: ("onestop", {data.event for data in STATUSES.values()} | {"dossier.supplement_received"}),
    **{
        imports.SOURCE + template.name: ("spreadsheets", {one.event for one in template.events} | set(RETRACTIONS))
        for template in templates().values()
    },
    truth.SOURCES: ("simulator", {d.event for d in DATA_TYPES.values()} - set(OWN_ALONE)),
    shift.SOURCE: ("scenario", {d.event for d in DATA_TYPES.values()} - set(OWN_ALONE)),
}
"""Each source under which the centre's own programs speak -> whose it is, and what they make under it."""


@pytest.mark.parametrize("source", MADE)
def test_each_source_of_the_centre_has_one_owner_who_may_say_what_it_makes(source: str) -> None:
    owner, events = MADE[source]
    assert [name for name in OWNED if source.split("/")[1] == name] == [owner]
    said = {event for event in events if owner not in EMITTERS or event.startswith(EMITTERS[owner])}
    assert said and {event: trespass(source, event) for event in said} == dict.fromkeys(said)
    for name in (source, source.lstrip("/"), f"/{source}", f"{source.rstrip('/')}/x"):
        assert problem("some-key", name, ["procedures"]), name


@pytest.mark.parametrize("source", [source for source in MADE if not source.startswith(("/simulator", "/scenario"))])
def test_a_source_of_the_centre_cannot_be_taken_by_what_another_system_says(source: str) -> None:
    """What each emitter's credential may publish, against each source that is not its own."""
    owner, events = MADE[source]
    systems = {data.system for data in DATA_TYPES.values() if data.event in events and may_say(owner, data.event)}
    for emitter, begins in EMITTERS.items():
        others = (d.event for d in DATA_TYPES.values() if d.event.startswith(begins) and d.system not in systems)
        assert all(trespass(source, event) for event in others), emitter


def test_every_source_that_a_program_names_is_known_here() -> None:
    """As a constant of its module, as all do."""
    named = {
        found
        for path in (Path(__file__).parents[2] / "services").rglob("*.py")
        for found in re.findall(r'^SOURCES? = "(/[^"]+)"', path.read_text(), re.MULTILINE)
    }
    assert {source.split("/")[1] for source in named} | EMITTERS.keys() == OWNED.keys()


def test_no_key_may_have_every_source() -> None:
    for source in ("//", "///", "x"):
        assert problem("some-key", source, ["health"]), source
    assert problem("some-key", "/x", ["health"]) is None


def test_the_name_of_a_key_is_the_last_step_of_its_subjects() -> None:
    assert parted(subject_by(event().subject, "tram")) == (event().subject, "tram")
    assert parted(event().subject) == (event().subject, None)
    assert parted("ioc.events.a.b.c.d.e.f") == ("ioc.events.a.b.c.d.e.f", None)


def test_what_a_key_said_keeps_its_reason_while_the_quarantine_takes_nothing() -> None:
    kept = RawStreamMsg(subject=subject_by(event().subject, "tram"), data=event().to_json())
    assert _reason(kept, "conflict").code == "conflict"


def test_what_bears_a_source_of_the_centre_alone_comes_by_a_subject_of_the_centre_alone() -> None:
    now = clock.now()
    later = {"code": "H99.98-261102-0001", "promised_at": "2026-12-04T17:00:00+07:00"}
    owners, letter = Owners([CLINIC], now), {"type": "vn.ioc.dossier.extended.v1", "data": later}
    board = event(source="/board", **letter)
    assert parted(subject_of(board)) == parted(subject_of(board, "tram")) == (board.subject, CENTRE)
    assert parted(subject_of(event(), CENTRE)) == (event().subject, None), "one that was mended speaks as somebody else"
    assert owners.trespass(board, CENTRE, now) is None
    assert all(owners.trespass(board, by, now) for by in (None, "tram"))
    assert owners.trespass(event(source="//onestop/x", **letter), None, now) is not None
    assert owners.trespass(event(source="/nobody"), CENTRE, now) is not None
    before = now - timedelta(seconds=1)
    assert owners.trespass(board, None, before) is None, "of an earlier version"
    assert owners.trespass(board, "tram", before) is not None
    assert not NAME.fullmatch(CENTRE)


def test_what_is_told_to_the_broker_is_signed_by_the_key_that_it_knows() -> None:
    ours, others = signer("password"), signer("another")
    token = ours.token({"sub": "U1", "nats": {"type": "user"}}, 1_700_000_000)
    said = claims(token.encode())
    assert (said["iss"], said["sub"], said["iat"]) == (ours.public, "U1", 1_700_000_000)
    text, _, signature = token.rpartition(".")
    raw = b32decode(ours.public + "=" * (-len(ours.public) % 8))
    assert ours.public.startswith("A") and len(ours.public) == 56
    assert ours.public != others.public
    key = Ed25519PublicKey.from_public_bytes(raw[1:33])
    key.verify(urlsafe_b64decode(signature + "=="), text.encode())
    with pytest.raises(InvalidSignature):
        key.verify(urlsafe_b64decode(signature + "=="), text.encode() + b"x")


@pytest.mark.parametrize("token", [b"", b"x", b"a.b.c", b"a.W10.c", b"\xff.\xff.\xff"])
def test_what_is_no_token_is_refused(token: bytes) -> None:
    with pytest.raises(ValueError, match="not a token"):
        claims(token)
