"""Facts about addresses: every usual spelling of a number gives one canonical form, and logs see a mask."""

import pytest

from app.domain.addresses import Address, BadAddress, canonical, mask, parse_phone, region_of, spaced


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("+12025550123", "+12025550123"),
        ("+1 (202) 555-0123", "+12025550123"),
        ("+1.202.555.0123", "+12025550123"),
        ("0012025550123", "+12025550123"),
        ("00 44 7700 900123", "+447700900123"),
        ("+44 (0)7700 900123", "+447700900123"),
        ("0044 ( 0 ) 7700 900 123", "+447700900123"),
        ("+49 (0)30 / 23125-012", "+493023125012"),
        ("+49 30 23125 \u2013 012", "+493023125012"),
        ("\uff0b\uff11 \uff12\uff10\uff12 \uff15\uff15\uff15 \uff10\uff11\uff12\uff13", "+12025550123"),
        ("+1\u00a0202\u00a0555\u00a00123", "+12025550123"),
        ("\u202a+12025550123\u202c", "+12025550123"),
        ("  +12025550123\n", "+12025550123"),
    ],
)
def test_every_usual_spelling_gives_the_same_number(raw: str, expected: str) -> None:
    assert parse_phone(raw) == Address("sms", expected)


@pytest.mark.parametrize("number", ["+447700900000", "+447700900999", "+15555550123", "+33639980001"])
def test_numbers_reserved_for_fiction_are_accepted(number: str) -> None:
    assert parse_phone(number).value == number


@pytest.mark.parametrize(
    ("raw", "region", "expected"),
    [
        ("030 23125 012", "DE", "+493023125012"),
        ("07700 900123", "GB", "+447700900123"),
        ("(202) 555-0123", "US", "+12025550123"),
        ("011 44 7700 900123", "US", "+447700900123"),
        ("+12025550123", "DE", "+12025550123"),
    ],
)
def test_a_number_without_country_code_is_read_in_its_region(raw: str, region: str, expected: str) -> None:
    assert parse_phone(raw, region).value == expected


def test_a_matrix_user_keeps_the_name_as_it_is_and_the_server_in_small_letters() -> None:
    assert canonical("matrix", " @Jean_Old:Example.ORG:8448 ").value == "@Jean_Old:example.org:8448"
    assert mask("@ada:example.org") == "@a***:example.org"
    for wrong in (
        "ada",
        "ada@example.org",
        "@ada",
        "@a da:example.org",
        "@ada:",
        "@" + "a" * 110 + ":example.org",
    ):
        with pytest.raises(BadAddress, match=r"@anna:example\.org"):
            canonical("matrix", wrong)


def test_the_zero_of_italian_numbers_is_kept() -> None:
    assert parse_phone("+39 (0)6 0000 0000").value == "+390600000000"


@pytest.mark.parametrize(
    ("raw", "region", "problem"),
    [
        ("", None, "is empty"),
        ("   ", None, "is empty"),
        ("2025550123", None, "has no country code"),
        ("+999 123456", None, "country code that does not exist"),
        ("+1 202 555", None, "too few digits"),
        ("+1 202 555 0123 4567 89", None, "too many digits"),
        ("555 0123", "US", "lacks its area code"),
        ("+1 202 555 CALL", None, "not written like a phone number"),
        ("+12025550123 ext. 5", None, "not written like a phone number"),
        ("anna@example.com", None, "not written like a phone number"),
        ("+", None, "not written like a phone number"),
        ("+1" + "2" * 300, None, "…”"),
    ],
)
def test_a_bad_number_is_refused_with_its_reason_and_an_example(
    raw: str, region: str | None, problem: str
) -> None:
    with pytest.raises(BadAddress, match=r"\+1 202 555 0123") as caught:
        parse_phone(raw, region)

    assert problem in str(caught.value)
    assert len(str(caught.value)) < 200


def test_the_same_number_on_two_channels_is_two_addresses() -> None:
    assert canonical("whatsapp", "+1 202 555 0123") == Address("whatsapp", "+12025550123")
    assert canonical("whatsapp", "+12025550123") != canonical("sms", "+12025550123")


def test_a_person_on_signal_is_a_phone_or_an_account_id_in_small_letters() -> None:
    id_ = "6F9619FF-8B86-4011-B42D-00C04FC964FF"

    assert canonical("signal", "+1 202 555 0123") == Address("signal", "+12025550123")
    assert canonical("signal", f" {id_} ") == Address("signal", id_.lower())
    assert mask(id_.lower()) == "***4ff"
    with pytest.raises(BadAddress):
        canonical("sms", id_)


def test_a_jid_is_bare_and_lower_case() -> None:
    assert canonical("xmpp", " Anna@Example.COM/phone ") == Address("xmpp", "anna@example.com")


@pytest.mark.parametrize("raw", ["", "anna", "@example.com", "a@b@example.com", "an na@example.com"])
def test_a_bad_jid_is_refused(raw: str) -> None:
    with pytest.raises(BadAddress, match="no XMPP address"):
        canonical("xmpp", raw)


def test_ids_of_other_platforms_stay_as_they_are() -> None:
    assert canonical("telegram", " -9007199254740993 ").value == "-9007199254740993"


@pytest.mark.parametrize("raw", ["", "  ", "two words"])
def test_a_platform_id_is_one_word(raw: str) -> None:
    with pytest.raises(BadAddress, match="no id on telegram"):
        canonical("telegram", raw)


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("+12025550123", "+1***123"),
        ("+447700900123", "+44***123"),
        ("+493023125012", "+49***012"),
        ("+353" + "0" * 8, "+353***000"),
        ("anna@example.com", "a***@example.com"),
        ("9007199254740993", "***993"),
        ("12345", "***"),
        ("", "***"),
    ],
)
def test_a_mask_keeps_the_country_and_the_last_three_digits(value: str, masked: str) -> None:
    assert mask(value) == masked


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("+447700900001", "+44 7700 900001"),
        ("+12025550123", "+1 202 555 0123"),
        ("+493023125017", "+49 30 23125017"),
        ("12345", "12345"),
        ("+44", "+44"),
        ("+999123456", "+999123456"),
        ("@anna:example.org", "@anna:example.org"),
    ],
)
def test_people_read_a_number_in_groups_and_anything_else_as_it_is(value: str, read: str) -> None:
    assert spaced(value) == read


def test_the_repr_of_an_address_is_masked() -> None:
    assert repr(Address("sms", "+12025550123")) == "Address('sms', '+1***123')"


@pytest.mark.parametrize(
    ("value", "region"),
    [("+447700900001", "GB"), ("+12025550101", "US"), ("12345", None), ("+999123456", None)],
)
def test_a_number_tells_its_country(value: str, region: str | None) -> None:
    assert region_of(value) == region
