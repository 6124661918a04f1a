"""What a key lets its holder say, and how the broker is told so."""

from __future__ import annotations

import json
from base64 import b32decode, urlsafe_b64decode
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from schemas import units
from schemas.broker_tokens import claims, signer
from schemas.envelope import Event
from schemas.keys import Bounds, Owners, parted, subject_by
from schemas.registry import parse
from schemas.sources import NOTICES

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


def test_a_key_publishes_the_subjects_of_its_units_and_no_notice() -> None:
    office = Bounds("mot-cua", "/mot-cua", ("procedures",), (WARD,))
    subjects = office.subjects()
    assert f"ioc.events.{WARD}.procedures.dossier.submitted.mot-cua" in subjects
    own = [parted(subject) for subject in subjects]
    assert {by for _, by in own} == {"mot-cua"}
    assert not any(subject.endswith(NOTICES) for subject, _ in own)
    assert {subject.split(".")[2] for subject in subjects} == units.scope(WARD)
    assert all(subject.startswith("ioc.events.*.") for subject in Bounds("x", "/x", ("field",)).subjects())


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


def test_the_name_of_a_key_is_the_last_step_of_its_subjects() -> None:
    assert parted(subject_by(event().subject, "tram")) == (event().subject, "tram")
    assert parted(event().subject) == (event().subject, None)
    assert parted("ioc.events.a.b.c.d.e.f") == ("ioc.events.a.b.c.d.e.f", None)


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
