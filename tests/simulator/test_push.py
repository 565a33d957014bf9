"""Web Push in the simulator: a phone turns notifications on at our page, reads, presses, and takes its leave."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from app.demo.chats import chat_accounts
from app.domain.addresses import Address
from app.domain.buttons import Button, ButtonKind, Rich
from app.domain.messages import Batch, DeliveryRef, ErrorKind, Recipient
from app.domain.push import read_subscription
from app.gateways.registry import gateway_class
from app.simulator.push_browser import Browser, CannotRead
from app.simulator.wire import Answer
from app.storage.database import db
from app.storage.models import Subscriber, Subscription
from tests.gateways.samples.webpush import PUBLIC, SETTINGS
from tests.support.chat_city import ADA, HOOK, SIMULATOR, ChatCity, Platform
from tests.support.world import Newsroom

POLL = Rich((Button(ButtonKind.REPLY, "Yes"),))
PAGE = "http://127.0.0.1:9/push/CITY"
DIGITS = ADA.removeprefix("+")


class PushCity(ChatCity):
    """The list with notifications of browsers; the phones know our page, and not the sender's key."""

    def __init__(self, newsroom: Newsroom) -> None:
        super().__init__(newsroom, "webpush", PUBLIC, SETTINGS)
        self.account = replace(self.account, settings={"page": PAGE})
        self.world.chats.put(self.account)
        self.world.wire.fetch = self._fetch  # type: ignore[method-assign]

    def states(self) -> list[str]:
        db.session.rollback()
        found = select(Subscription.state).join(Subscriber).where(Subscriber.channel == "webpush")
        return list(db.session.scalars(found))

    def keys(self) -> list[str]:
        return [key.label for key in self.world.conversations.bubbles(ADA)[-1].keys]


def test_a_phone_turns_notifications_on_reads_presses_stops_and_takes_the_permission_back(
    newsroom: Newsroom,
) -> None:
    city = PushCity(newsroom)
    assert city.world.chats.text(ADA, city.account, "STOP") is None  # nothing was on
    city.says(ADA, "START")
    assert city.states() == ["active"]
    assert "City" in city.shown(ADA)[-1]

    assert city.broadcast("Is the bridge safe?", {"": POLL}) == ["delivered"]
    assert (city.shown(ADA)[-1], city.keys()) == ("Is the bridge safe?", ["Yes", "STOP"])
    city.presses(ADA, "Yes")
    city.presses(ADA, "STOP")
    assert city.states() == ["stopped"]
    assert city.broadcast("Nobody reads this.") == []

    city.says(ADA, "START")
    city.blocks(ADA)
    (ended,) = city.broadcast("The permission is gone.")
    assert ended.startswith("failed")
    assert "The permission is gone." not in city.shown(ADA)

    city.blocks(ADA, False)
    city.says(ADA, "START")
    assert city.broadcast("The road is open.") == ["delivered"]
    assert city.shown(ADA)[-1] == "The road is open."


def test_who_stood_on_the_list_before_a_restart_may_leave_after_it(newsroom: Newsroom) -> None:
    city = PushCity(newsroom)
    city.says(ADA, "START")
    city.world.push._standing.clear()

    city.says(ADA, "STOP")

    assert city.states() == ["stopped"]


@pytest.fixture
def service() -> Platform:
    platform = Platform("webpush", PUBLIC, SETTINGS)
    platform.world.chats.opened.add((ADA, PUBLIC))
    return platform


def push(service: Platform, digits: str = DIGITS, to: str = "", **changes: str | None) -> int:
    """Push a real message for the browser with these digits, to its own address or another; returns the status."""
    route = read_subscription(Browser(PUBLIC, digits).subscription, PUBLIC)
    whom = Recipient(DeliveryRef(1, 1), Address("webpush", route.name), "Hello", route.as_text())
    (call,) = service.gateway.encode(Batch((whom,), HOOK))
    headers = {name: value for name, value in {**call.headers, **changes}.items() if value is not None}
    path = f"/push-service/{to}" if to else call.url.removeprefix(SIMULATOR)
    return service.client.post(path, data=call.body, headers=headers).status_code


def test_what_a_push_service_does_not_take_is_refused_with_its_status(service: Platform) -> None:
    assert (push(service), service.shown(ADA)) == (201, ["Hello"])
    assert push(service, TTL=None) == 400
    assert push(service, **{"Content-Encoding": "aesgcm"}) == 400
    assert push(service, Authorization="vapid t=x.y.z, k=another") == 403
    assert push(service, to=f"another/{DIGITS}") == 404
    assert push(service, to=f"{PUBLIC}/447700900118") == 400  # encrypted for somebody else
    assert [push(service, f"44770090{end}") for end in ("0404", "0403")] == [404, 410]
    assert [push(service, "447700900429") for _ in range(2)] == [429, 410]
    assert service.shown(ADA) == ["Hello"]


def test_a_page_without_the_button_is_told_on_the_phone(service: Platform) -> None:
    service.world.wire.fetch = lambda _: Answer(404, b"")  # type: ignore[method-assign]

    assert service.world.chats.text(ADA, service.account, "START") is None

    (_, note) = service.world.conversations.bubbles(ADA)
    assert (note.kind, "no button" in note.text) == ("note", True)


def test_nobody_else_reads_what_is_encrypted_for_a_browser() -> None:
    with pytest.raises(CannotRead):
        Browser(PUBLIC, "1").read(b"?" * 120)


def test_the_family_of_errors_is_read_by_our_gateway(service: Platform) -> None:
    (outcome,) = service.send("a-name-without-a-route")

    assert outcome.error is not None
    assert outcome.error.kind is ErrorKind.GONE


def test_each_account_of_the_demo_is_the_address_of_its_sender_and_keys_stay_on_our_side() -> None:
    accounts = chat_accounts("5" * 32)

    assert [gateway_class(one.channel).check_settings(one.settings) for one in accounts] == [
        one.address for one in accounts
    ]
    (push,) = [one for one in accounts if one.channel == "webpush"]
    assert push.shared("http://127.0.0.1:8000") == {"page": "http://127.0.0.1:8000/push/STADT"}
