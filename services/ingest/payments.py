"""The payment platform: taxes and fees paid, and money given back."""

from __future__ import annotations

from typing import Literal

from schemas.envelope import Event
from schemas.procedures import PaymentMade, PaymentRefunded
from schemas.types import Dong, DossierCode, Instant, Reference, Slug, UnitCode
from services.ingest.router import Emitter, Post, Words, compose

NAME = "payments"


class Payment(Words):
    """A tax (nghĩa vụ tài chính) or a fee (phí, lệ phí) was paid. `amount` is in whole đồng."""

    transaction: Reference
    kind: Literal["tax", "fee"]
    amount: Dong
    method: Literal["portal", "bank_transfer", "qr_code", "card", "cash"]
    dossier: DossierCode | None = None
    unit: UnitCode
    paid_at: Instant


class Refund(Words):
    """Money went back, all of it or a part. `amount` is in whole đồng."""

    amount: Dong
    reason: Slug = "other"
    unit: UnitCode
    refunded_at: Instant


def payment(words: Payment) -> Event:
    """A tax or a fee was paid."""
    data = PaymentMade(**words.model_dump(exclude={"unit", "paid_at"}))
    # A transaction is made once: told again with another amount or time it shows up as a conflict.
    return compose(NAME, f"{words.transaction}/made", words.paid_at, words.unit, data)


def refund(words: Refund, transaction: str) -> Event:
    """A payment was given back, all of it or a part."""
    data = PaymentRefunded(transaction=transaction, amount=words.amount, reason=words.reason)
    return compose(NAME, f"{transaction}/refund/{words.refunded_at.isoformat()}", words.refunded_at, words.unit, data)


EMITTER = Emitter(
    NAME,
    (
        Post("/payments", Payment, payment),
        Post("/payments/{transaction}/refund", Refund, refund),
    ),
)
