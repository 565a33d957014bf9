"""Webhooks that providers sign with a secret we share: what they signed passes, and nothing else does.

The providers' own packages are the oracle where they are installed (`pip install tidings[oracles]`); vectors that were
worked out with them stand beside.
"""

import hashlib
import hmac
import json
from base64 import b64encode
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from app.domain.messages import HookRequest
from app.gateways.base import BadSetting, BadSignature, Gateway
from app.gateways.http_sms.description import BadDescription, read
from app.gateways.registry import build, gateway_class
from app.simulator.messengers import Told
from app.simulator.sms_providers import providers
from app.simulator.sms_signing import signed
from tests.gateways.sample import HOOK, post
from tests.gateways.samples.http_sms import SAMPLES, SECRET
from tests.gateways.test_http_sms import GOOD

METHODS = ("md5hash", "md5", "sha1", "sha256", "sha512")
KEYS = {
    "vonage": {"signature_secret": "shared-with-vonage", "signature_method": "sha256"},
    "plivo": {"signing_token": "plivo-auth-token"},
    "messagebird": {"signing_key": "shared-with-messagebird-for-tests"},
    "bandwidth": {"hook_login": "hooks:word of bandwidth"},
    "sinch": {"hook_login": "hooks:wörter"},
}
SIGNED_IN_HEADERS = sorted(KEYS.keys() - {"vonage"})


def gateway(name: str, **more: str) -> Gateway:
    return build(name, {**SAMPLES[name].settings, **KEYS[name], **more}, None)


def told(name: str, request: HookRequest, **more: str) -> HookRequest:
    """The webhook as the simulated provider signs it."""
    given = Told(request.body, request.headers, method=request.method, url=request.public_url)
    made = signed(providers()[name].signature, KEYS[name] | more, given)
    small = {key.lower(): value for key, value in made.headers.items()}
    return replace(request, body=made.body, headers=small)


def stop(name: str, **more: str) -> HookRequest:
    return told(name, SAMPLES[name].stop, **more)


@pytest.mark.parametrize("name", sorted(KEYS))
def test_what_the_provider_signed_passes(name: str) -> None:
    here = gateway(name)

    assert here.verify(stop(name)) is None
    for report in SAMPLES[name].receipts.values():
        assert here.verify(told(name, report)) is None


@pytest.mark.parametrize("name", sorted(KEYS))
def test_what_it_did_not_sign_is_refused(name: str) -> None:
    other = {key: f"x{value}" for key, value in KEYS[name].items() if key != "signature_method"}

    for request in (SAMPLES[name].stop, stop(name, **other), told(name, SAMPLES[name].tampered)):
        with pytest.raises(BadSignature):
            gateway(name).verify(request)


@pytest.mark.parametrize("name", ["vonage", "plivo", "messagebird"])
def test_another_body_does_not_fit(name: str) -> None:
    request = stop(name)

    with pytest.raises(BadSignature):
        gateway(name).verify(replace(request, body=request.body + b"&More=1"))


@pytest.mark.parametrize("name", ["plivo", "messagebird"])
def test_another_address_does_not_fit(name: str) -> None:
    request = stop(name)

    with pytest.raises(BadSignature):
        gateway(name).verify(
            replace(request, public_url=request.public_url.replace("city-desk", "sports-desk"))
        )


@pytest.mark.parametrize("name", SIGNED_IN_HEADERS)
@pytest.mark.parametrize("word", ["", "Basic", "Basic ????", "a.b.c", "äöü", ",", "eyJhbGciOiJub25lIn0.e30."])
def test_headers_that_make_no_sense_are_refused(name: str, word: str) -> None:
    request = stop(name)
    headers = {key: word if "nonce" not in key else "1" for key in request.headers}

    with pytest.raises(BadSignature):
        gateway(name).verify(replace(request, headers=headers))


@pytest.mark.parametrize("name", sorted(KEYS))
def test_without_a_key_the_secret_in_the_address_alone_counts(name: str) -> None:
    assert build(name, SAMPLES[name].settings, None).verify(SAMPLES[name].stop) is None


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("vonage", {"signature_method": ""}, "signature_method is missing"),
        ("vonage", {"signature_method": "sha3"}, "one of md5hash, md5, sha1, sha256, sha512"),
        ("bandwidth", {"hook_login": "no colon"}, "a name and a password with a colon between"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(name: str, settings: dict[str, str], words: str) -> None:
    with pytest.raises(BadSetting, match=words):
        gateway_class(name).check_settings({**SAMPLES[name].settings, **KEYS[name], **settings})


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('kind = "rot13"\nsetting = "from"', r"signature\.kind"),
        ('kind = "parameters"\nsetting = "from"\nmethod = "how"', r"signature\.method"),
        ('kind = "jwt"\nsetting = "from"', "the key 'header' is missing"),
    ],
)
def test_a_slip_in_the_table_is_named(table: str, words: str) -> None:
    with pytest.raises(BadDescription, match=rf"acme\.toml: .*{words}"):
        read("acme", f"{GOOD}[signature]\n{table}\n")


# Vonage's own example for its packages: a=1, b=2, timestamp=1461605396 and the secret "secret".
VONAGE = {"a": "1", "b": "2", "timestamp": "1461605396"}


def vonage(form: dict[str, str], method: str = "md5hash") -> None:
    """Try a signed form at our gateway."""
    here = gateway("vonage", signature_secret="secret", signature_method=method)
    here.verify(post(urlencode(form).encode(), {}, {"key": SECRET}))


def test_vonages_own_example_passes() -> None:
    vonage(VONAGE | {"sig": "6af838ef94998832dbfc29020b564830"})
    vonage(VONAGE | {"sig": "6AF838EF94998832DBFC29020B564830"})


def test_by_get_the_parameters_of_our_own_address_are_not_signed() -> None:
    query = {"key": SECRET, "d": "1.1.0", **VONAGE, "sig": "6af838ef94998832dbfc29020b564830"}
    request = HookRequest("GET", f"{HOOK}?{urlencode(query)}", {}, b"", query)

    gateway("vonage", signature_secret="secret", signature_method="md5hash").verify(request)


@pytest.mark.parametrize("method", METHODS[1:])
def test_vonages_package_signs_as_we_check(method: str) -> None:
    auth = pytest.importorskip("vonage_http_client.auth", reason="tidings[oracles] is not installed")
    form = {
        "msisdn": "12025550123",
        "text": "a&b=c äß €",
        "nonce": "7",
        "timestamp": "1461605396",
        "empty": "",
    }
    signer = auth.Auth(api_key="k", signature_secret="secret", signature_method=method)

    vonage(form | {"sig": signer.sign_params(dict(form))}, method)


PLIVO_FORM = {"From": "12025550123", "Text": "ä & b=1", "Type": "sms", "MessageUUID": "PL1"}
PLIVO_NONCE = "05429567804466091622"


def plivo(headers: dict[str, str], query: dict[str, str] | None = None) -> None:
    """Try a signed form at our gateway."""
    gateway("plivo").verify(post(urlencode(PLIVO_FORM).encode(), headers, {"key": SECRET, **(query or {})}))


def test_plivos_signature_of_messages_is_over_address_and_nonce() -> None:
    said = (HOOK + PLIVO_NONCE).encode()
    word = b64encode(hashlib.sha256(said).digest()).decode()  # no HMAC
    with pytest.raises(BadSignature):
        plivo({"x-plivo-signature-v2": word, "x-plivo-signature-v2-nonce": PLIVO_NONCE})

    word = b64encode(hmac.digest(b"plivo-auth-token", said, "sha256")).decode()
    plivo({"x-plivo-signature-v2": word, "x-plivo-signature-v2-nonce": PLIVO_NONCE})
    plivo({"x-plivo-signature-v2": f"another, {word}", "x-plivo-signature-v2-nonce": PLIVO_NONCE})


def test_a_wrong_third_version_is_not_made_good_by_a_right_second_one() -> None:
    request = stop("plivo")

    with pytest.raises(BadSignature, match="v3"):
        gateway("plivo").verify(
            replace(request, headers={**request.headers, "x-plivo-signature-v3": "d3Jvbmc="})
        )


@pytest.mark.parametrize("query", [{}, {"d": "12.345.0", "a": "b"}], ids=["secret only", "more"])
def test_plivos_package_signs_as_we_check(query: dict[str, str]) -> None:
    v3 = pytest.importorskip("plivo.utils.signature_v3", reason="tidings[oracles] is not installed")
    url = post(b"", {}, {"key": SECRET, **query}).public_url
    base = v3.construct_post_url(url, dict(PLIVO_FORM)).decode()
    word = v3.get_signature_v3("plivo-auth-token", base, PLIVO_NONCE).decode()

    plivo({"x-plivo-signature-v3": word, "x-plivo-signature-v3-nonce": PLIVO_NONCE}, query)


def test_messagebirds_package_takes_what_we_take() -> None:
    module: Any = pytest.importorskip(
        "messagebird.request_validator", reason="tidings[oracles] is not installed"
    )
    request = stop("messagebird")
    token = request.headers["messagebird-signature-jwt"]
    validator = module.RequestValidator(KEYS["messagebird"]["signing_key"])

    assert validator.validate_signature(token, request.public_url, request.body)["iss"] == "MessageBird"
    gateway("messagebird").verify(request)


def test_a_token_that_says_its_own_algorithm_is_none_is_refused() -> None:
    request = stop("messagebird")
    head, body, _ = request.headers["messagebird-signature-jwt"].split(".")
    none = b64encode(json.dumps({"alg": "none"}).encode()).decode().rstrip("=")

    for token in (f"{none}.{body}.", f"{head}.{body}."):
        with pytest.raises(BadSignature):
            gateway("messagebird").verify(replace(request, headers={"messagebird-signature-jwt": token}))


def test_the_form_that_vonage_signed_is_still_the_message() -> None:
    (event,) = gateway("vonage").parse(stop("vonage"))

    assert event.message is not None
    assert event.message.text == "STOP"
    assert dict(parse_qsl(stop("vonage").body.decode()))["nonce"]
