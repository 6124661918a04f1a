"""Numbers as people write them: read in the one way they can mean, or refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from chance import examples
from hypothesis import given
from hypothesis import strategies as st

from schemas.text.numbers import NoNumber, plain, read


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", "0"), ("1234", "1234"), (" 5119 ", "5119"), ("007", "7"), ("-12", "-12"), ("−12", "-12"),
        ("1 234", "1234"), ("1\u00a0234\u202f567", "1234567"), ("１２３４", "1234"),
        ("1.234.567", "1234567"), ("1,234,567", "1234567"), ("2.050,0", "2050"), ("2,050.50", "2050.5"),
        ("1 234,5", "1234.5"), ("0.8", "0.8"), ("95,7", "95.7"), ("0,500", "0.5"), ("1.2345", "1.2345"),
        ("1234.567", "1234.567"),
    ],
)  # fmt: skip
def test_a_number_is_read_as_it_can_only_be_meant(text: str, number: str) -> None:
    assert read(text) == Decimal(number)


@pytest.mark.parametrize("text", ["1.234", "15,000", "-1.234"])
def test_what_can_be_read_in_two_ways_is_a_question(text: str) -> None:
    with pytest.raises(NoNumber, match=r"two ways, as .* or as .*; which is meant\?"):
        read(text)


def test_a_whole_number_has_no_decimals_so_one_reading_may_be_left() -> None:
    assert read("1.234", whole=True) == read("1,234", whole=True) == 1234
    assert read("12,0", whole=True) == read("12.00", whole=True) == 12
    for text in ("1.000", "15,000"):
        with pytest.raises(NoNumber, match="two ways"):
            read(text, whole=True)
    with pytest.raises(NoNumber, match="'2,05' is no whole number"):
        read("2,05", whole=True)


@pytest.mark.parametrize(
    "text",
    ["", "-", "abc", "12a", "1e5", "NaN", "inf", "100%", "1.23.4", "1,23,456", "1.234 567", "0.123.456", "1_000",
     "1.", ".5", "--1", "+1", "1  234", "12 34", "٣", "9" * 41],
)  # fmt: skip
def test_what_is_no_number_is_none(text: str) -> None:
    with pytest.raises(NoNumber, match="is no number"):
        read(text)


@examples(50)
@given(st.integers(0, 10**12), st.sampled_from([" ", "\u00a0"]))
def test_a_count_is_read_back_however_its_thousands_are_parted(number: int, mark: str) -> None:
    assert read(str(number)) == read(f"{number:,}".replace(",", mark)) == number
    assert read(f"{number:,}".replace(",", ".") + ",0") == number


def test_what_it_could_be_goes_with_the_refusal() -> None:
    for text, whole, readings in (("15,000", True, ["15", "15000"]), ("2,05", True, ["2.05"]), ("12a", False, [])):
        with pytest.raises(NoNumber) as refusal:
            read(text, whole)
        assert [plain(reading) for reading in refusal.value.readings] == readings


def test_plain_digits_have_no_exponent_and_no_idle_zeros() -> None:
    assert [plain(Decimal(text)) for text in ("1E+3", "100", "0.50", "0", "-2.0")] == ["1000", "100", "0.5", "0", "-2"]
