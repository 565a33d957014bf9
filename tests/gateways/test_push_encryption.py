"""Encryption and signature against the example of RFC 8291 (section 5 and appendix A) and a reader of its own."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.gateways.push_encryption import MAX_BODY, MAX_PLAIN, content_keys, encrypt
from app.gateways.vapid import MOST_ORIGINS, Vapid, new_private_key, read_private_key
from tests.gateways.samples.webpush import PRIVATE, PUBLIC
from tests.support.push_peer import Browser, claims, raw, text

PLAIN = b"When I grow up, I want to be a watermelon"
AUTH = raw("BTBZMqHH6r4Tts7J_aSIgg")
SALT = raw("DGv6ra1nlYgDCS1FRnbzlw")
RECEIVER = raw("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4")
RECEIVER_PRIVATE = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
SECRET = raw("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs")
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
    "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
    "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
NOON = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
GOOGLE = "https://fcm.googleapis.com"


def test_the_example_of_the_rfc_comes_out_to_the_byte() -> None:
    body = encrypt(PLAIN, RECEIVER, AUTH, own_key=read_private_key(PRIVATE), salt=SALT)

    assert text(body) == BODY


def test_the_keys_of_the_example_are_those_of_its_appendix() -> None:
    key, nonce = content_keys(SECRET, AUTH, SALT, RECEIVER, raw(PUBLIC))

    assert (text(key), text(nonce)) == ("oIhVW04MRdy2XN9CiKLxTg", "4h_95klXJ5E_qnoN")


def test_the_reader_of_these_tests_reads_the_example_too() -> None:
    browser = Browser(f"{GOOGLE}/x", read_private_key(RECEIVER_PRIVATE), AUTH)

    assert browser.decrypt(raw(BODY)) == PLAIN


@given(plain=st.binary(max_size=MAX_PLAIN))
def test_what_is_encrypted_is_read_by_its_browser_and_fits(plain: bytes) -> None:
    browser = Browser(f"{GOOGLE}/x")

    body = encrypt(plain, browser.point, browser.auth)

    assert browser.decrypt(body) == plain
    assert len(body) <= MAX_BODY


def test_the_longest_message_fills_a_body_to_its_end_and_no_two_are_alike() -> None:
    browser = Browser(f"{GOOGLE}/x")

    one, two = (encrypt(b"x" * MAX_PLAIN, browser.point, browser.auth) for _ in range(2))

    assert (len(one), len(two)) == (MAX_BODY, MAX_BODY)
    assert one != two


def test_a_key_that_is_no_point_of_the_curve_is_refused() -> None:
    with pytest.raises(ValueError, match="Invalid EC key"):
        encrypt(PLAIN, b"\x04" + b"\x01" * 64, AUTH)


def test_a_push_service_is_told_who_sends_for_less_than_a_day_and_signed() -> None:
    vapid = Vapid(PRIVATE, "mailto:desk@example.org", lambda: NOON)

    found = claims(vapid.header(GOOGLE), PUBLIC)

    assert (found["aud"], found["sub"]) == (GOOGLE, "mailto:desk@example.org")
    assert timedelta(0) < datetime.fromtimestamp(found["exp"], UTC) - NOON <= timedelta(hours=24)


def test_a_signature_is_made_once_for_each_service_and_anew_before_it_ends() -> None:
    now = [NOON]
    vapid = Vapid(PRIVATE, "mailto:desk@example.org", lambda: now[0])
    first, other = vapid.header(GOOGLE), vapid.header("https://updates.push.services.mozilla.com")

    now[0] += timedelta(hours=10)
    again = vapid.header(GOOGLE)
    now[0] += timedelta(hours=1, seconds=1)
    renewed = vapid.header(GOOGLE)

    assert first == again != other
    assert claims(renewed, PUBLIC)["exp"] > claims(first, PUBLIC)["exp"]


def test_strangers_with_many_services_do_not_fill_the_memory() -> None:
    vapid = Vapid(PRIVATE, "mailto:desk@example.org", lambda: NOON)

    for number in range(MOST_ORIGINS + 10):
        vapid.header(f"https://push{number}.example.net")

    assert len(vapid._headers) <= MOST_ORIGINS


def test_a_fresh_key_is_another_each_time_and_reads_back() -> None:
    one, two = new_private_key(), new_private_key()

    assert one != two
    assert read_private_key(one).key_size == 256
