"""What a browser says of its subscription is written by strangers, and checked before anything is kept of it."""

import pytest

from app.domain.push import BadSubscription, PushRoute, origin_of, read_subscription
from tests.support.push_peer import Browser, text

BROWSER = Browser("https://updates.push.services.mozilla.com/wpush/v2/gAAAAA")


def changed(**changes: object) -> dict[str, object]:
    found = BROWSER.subscription
    keys = {name: changes.pop(name, value) for name, value in found["keys"].items()}
    return {**found, "keys": keys, **changes}


def test_a_subscription_makes_a_route_and_a_name_that_shows_nothing_of_it() -> None:
    route = read_subscription(BROWSER.subscription, "our-key")

    assert PushRoute.from_text(route.as_text()) == route
    assert (route.endpoint, route.server_key) == (BROWSER.endpoint, "our-key")
    assert len(route.name) == 27
    assert route.name not in BROWSER.endpoint
    assert origin_of(route.endpoint) == "https://updates.push.services.mozilla.com"


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.net/1", "https://localhost/1", "https://push.example.net:8443/1", "https:///1",
        "https://user@push.example.net/1", "ftp://push.example.net/1", "https://push.example.net/a b",
        "https://push.example.net/\r\nX: 1", "https://püsh.example.net/", "https://[::1/", "", 7, None,
        "https://push.example.net/" + "x" * 2000,
    ],
)  # fmt: skip
def test_an_endpoint_that_no_push_service_has_is_refused(endpoint: object) -> None:
    with pytest.raises(BadSubscription):
        read_subscription(changed(endpoint=endpoint), "our-key")


@pytest.mark.parametrize(
    "keys",
    [
        {"p256dh": "AAAA"}, {"p256dh": "!!"}, {"p256dh": text(b"\x04" + b"\x01" * 64)}, {"p256dh": None},
        {"auth": "AAAA"}, {"auth": "=?"}, {"auth": 7},
    ],
)  # fmt: skip
def test_keys_that_nothing_can_be_encrypted_with_are_refused(keys: dict[str, object]) -> None:
    with pytest.raises(BadSubscription):
        read_subscription(changed(**keys), "our-key")


@pytest.mark.parametrize("found", [{}, {"keys": 7}, {"keys": {}}])
def test_what_is_no_subscription_is_refused(found: dict[str, object]) -> None:
    with pytest.raises(BadSubscription):
        read_subscription(found, "our-key")


@pytest.mark.parametrize("line", ["", "[]", "{}", "7", '{"endpoint": "x"}'])
def test_a_line_that_is_no_route_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"route|Expecting"):
        PushRoute.from_text(line)
