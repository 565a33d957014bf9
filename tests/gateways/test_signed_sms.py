"""Providers that sign webhooks with Ed25519: what they signed passes, and nothing else does."""

import json
from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.domain.messages import HookRequest
from app.gateways.base import BadSetting, BadSignature, Gateway
from app.gateways.http_sms.description import BadDescription, read
from app.gateways.registry import build, gateway_class
from tests.gateways.sample import post
from tests.gateways.samples.http_sms import SAMPLES, SECRET, telnyx_message
from tests.gateways.test_http_sms import GOOD

# RFC 8032, section 7.1, test 3: its key signs the two bytes af 82.
RFC_KEY = bytes.fromhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")
RFC_PUBLIC = bytes.fromhex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025")
RFC_SIGNATURE = bytes.fromhex(
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
)
KEY = Ed25519PrivateKey.from_private_bytes(RFC_KEY)
BODY, AT = json.dumps(telnyx_message()).encode(), "1795910400"
HEADER, TIMESTAMP = "telnyx-signature-ed25519", "telnyx-timestamp"


def telnyx(public: bytes = RFC_PUBLIC) -> Gateway:
    return build("telnyx", {**SAMPLES["telnyx"].settings, "public_key": b64encode(public).decode()}, None)


def signed(body: bytes = BODY, at: str = AT, *, key: Ed25519PrivateKey = KEY) -> HookRequest:
    signature = b64encode(key.sign(at.encode() + b"|" + body)).decode()
    return post(body, {HEADER: signature, TIMESTAMP: at}, {"key": SECRET})


def test_the_key_is_that_of_the_published_vector() -> None:
    assert KEY.public_key().public_bytes_raw() == RFC_PUBLIC
    assert KEY.sign(b"\xaf\x82") == RFC_SIGNATURE


def test_what_the_provider_signed_passes() -> None:
    assert telnyx().verify(signed()) is None


@pytest.mark.parametrize(
    "request_",
    [
        signed(key=Ed25519PrivateKey.generate()),
        post(BODY, {}, {"key": SECRET}),
        post(BODY, {HEADER: "no base64!", TIMESTAMP: AT}, {"key": SECRET}),
        post(BODY, {HEADER: b64encode(b"short").decode(), TIMESTAMP: AT}, {"key": SECRET}),
        post(BODY + b" ", dict(signed().headers), {"key": SECRET}),
        post(BODY, {**signed().headers, TIMESTAMP: "1795910401"}, {"key": SECRET}),
        post(BODY, dict(signed().headers), {"key": "another-secret-of-tests"}),
    ],
    ids=[
        "another key",
        "no signature",
        "no base64",
        "too short",
        "another body",
        "another time",
        "no secret",
    ],
)
def test_what_the_provider_did_not_sign_is_refused(request_: HookRequest) -> None:
    with pytest.raises(BadSignature):
        telnyx().verify(request_)


def test_without_a_public_key_the_secret_in_the_address_alone_counts() -> None:
    gateway = build("telnyx", SAMPLES["telnyx"].settings, None)

    assert gateway.verify(post(BODY, {}, {"key": SECRET})) is None


@pytest.mark.parametrize("key", ["AAAA", "not a key", "ä" * 44])
def test_a_key_that_is_none_is_named(key: str) -> None:
    with pytest.raises(BadSetting, match="public_key is no Ed25519 key"):
        gateway_class("telnyx").check_settings({**SAMPLES["telnyx"].settings, "public_key": key})


def test_a_signature_by_a_setting_that_is_not_there_is_a_slip() -> None:
    with pytest.raises(BadDescription, match=r"acme\.toml: signature\.setting"):
        read("acme", GOOD + '[signature]\nsetting = "key"\nheader = "x"\ntimestamp = "y"\n')
