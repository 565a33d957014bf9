"""Facts about keys and seals: what is sealed opens with the same key and label only."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.sealing import (
    BadKey,
    CannotOpen,
    KeyRing,
    address_hmac,
    new_data_key,
    open_with,
    seal_with,
)
from app.domain.tree_heads import signature_fits

MASTER = bytes(range(32))
RING = KeyRing(MASTER)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("suppress", "6b44da4132d9f01dac78d276e38dc651c01caafdd9eadfc347d5b6c62e88a279"),
        ("index", "4e195f50129ad24a3e87fb301d8b1c8d910aee39d7d108c96d08358d4f97c2ca"),
    ],
)
def test_t16_known_hashes_of_an_address(label: str, expected: str) -> None:
    assert address_hmac(MASTER, label, "sms", "+12025550123") == expected


def test_the_hashes_for_looking_up_and_for_suppression_use_keys_of_their_own() -> None:
    index, suppress = RING.index_hmac("sms", "+12025550123"), RING.suppress_hmac("sms", "+12025550123")

    assert index != suppress
    assert index != address_hmac(MASTER, "index", "sms", "+12025550123")
    assert RING.index_hmac("whatsapp", "+12025550123") != index


def test_the_hash_of_an_address_is_the_same_after_a_restart() -> None:
    again = KeyRing(MASTER)

    assert again.index_hmac("sms", "+12025550123") == RING.index_hmac("sms", "+12025550123")
    assert again.suppress_hmac("sms", "+12025550123") == RING.suppress_hmac("sms", "+12025550123")


@given(st.binary(max_size=300))
def test_what_is_sealed_can_be_opened(plain: bytes) -> None:
    assert KeyRing(MASTER).open(RING.seal(plain, "sender-secrets"), "sender-secrets") == plain


def test_the_same_secret_sealed_twice_looks_different() -> None:
    assert RING.seal(b"secret", "label") != RING.seal(b"secret", "label")


def test_a_seal_opens_under_no_other_label() -> None:
    with pytest.raises(CannotOpen, match="another key or label"):
        RING.open(RING.seal(b"secret", "one"), "two")


def test_a_seal_opens_with_no_other_master_key() -> None:
    with pytest.raises(CannotOpen, match="another key or label"):
        KeyRing(b"\x07" * 32).open(RING.seal(b"secret", "one"), "one")


@given(st.integers(1, 34))
def test_any_changed_byte_is_noticed(position: int) -> None:
    sealed = bytearray(RING.seal(b"secret", "label"))
    sealed[position] ^= 1

    with pytest.raises(CannotOpen, match="bytes were altered"):
        RING.open(bytes(sealed), "label")


def test_a_seal_names_its_format() -> None:
    sealed = RING.seal(b"secret", "label")

    assert sealed[0] == 1
    with pytest.raises(CannotOpen, match="format 2; this version knows format 1"):
        RING.open(b"\x02" + sealed[1:], "label")


@pytest.mark.parametrize("length", [0, 1, 28])
def test_a_seal_cut_short_is_noticed(length: int) -> None:
    with pytest.raises(CannotOpen, match=f"this has {length}"):
        RING.open(RING.seal(b"", "label")[:length], "label")


def test_a_data_key_survives_wrapping_and_opens_its_data() -> None:
    dek = new_data_key()
    sealed = seal_with(dek, b"START")

    assert open_with(RING.unwrap(RING.wrap(dek)), sealed) == b"START"


def test_data_keys_are_fresh_and_open_only_their_own_data() -> None:
    sealed = seal_with(new_data_key(), b"START")

    with pytest.raises(CannotOpen):
        open_with(new_data_key(), sealed)


@pytest.mark.parametrize(
    "text",
    [
        MASTER.hex(),
        MASTER.hex().upper(),
        f"  {MASTER.hex()}\n",
        base64.b64encode(MASTER).decode(),
        base64.b64encode(MASTER).decode().rstrip("="),
        base64.urlsafe_b64encode(MASTER).decode(),
    ],
)
def test_a_master_key_may_be_written_in_hex_or_base64(text: str) -> None:
    assert KeyRing.from_text(text).index_hmac("sms", "+12025550123") == RING.index_hmac("sms", "+12025550123")


def test_url_safe_letters_of_base64_are_read() -> None:
    key = b"\xff\xef" * 16
    text = base64.urlsafe_b64encode(key).decode()
    sealed = KeyRing(key).seal(b"secret", "label")

    assert {"-", "_"} <= set(text)
    assert KeyRing.from_text(text).open(sealed, "label") == b"secret"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "this one has 0"),
        ("changeme", "this one has 6"),
        ("not base64!", "neither 64 hex digits nor base64"),
        ("schlüssel", "neither 64 hex digits nor base64"),
        ("z" * 64, "not all are hex digits"),
        (MASTER.hex()[:-2], "this one has 46"),
    ],
)
def test_a_bad_master_key_is_refused_with_the_way_to_make_one(text: str, problem: str) -> None:
    with pytest.raises(BadKey, match="python3 -c") as caught:
        KeyRing.from_text(text)

    assert problem in str(caught.value)


def test_what_is_signed_can_be_checked_with_the_public_key_alone() -> None:
    signature = RING.sign(b"root").hex()

    assert signature_fits(RING.public_key, signature, b"root")
    assert not signature_fits(RING.public_key, signature, b"boot")
    assert not signature_fits(KeyRing(b"\x07" * 32).public_key, signature, b"root")
    assert not signature_fits("no key", signature, b"root")
    assert KeyRing(MASTER).public_key == RING.public_key


def test_neither_repr_nor_attributes_show_the_key() -> None:
    shown = f"{RING!r} {vars(RING)}"

    assert MASTER.hex() not in shown
    assert repr(MASTER) not in shown


def test_older_keys_open_and_find_and_make_nothing_new() -> None:
    old, older = KeyRing(b"a" * 32), KeyRing(b"b" * 32)
    ring = KeyRing(MASTER, [b"a" * 32, b"b" * 32])

    for one in (old, older, RING):
        assert ring.open(one.seal(b"secret", "label"), "label") == b"secret"
        assert one.index_hmac("sms", "+12025550123") in ring.index_hmacs("sms", "+12025550123")
        assert one.suppress_hmac("sms", "+12025550123") in ring.suppress_hmacs("sms", "+12025550123").values()
    assert RING.open(ring.seal(b"secret", "label"), "label") == b"secret"
    assert (ring.version, list(ring.public_keys)) == (3, [3, 2, 1])
    assert ring.public_key == RING.public_key
    assert ring.is_present(RING.seal(b"x", "label"), "label")
    assert not ring.is_present(old.seal(b"x", "label"), "label")
    with pytest.raises(CannotOpen):
        ring.open(KeyRing(b"c" * 32).seal(b"secret", "label"), "label")


def test_a_key_that_was_thrown_away_keeps_its_number() -> None:
    ring = KeyRing.from_text("07" * 32, ["-", "08" * 32])

    assert (ring.version, list(ring.public_keys)) == (3, [3, 1])
    assert list(ring.suppress_hmacs("sms", "+12025550123")) == [3, 1]
