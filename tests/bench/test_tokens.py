"""Tokens and numbers of the benchmarks."""

import pytest

from app.domain.addresses import parse_phone
from bench.numbers import reserved
from bench.tokens import fingerprint, siphash, token


@pytest.mark.parametrize(
    ("length", "expected"), [(0, 0x726FDB47DD0E0E31), (8, 0x93F5F5799A932462), (15, 0xA129CA6149BE45E5)]
)
def test_siphash_meets_the_vectors_of_its_authors(length, expected):
    assert siphash(bytes(range(16)), bytes(range(length))) == expected


def test_a_token_depends_on_the_key_and_on_the_number():
    tokens = {token(key, number) for key in (bytes(16), bytes(range(16))) for number in ("+1", "+2")}

    assert len(tokens) == 4


def test_the_order_of_people_does_not_change_the_fingerprint():
    assert fingerprint(["ffffffffffffffff", "0000000000000003"]) == "0000000000000002"
    assert fingerprint(["0000000000000003", "ffffffffffffffff"]) == "0000000000000002"


def test_recipients_have_different_numbers_that_belong_to_nobody():
    numbers = reserved(40_000)

    assert len(set(numbers)) == 40_000
    assert all(number[5:10] == "55501" for number in numbers)
    assert parse_phone(numbers[-1]).value == numbers[-1]


def test_more_recipients_than_reserved_numbers_are_refused():
    with pytest.raises(ValueError, match="reserved numbers"):
        reserved(100_000)
