"""A password is the same however a keyboard composes its letters, and nothing else opens."""

from __future__ import annotations

import asyncio
import unicodedata
from itertools import product

import pytest
from argon2 import PasswordHasher

from services.board.auth.accounts import Refused, hashed, is_password

PASSWORD = unicodedata.normalize("NFC", "Mật khẩu dài: Đồng Xoài")
WINDOWS = "Mâ\u0323t khâ\u0309u da\u0300i: Đô\u0300ng Xoa\u0300i"
"""As the Vietnamese keyboard of Windows gives it: a vowel with its roof is one letter, the tone behind it another."""
FORMS = (PASSWORD, unicodedata.normalize("NFD", PASSWORD), WINDOWS)


def opens(kept: str, typed: str) -> bool:
    return asyncio.run(is_password(kept, typed))


@pytest.mark.parametrize(("given", "typed"), list(product(FORMS, FORMS)), ids=lambda text: str(len(text)))
def test_a_password_given_in_one_form_opens_in_every_other(given: str, typed: str) -> None:
    assert len(set(FORMS)) == 3
    assert opens(asyncio.run(hashed("an", given)), typed)


@pytest.mark.parametrize(("given", "typed"), [(form, form) for form in FORMS] + [(FORMS[1], FORMS[0])])
def test_what_an_earlier_version_kept_as_it_was_typed_opens_still(given: str, typed: str) -> None:
    assert opens(PasswordHasher().hash(given), typed)


def test_another_letter_is_another_password() -> None:
    kept = asyncio.run(hashed("an", PASSWORD))
    for other in (PASSWORD.replace("Đ", "D"), PASSWORD.replace("ậ", "â"), PASSWORD.lower(), PASSWORD + "\u200b"):
        assert not opens(kept, other)
    assert not asyncio.run(is_password(None, PASSWORD))


def test_a_loose_mark_makes_no_password_longer() -> None:
    with pytest.raises(Refused):
        asyncio.run(hashed("an", unicodedata.normalize("NFD", "ậậậậậ")))
