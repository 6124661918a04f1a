"""The words of each source system become the events that are meant, and wrong words get their reason."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.envelope import Event
from services.ingest import field, payments, procedures
from services.ingest.app import EMITTERS
from services.ingest.router import Refused, understand

NOW = datetime(2026, 3, 10, 3, 0, tzinfo=UTC)
AT = "2026-03-10T09:30:00+07:00"
POSTS = {post.path: post for emitter in EMITTERS.values() for post in emitter.posts}
DOSSIER = {"code": "H99.99-260310-0001", "at": AT, "unit": "phuong_chon_thanh"}
SUBMITTED = {**DOSSIER, "status": 1, "procedure": "2.000815", "field": "chung_thuc"}
REPORT = {
    "code": "PA-260310-0001",
    "reported_at": AT,
    "unit": "phuong_chon_thanh",
    "channel": "hotline_1022",
    "category": "lighting",
}


def tell(path: str, words: dict[str, Any], **parameters: str) -> Event:
    return understand(POSTS[path], json.dumps(words).encode(), parameters, NOW)


def refusal(path: str, words: dict[str, Any], **parameters: str) -> Refused:
    with pytest.raises(Refused) as caught:
        tell(path, words, **parameters)
    return caught.value


@pytest.mark.parametrize(
    ("words", "event"),
    [
        ({"status": 1, "procedure": "2.000815", "field": "chung_thuc"}, "dossier.submitted"),
        ({"status": 2, "limit_days": 5}, "dossier.accepted"),
        ({"status": 3, "reason": "not_in_authority"}, "dossier.refused"),
        ({"status": 4}, "dossier.processing_started"),
        ({"status": 4, "resumes": True}, "dossier.supplement_received"),
        ({"status": 5}, "dossier.supplement_requested"),
        ({"status": 6, "kind": "fee", "amount": 50000}, "dossier.payment_requested"),
        ({"status": 7}, "dossier.withdrawn"),
        ({"status": 8, "reason": "missing_papers"}, "dossier.stopped"),
        ({"status": 9, "electronic_result": True}, "dossier.resolved"),
        ({"status": 10, "channel": 3}, "dossier.returned"),
    ],
)
def test_each_status_of_the_portal_is_one_event(words: dict[str, Any], event: str) -> None:
    told = tell("/procedures/dossiers", {**DOSSIER, **words})
    assert told.data.event == event
    assert told.time == datetime(2026, 3, 10, 2, 30, tzinfo=UTC)
    assert told.source == "/procedures/phuong_chon_thanh"
    id = f"H99.99-260310-0001/{words['status']}/2026-03-10T02:30:00+00:00"
    assert told.id == id if words["status"] != 2 else told.id.startswith(f"{id}/")


@pytest.mark.parametrize(
    ("path", "words", "others"),
    [
        (
            "/procedures/dossiers",
            {**DOSSIER, "status": 2, "promised_at": "2026-03-17T17:00:00+07:00"},
            [{"promised_at": "2026-03-18T17:00:00+07:00"}, *({"promised_at": None, "limit_days": n} for n in (5, 7))],
        ),
        (
            "/procedures/dossiers",
            {**DOSSIER, "status": 2, "limit_days": 5},
            [{"limit_days": None, "limit_hours": 5}, {"limit_days": None, "limit_hours": 8}],
        ),
        (
            "/procedures/dossiers/{code}/extension",
            {"at": AT, "unit": "phuong_chon_thanh", "promised_at": "2026-03-17T17:00:00+07:00"},
            [{"promised_at": "2026-03-18T17:00:00+07:00"}],
        ),
        (
            "/field/reports/{code}/steps",
            {"step": "routed", "at": AT, "unit": "phuong_chon_thanh", "to_unit": "phuong_chon_thanh"},
            [{"to_unit": "phuong_minh_hung"}],
        ),
    ],
)
def test_another_promise_or_receiver_of_the_same_moment_is_another_event_and_the_same_words_are_not(
    path: str, words: dict[str, Any], others: list[dict[str, Any]]
) -> None:
    code = {"code": "H99.99-260310-0001" if "dossiers" in path else "PA-260310-0001"} if "{code}" in path else {}
    spellings = [words, words, {**words, "at": "2026-03-10T02:30:00Z"}]
    if promised := words.get("promised_at"):
        spellings.append({**words, "promised_at": promised.replace("17:00:00+07:00", "10:00:00Z")})
    assert len({(event.key, event.digest) for event in (tell(path, again, **code) for again in spellings)}) == 1
    keys = {tell(path, {**words, **other}, **code).key for other in ({}, *others)}
    assert len(keys) == 1 + len(others)


def test_a_step_without_a_receiver_has_the_id_that_it_always_had() -> None:
    words = {"step": "accepted", "at": AT, "unit": "phuong_chon_thanh"}
    told = tell("/field/reports/{code}/steps", words, code="PA-260310-0001")
    assert told.id == "PA-260310-0001/accepted/2026-03-10T02:30:00+00:00"


def test_a_tax_and_a_fee_that_are_asked_for_at_once_are_two_events() -> None:
    fee, tax = ({**DOSSIER, "status": 6, "kind": kind, "amount": 50_000} for kind in ("fee", "tax"))
    keys = {tell("/procedures/dossiers", words).key for words in (fee, tax, fee, tax)}
    assert len(keys) == 2


def test_the_table_of_statuses_is_complete() -> None:
    assert list(procedures.STATUSES) == list(range(1, 11))


@pytest.mark.parametrize(
    ("channel", "meant"), [({}, "counter"), ({"channel": ""}, "counter"), ({"channel": 2}, "online")]
)
def test_an_empty_channel_is_the_counter(channel: dict[str, Any], meant: str) -> None:
    assert tell("/procedures/dossiers", {**SUBMITTED, **channel}).fields["channel"] == meant


def test_an_acceptance_that_is_silent_about_the_channel_stays_silent() -> None:
    accepted = tell("/procedures/dossiers", {**DOSSIER, "status": 2, "promised_at": "2026-03-17T17:00:00+07:00"})
    assert accepted.fields == {
        "code": "H99.99-260310-0001",
        "promised_at": "2026-03-17T10:00:00Z",
        "components": 0,
        "digitised_components": 0,
        "reused_components": 0,
        "store_components": 0,
        "identity_verified": False,
    }


def test_the_same_moment_written_otherwise_is_the_same_event() -> None:
    other = tell("/procedures/dossiers", {**SUBMITTED, "at": "2026-03-10T02:30:00Z"})
    assert other.digest == tell("/procedures/dossiers", SUBMITTED).digest


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ({"status": 2}, "body: exactly one of promised_at, limit_days and limit_hours is needed"),
        ({"status": 3}, "reason: is missing"),
        ({"status": 7, "amount": 3}, "amount: is not expected here"),
        ({"status": 11}, "status: Input should be 1, 2, 3, 4, 5, 6, 7, 8, 9 or 10"),
        ({"status": 9, "resumes": True}, "resumes: only status 4 can resume"),
        ({"status": 4, "citizen": "Nguyen"}, "citizen: is not expected here"),
        ({"status": 4, "unit": "phuong_chua_co"}, "unit: no unit 'phuong_chua_co'"),
        ({"status": 4, "unit": "chon_thanh"}, "unit: chon_thanh is not valid on 2026-03-10"),
        ({"status": 4, "at": "2027-03-10T09:30:00+07:00"}, "time: 2027-03-10T02:30:00+00:00 lies in the future"),
        ({"status": 4, "at": "2026-03-10T09:30:00"}, "at: Input should have timezone info"),
        ({"status": 2, "promised_at": "2026-03-09T09:30:00+07:00"}, "data.promised_at: 2026-03-09T02:30:00+00:00 lies"),
    ],
)
def test_wrong_words_get_their_reason(words: dict[str, Any], reason: str) -> None:
    refused = refusal("/procedures/dossiers", {**DOSSIER, **words})
    assert refused.status == 422
    assert [told[: len(reason)] for told in refused.problem.reasons] == [reason]


def test_all_that_is_wrong_is_said_at_once_and_no_value_is_repeated() -> None:
    refused = refusal("/procedures/dossiers", {**DOSSIER, "code": "079123456789", "status": "4", "unit": "X Y"})
    assert [told.partition(":")[0] for told in refused.problem.reasons] == ["code", "status", "unit"]
    assert "079123456789" not in str(refused.problem) and "X Y" not in str(refused.problem)


def test_a_long_number_in_a_dossier_code_is_no_citizen_number() -> None:
    assert tell("/procedures/dossiers", {**SUBMITTED, "code": "H99.99-260310-000123"}).id.startswith(
        "H99.99-260310-000"
    )


def test_a_phone_number_in_a_place_is_refused() -> None:
    refused = refusal("/field/reports", {**REPORT, "place": "gọi 0912 345 678"})
    assert refused.problem.code == "personal_data"
    assert "0912" not in str(refused.problem)


def test_a_character_that_cannot_be_stored_is_refused_here_and_not_later() -> None:
    assert refusal("/field/reports", {**REPORT, "place": "a\0b"}).problem.code == "bad_value"


@pytest.mark.parametrize(
    ("path", "words", "event"),
    [
        ("extension", {"promised_at": "2026-03-20T17:00:00+07:00"}, "dossier.extended"),
        ("rating", {"score": 5}, "dossier.rated"),
        ("synchronisation", {}, "dossier.synchronised"),
    ],
)
def test_what_else_happens_to_a_dossier(path: str, words: dict[str, Any], event: str) -> None:
    words = {"at": AT, "unit": "phuong_chon_thanh", **words}
    told = tell(f"/procedures/dossiers/{{code}}/{path}", words, code="H99.99-260310-0001")
    assert (told.data.event, told.fields["code"]) == (event, "H99.99-260310-0001")


def test_a_code_in_the_path_is_checked_too() -> None:
    words = {"at": AT, "unit": "phuong_chon_thanh", "score": 5}
    refused = refusal("/procedures/dossiers/{code}/rating", words, code="079123456789")
    assert refused.status == 422 and refused.problem.reasons[0].startswith("code:")
    assert "079123456789" not in str(refused.problem)


def test_a_procedure_is_published() -> None:
    words = {"procedure": "2.000815", "at": AT, "unit": "phuong_chon_thanh", "field": "chung_thuc"}
    assert tell("/procedures/procedures", {**words, "online_level": "full"}).data.event == "procedure.published"


def test_a_payment_and_its_refund() -> None:
    words = {
        "transaction": "TXN-0001",
        "kind": "fee",
        "amount": 50000,
        "method": "qr_code",
        "unit": "phuong_chon_thanh",
    }
    paid = tell("/payments", {**words, "paid_at": AT, "dossier": "H99.99-260310-0001"})
    assert (paid.data.event, paid.id, paid.source) == ("payment.made", "TXN-0001/made", "/payments/phuong_chon_thanh")
    back = {"amount": 20000, "unit": "phuong_chon_thanh", "refunded_at": AT}
    assert tell("/payments/{transaction}/refund", back, transaction="TXN-0001").fields["amount"] == 20000


def test_a_payment_told_with_another_amount_is_a_conflict_and_no_second_payment() -> None:
    words = {"transaction": "TXN-0001", "kind": "fee", "method": "card", "unit": "phuong_chon_thanh", "paid_at": AT}
    one, other = (tell("/payments", {**words, "amount": amount}) for amount in (1000, 2000))
    assert one.key == other.key and one.digest != other.digest


@pytest.mark.parametrize(
    ("step", "extra"),
    [
        ("verified", {}),
        ("refused", {"reason": "not_true"}),
        ("routed", {"to_unit": "phuong_chon_thanh"}),
        ("accepted", {}),
        ("resolved", {"handling": "handled"}),
        ("reopened", {}),
    ],
)
def test_each_step_of_a_report_is_one_event(step: str, extra: dict[str, str]) -> None:
    words = {"step": step, "at": AT, "unit": "phuong_chon_thanh", **extra}
    assert tell("/field/reports/{code}/steps", words, code="PA-260310-0001").data.event == f"report.{step}"


def test_a_report_is_received_and_rated() -> None:
    report = tell("/field/reports", {**REPORT, "place": "Đường Nguyễn Huệ", "latitude": 11.41, "longitude": 106.65})
    assert (report.data.event, report.id) == ("report.received", "PA-260310-0001/received")
    words = {"at": AT, "unit": "phuong_chon_thanh", "score": 4}
    assert tell("/field/reports/{code}/rating", words, code="PA-260310-0001").data.event == "report.rated"


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(("body", "status"), [(b"{", 400), (b"", 400), (b"\xff{}", 400), (b"[]", 422), (b"null", 422)])
def test_what_is_not_one_json_object_is_refused(path: str, body: bytes, status: int) -> None:
    with pytest.raises(Refused) as caught:
        understand(POSTS[path], body, {}, NOW)
    assert caught.value.status == status


@pytest.mark.parametrize("path", POSTS)
def test_a_byte_order_mark_is_passed_over_and_another_encoding_is_named(path: str) -> None:
    """What is said of the words themselves is as without it."""

    def said(body: bytes) -> tuple[int, list[str]]:
        with pytest.raises(Refused) as caught:
            understand(POSTS[path], body, {}, NOW)
        return caught.value.status, caught.value.problem.reasons

    words = '{"unit": "phường"}'
    assert said(words.encode("utf-8-sig")) == said(words.encode())
    assert said(b"")[0] == said("".encode("utf-8-sig"))[0] == 400
    for encoding, name in (
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("utf-32", "UTF-32"),
    ):
        assert said(words.encode(encoding)) == (400, [f"the body is {name}: send UTF-8"])


def test_words_behind_a_byte_order_mark_are_the_same_event() -> None:
    body = json.dumps(SUBMITTED).encode("utf-8-sig")
    marked = understand(POSTS["/procedures/dossiers"], body, {}, NOW)
    assert marked.digest == tell("/procedures/dossiers", SUBMITTED).digest


def test_words_from_ahead_of_the_clock_within_tolerance_are_taken() -> None:
    ahead = (NOW + timedelta(hours=1)).isoformat()
    assert tell("/procedures/dossiers", {**SUBMITTED, "at": ahead}).time > NOW


def test_every_emitter_has_the_name_of_its_row() -> None:
    assert {procedures.NAME, payments.NAME, field.NAME} <= EMITTERS.keys()
    assert [emitter.name for emitter in EMITTERS.values()] == list(EMITTERS)
